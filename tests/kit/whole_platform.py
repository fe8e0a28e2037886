"""The whole platform, run as a user runs it, in a folder and on a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30
TANDEM = Path(sys.executable).with_name("tandem")


class Platform:
    """A platform of this test run's own: its address, its folder, and tokens for it."""

    def __init__(self, home: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.environment = os.environ | {"TANDEM_HOME": str(home), "PORT": str(port)}

    def token(self, org: str = "default", scope: str = "") -> str:
        """Return a token as `make token` prints it."""
        environment = self.environment | {"ORG": org, "SCOPE": scope}
        printed = subprocess.run([TANDEM, "token"], env=environment, capture_output=True, text=True, check=True)
        return printed.stdout.strip()

    def worker_pid(self, service: str) -> int | None:
        """Return the process that runs a service's loops just now."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._is_worker(entry, service):
                return int(entry.name)
        return None

    def _is_worker(self, process: Path, service: str) -> bool:
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            environment = (process / "environ").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False
        ours = f"TANDEM_SUPERVISED_IN={self.environment['TANDEM_HOME']}".encode()
        return b"work" in words and any(word.endswith(service.encode()) for word in words) and ours in environment

    def client(self, org: str = "default", scope: str = "") -> httpx.Client:
        """Return a client of the gateway with a token of an organisation."""
        headers = {"Authorization": f"Bearer {self.token(org, scope)}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=120)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@contextmanager
def running_platform(folder: Path) -> Iterator[Platform]:
    """Start a platform in a folder, wait until it answers, and stop it after the block."""
    started = Platform(folder / "home", free_port())
    output = folder / "output"
    with (
        output.open("w") as written,
        subprocess.Popen([TANDEM, "run"], env=started.environment, stdout=written, stderr=subprocess.STDOUT) as process,
    ):
        try:
            wait_until_it_answers(process, started.address, output)
            yield started
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS_MAX)


def wait_until_it_answers(process: subprocess.Popen[bytes], address: str, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the platform ended with {process.returncode}:\n{output.read_text()[-4000:]}")
        if address in output.read_text():
            return
        time.sleep(0.2)
    pytest.fail(f"the platform did not start:\n{output.read_text()[-4000:]}")
