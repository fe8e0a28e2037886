"""`tandem run`: the whole platform in the foreground, from the database server to the first answered request."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tandem_local.credentials import ensure_credentials
from tandem_local.databases import DATABASE_OF_SERVICE, Database, create_databases, known_databases
from tandem_local.gateway import UPSTREAMS, render_configuration
from tandem_local.home import ISSUER, Home
from tandem_local.ports import HOST, choose_ports, is_free
from tandem_local.postgres import PostgresServer
from tandem_local.programs import (
    APPLICATION,
    DATABASE,
    EDGE,
    PORT_NAMES,
    SERVICES,
    SUPERVISED,
    Places,
    service_program,
    supervised_programs,
    write_script,
)
from tandem_local.supervision import Supervisor, end_leftovers

START_SECONDS = 120.0
MIGRATION_SECONDS = 1_800.0
REQUEST_SECONDS = 5.0
BUSY_PAUSE_SECONDS = 0.1
IDLE_PAUSE_SECONDS = 0.5
TAIL_LINES = 15


class StoppedError(Exception):
    """Somebody asked for the end."""


class StartError(Exception):
    """The platform cannot start, and why."""


class Wish:
    """Whether somebody wishes the end; a signal handler may do no more than note it."""

    def __init__(self) -> None:
        self.stop = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signal.SIGHUP, self._note)

    def _note(self, *_: object) -> None:
        self.stop = True


@dataclass(frozen=True)
class Platform:
    """What a start works with."""

    places: Places
    server: PostgresServer
    supervisor: Supervisor
    wish: Wish
    secrets: Mapping[str, Mapping[str, str]]

    def pause(self, seconds: float = BUSY_PAUSE_SECONDS) -> None:
        """Wait a moment; raise if the end was wished for, or supervisord has died."""
        time.sleep(seconds)
        if self.wish.stop:
            raise StoppedError
        if not self.supervisor.alive():
            raise StartError("supervisord has ended unexpectedly.")
        self.supervisor.report()

    def tail(self, program: str) -> str:
        """Return the last lines of a program's log."""
        path = self.places.home.logs / f"{program}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return "\n".join([f"The end of {path}:", *lines[-TAIL_LINES:]])


def run(home: Home, port: int, commands: Path | None = None) -> None:
    """Run the platform until SIGINT or SIGTERM; `commands` is the folder of the services' commands."""
    begun = time.monotonic()
    wish = Wish()
    address = f"http://{HOST}:{port}"
    with home.locked(address) as tell_of_the_end:
        server = PostgresServer(home.postgres)
        if ended := end_leftovers(home, server):
            say(f"Ended {ended} processes that an earlier run had left behind.")
        if not is_free(port):
            raise StartError(f"Port {port} is used by another program; choose another: make run PORT=…")
        ports = choose_ports(home.root / "ports.json", PORT_NAMES)
        places = Places(home, commands or Path(sys.executable).parent, ports)
        platform = prepared(places, server, port, wish)
        try:
            start(platform)
            wait_until_answering(platform, port)
            say(f"Tandem answers at {address} after {time.monotonic() - begun:.1f} s. Ctrl-C stops it.")
            while True:
                platform.pause(IDLE_PAUSE_SECONDS)
        except StoppedError:
            pass
        finally:
            tell_of_the_end()
            say("Stopping…")
            platform.supervisor.stop()
            end_leftovers(home, server)
            say("Stopped.")


def prepared(places: Places, server: PostgresServer, port: int, wish: Wish) -> Platform:
    """Make what is missing in the folder, write all configuration, and start supervisord, which starts nothing."""
    home = places.home
    if not home.secrets.exists():
        say(f"Making a platform in {home.root}…")
    secrets = ensure_credentials(home)
    upstreams = {name: [places.ports[name]] for name in UPSTREAMS}
    render_configuration(
        home.envoy, port=port, admin_port=places.ports["envoy-admin"], upstreams=upstreams, issuer=ISSUER
    )
    server.prepare()
    programs = supervised_programs(places, server, known_databases(server), secrets)
    return Platform(places, server, Supervisor(home, programs, say), wish, secrets)


def start(platform: Platform) -> None:
    """Start the programs, each as soon as what it needs is there."""
    supervisor = platform.supervisor
    supervisor.start(f"{DATABASE}:postgres")
    supervisor.start(f"{APPLICATION}:portal")
    deadline = time.monotonic() + START_SECONDS
    while not platform.server.accepting():
        if time.monotonic() > deadline:
            raise StartError(f"PostgreSQL does not start.\n{platform.tail('postgres')}")
        platform.pause()
    databases = create_databases(platform.server)
    migrating = {
        service: begun_migration(platform, databases[DATABASE_OF_SERVICE[service]], service) for service in SERVICES
    }
    while migrating:
        for service in [name for name, process in migrating.items() if process.poll() is not None]:
            if migrating.pop(service).returncode != 0:
                raise StartError(f"{service} migrate has failed.\n{platform.tail(f'{service}-migrate')}")
            supervisor.start(f"{APPLICATION}:{service}-serve")
            supervisor.start(f"{APPLICATION}:{service}-work")
        if time.monotonic() > deadline + MIGRATION_SECONDS:
            raise StartError(f"These do not come to an end: migrate of {', '.join(migrating)}.")
        platform.pause()


def begun_migration(platform: Platform, database: Database, service: str) -> subprocess.Popen[bytes]:
    """Begin a service's migrations beside the others'."""
    home = platform.places.home
    program = service_program(platform.places, platform.server, database, platform.secrets[service], service, "migrate")
    script = write_script(home, program)
    with (home.logs / f"{program.name}.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own script
            ["/bin/sh", str(script)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, SUPERVISED: str(home.root)},
            start_new_session=True,
        )


def wait_until_answering(platform: Platform, port: int) -> None:
    """Wait until requests through the gateway reach every service, and the gateway can verify tokens."""
    ports = platform.places.ports
    deadline = time.monotonic() + START_SECONDS
    while status(ports["portal"], "/readyz") != http.client.OK:
        if time.monotonic() > deadline:
            raise StartError(f"The portal does not start.\n{platform.tail('portal')}")
        platform.pause()
    platform.supervisor.start(f"{EDGE}:envoy")  # after the portal: its first act is to fetch the portal's keys
    waiting = {f"/{service}/readyz": f"{service}-serve" for service in SERVICES} | {"/readyz": "portal"}
    while waiting or not knows_keys(ports["envoy-admin"]):
        waiting = {path: name for path, name in waiting.items() if status(port, path) != http.client.OK}
        if time.monotonic() > deadline:
            late = list(waiting.values()) or ["envoy"]
            raise StartError(f"Not ready in time: {', '.join(late)}.\n{platform.tail(late[0])}")
        platform.pause()


def status(port: int, path: str) -> int:
    """Return the status a GET is answered with, 0 if it is not."""
    return answer(port, path)[0]


def knows_keys(admin_port: int) -> bool:
    """Say whether Envoy has fetched the keys that verify tokens."""
    code, body = answer(admin_port, "/stats?filter=jwks_fetch_success")
    return code == http.client.OK and bool(re.search(rb"jwks_fetch_success: [1-9]", body))


def answer(port: int, path: str) -> tuple[int, bytes]:
    """GET a path of this machine; (0, nothing) if nobody answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=REQUEST_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def say(text: str) -> None:
    """Tell whoever started the platform."""
    print(text, flush=True)  # noqa: T201
