import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
import pytest

from tandem_local import cli
from tandem_local.home import Home
from tandem_local.ports import choose_ports
from tandem_local.postgres import PostgresServer
from tandem_local.supervision import end_leftovers

# A service that only says what it was told; it migrates with its own password.
SERVICE = """\
import http.server, json, os, signal, sys, time
name, command = os.path.basename(sys.argv[0]), sys.argv[1]
told = {key: value for key, value in os.environ.items() if key.startswith("TANDEM_")}
if command == "migrate":
    sys.exit(3 if os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), "broken")) else 0)
if command == "work":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        time.sleep(1)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer((sys.argv[3], int(sys.argv[5])), Handler).serve_forever()
"""
STARTER = """\
import sys
from pathlib import Path
from tandem_local.home import Home, InUseError
from tandem_local.run import StartError, run
try:
    run(Home(Path(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3]))
except (InUseError, StartError) as error:
    sys.exit(str(error))
"""


class Running:
    """A platform in a process of its own."""

    def __init__(self, home: Path, port: int, commands: Path) -> None:
        self.home = home
        self.port = port
        self._output = home.parent / f"{home.name}.out"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", STARTER, str(home), str(port), str(commands)], stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def wait_until_said(self, text: str) -> None:
        def said() -> bool:
            assert text in self.output or self.process.poll() is None, self.output
            return text in self.output

        self.wait_for(said)

    def supervised(self, program: str | None = None) -> list[int]:
        mark = f"TANDEM_SUPERVISED_IN={self.home}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes().split(b"\0")
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
                if mark in environment and (program is None or program in command):
                    found.append(int(entry.name))
        return found

    def database_pid(self) -> int | None:
        return PostgresServer(self.home / "postgres").running_pid()

    def get(self, path: str, token: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)

    def assert_nothing_left(self) -> None:
        assert self.supervised() == []
        assert self.database_pid() is None


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    for service in ("service-catalog", "project-tracker", "kpi-engine"):
        command = folder / service
        command.write_text(f"#!{sys.executable}\n{SERVICE}")
        command.chmod(0o755)
    (folder / "portal").symlink_to(Path(sys.executable).parent / "portal")
    return folder


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> int:
    return choose_ports(tmp_path_factory.mktemp("ports") / "ports.json", ["gateway"])["gateway"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, commands: Path, port: int) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("platform") / "home", port, commands)
    try:
        running.wait_until_said("Tandem answers at")
        yield running
    finally:
        running.stop()
        running.assert_nothing_left()


def test_answers_as_soon_as_it_says_so(platform: Running) -> None:
    token = cli.token(Home(platform.home))
    status, told = platform.get("/kpi-engine/v1/x", token)
    assert status == 200
    environment = json.loads(told)
    assert environment["TANDEM_DATABASE_NAME"] == "kpi_engine"
    assert environment["TANDEM_RUNTIME_PASSWORD"] != environment["TANDEM_WORKER_PASSWORD"]
    assert "TANDEM_OWNER_PASSWORD" not in environment
    assert set(json.loads(environment["TANDEM_FEEDS"])) == {"service-catalog", "project-tracker"}
    assert platform.get("/kpi-engine/v1/x")[0] == 401
    assert json.loads(platform.get("/openapi.json")[1])["info"]["title"] == "Tandem"


def test_the_administrators_token_has_every_scope_and_the_asked_one_only_that(platform: Running) -> None:
    keys = json.loads((platform.home / "jwks.json").read_text())
    key = jwt.PyJWK(keys["keys"][0])
    everything = jwt.decode(
        cli.token(Home(platform.home)), key, ["ES256"], audience="portal", issuer="https://tandem.local"
    )
    assert everything["org"] == "default"
    assert everything["sub"] == "local-administrator"
    assert set(everything["scope"].split()) == set(cli.SCOPES)
    assert everything["exp"] - everything["iat"] == 12 * 3600
    asked = jwt.decode(
        cli.token(Home(platform.home), "kpi:read", "other", "grace"), key, ["ES256"], audience="kpi-engine"
    )
    assert (asked["org"], asked["scope"], asked["sub"]) == ("other", "kpi:read", "grace")


def test_secrets_are_closed_to_others(platform: Running) -> None:
    assert stat.S_IMODE(platform.home.stat().st_mode) == 0o700
    names = ["secrets.json", "clients.toml", "keys/signing.pem", "postgres/postgres-password"]
    for path in [platform.home / name for name in names] + list((platform.home / "programs").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for pid in platform.supervised():
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        for line in (platform.home / "programs" / "kpi-engine-work.sh").read_text().splitlines():
            if "PASSWORD" in line or "SECRET" in line:
                assert line.partition("=")[2].strip("'").encode() not in command


def test_a_sibling_gets_its_token(platform: Running) -> None:
    script = platform.home / "programs" / "kpi-engine-work.sh"
    told = dict(line.removeprefix("export ").split("=", 1) for line in script.read_text().splitlines() if "=" in line)
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=10)
    body = f"grant_type=client_credentials&client_id=kpi-engine&client_secret={told['TANDEM_CLIENT_SECRET']}"
    connection.request("POST", "/oauth/token", body, {"content-type": "application/x-www-form-urlencoded"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (claims["org"], claims["scope"]) == ("*", "events:read")
    assert claims["aud"] == ["service-catalog", "project-tracker"]


def test_a_second_run_in_the_same_folder_is_refused(platform: Running, commands: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-c", STARTER, str(platform.home), "1", str(commands)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"already runs in {platform.home}" in second.stderr
    assert f"http://127.0.0.1:{platform.port}" in second.stderr


def test_a_port_in_use_is_refused_before_anything_is_started(platform: Running, commands: Path, tmp_path: Path) -> None:
    second = Running(tmp_path / "home", platform.port, commands)
    assert second.process.wait(30) == 1
    assert f"Port {platform.port} is used" in second.output
    second.assert_nothing_left()


def test_what_dies_is_started_again_and_told(platform: Running) -> None:
    (worker,) = platform.supervised("kpi-engine work")
    os.kill(worker, signal.SIGKILL)
    platform.wait_until_said("kpi-engine-work ended (terminated by SIGKILL) and is started again")
    platform.wait_for(lambda: platform.supervised("kpi-engine work") not in ([], [worker]))


def test_a_second_platform_beside_the_first_is_killed_and_starts_again(
    tmp_path: Path, commands: Path, platform: Running
) -> None:
    port = choose_ports(tmp_path / "ports.json", ["gateway"])["gateway"]
    runs = [Running(tmp_path / "home", port, commands)]
    try:
        # Killed: the supervisor notices and stops everything in order.
        runs[0].wait_until_said("Tandem answers at")
        runs[0].process.kill()
        runs[0].process.wait()
        runs[0].wait_for(lambda: not runs[0].supervised() and runs[0].database_pid() is None)
        # Killed together with the supervisor: nobody is left who would stop the rest, but the next run finds it.
        runs.append(Running(tmp_path / "home", port, commands))
        runs[1].wait_until_said("Tandem answers at")
        for pid in (*runs[1].supervised("supervisord"), runs[1].process.pid):
            os.kill(pid, signal.SIGKILL)
        runs[1].process.wait()
        assert runs[1].supervised()
        runs.append(Running(tmp_path / "home", port, commands))
        runs[2].wait_until_said("Tandem answers at")
        assert "had left behind" in runs[2].output
        # Asked to stop: nothing is left, whoever starts meanwhile waits, the platform beside never noticed.
        runs[2].process.send_signal(signal.SIGINT)
        runs[2].wait_until_said("Stopping…")
        with Home(tmp_path / "home").locked():
            runs[2].assert_nothing_left()
        assert runs[2].process.wait(30) == 0
        assert runs[2].output.endswith("Stopped.\n")
    finally:
        for run in runs:
            run.stop()
        end_leftovers(Home(tmp_path / "home"), PostgresServer(tmp_path / "home" / "postgres"))
    assert platform.get("/service-catalog/readyz")[0] == 200


def test_a_failed_migration_is_told_and_nothing_stays(tmp_path: Path, commands: Path) -> None:
    (commands / "broken").touch()
    port = choose_ports(tmp_path / "ports.json", ["gateway"])["gateway"]
    failing = Running(tmp_path / "home", port, commands)
    try:
        assert failing.process.wait(30) == 1
    finally:
        (commands / "broken").unlink()
        failing.stop()
    assert "migrate has failed" in failing.output
    failing.assert_nothing_left()


def test_reset_deletes_what_is_ours_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    PostgresServer(home.postgres, durable=False).prepare()
    cli.token(home)
    (home.root / "notes.txt").write_text("mine")
    monkeypatch.setenv("TANDEM_HOME", str(home.root))
    cli.main(["reset"])
    assert [path.name for path in home.root.iterdir()] == ["notes.txt"]
    (home.root / "notes.txt").unlink()
    cli.main(["reset"])
    assert not home.root.exists()


def test_reset_is_refused_while_it_runs(platform: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_HOME", str(platform.home))
    with pytest.raises(SystemExit):
        cli.main(["reset"])
    assert platform.get("/readyz")[0] == 200
