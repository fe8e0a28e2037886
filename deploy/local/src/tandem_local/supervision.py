"""supervisord and what it watches over: started, asked, stopped in order, and cleaned up after if it was killed."""

import ctypes
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tandem_local.home import Home
from tandem_local.postgres import PostgresServer
from tandem_local.programs import SUPERVISED, Program, supervisor_configuration
from tandem_local.sockets import socket_folder

START_SECONDS = 15.0
STOP_SECONDS = 120.0
LEFTOVER_SECONDS = 25.0
POLL_SECONDS = 0.05
ENDED = re.compile(r" (?:INFO|WARN) exited: (\S+) \((.*); (?:not )?expected\)")
GAVE_UP = re.compile(r" INFO gave up: (\S+) ")
PR_SET_PDEATHSIG = 1


class Supervisor:
    """A running supervisord, which ends with this process whatever happens to it."""

    def __init__(self, home: Home, programs: list[Program], say: Callable[[str], None]) -> None:
        self._home = home
        self._say = say
        self._control = socket_folder(home.root, "run.4194304") / "run"
        self._log = home.logs / "supervisord.log"
        self._log.unlink(missing_ok=True)
        self._told = 0
        path = home.root / "supervisord.conf"
        path.write_text(supervisor_configuration(home, self._control, programs), encoding="utf-8")
        with (home.logs / "supervisord.out").open("wb") as output:  # no pipe: it must outlive this process
            self.process = subprocess.Popen(  # noqa: S603 - our own path and file
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(path)],
                env={**os.environ, SUPERVISED: str(home.root)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - this process has one thread
            )
        self._wait_until_it_listens()

    def start(self, name: str) -> None:
        """Start a program (`group:program`) or a group (`group:*`)."""
        self._ask("startProcess", name, False)

    def alive(self) -> bool:
        """Say whether supervisord still runs."""
        return self.process.poll() is None

    def report(self) -> None:
        """Tell of the programs that have ended and were started again since the last time."""
        with self._log.open(encoding="utf-8", errors="replace") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(self._told if self._told <= size else 0)  # a log that has become too long begins anew
            news = file.read()
            self._told = file.tell()
        for line in news.splitlines():
            if found := ENDED.search(line):
                log = self._home.logs / f"{found[1]}.log"
                self._say(f"{found[1]} ended ({found[2]}) and is started again; its log: {log}")
            elif found := GAVE_UP.search(line):
                self._say(f"{found[1]} does not stay up and is not started any more.")

    def stop(self) -> None:
        """Stop everything in order and wait for it."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _ask(self, method: str, *arguments: Any) -> Any:
        with xmlrpc.client.ServerProxy("http://localhost", transport=_SocketTransport(self._control)) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ask("getState")
            except (OSError, http.client.HTTPException) as error:
                if not self.alive() or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"supervisord did not start; its log is {self._log}.") from error
                time.sleep(POLL_SECONDS)
            else:
                return


def end_with_parent() -> None:
    """Have this process asked to stop (SIGTERM) when its parent dies, even by SIGKILL."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def end_leftovers(home: Home, server: PostgresServer) -> int:
    """End what an earlier run left behind when it was killed; return how many processes that were.

    A process is known by the mark in its environment, the database server by the folder it works in.
    """
    left = _supervised(home)
    for pid in left:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while _supervised(home) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for pid in _supervised(home):
        _signal(pid, signal.SIGKILL)
    database = server.running_pid()
    if database is not None:
        _signal(database, signal.SIGINT)
        while server.running_pid() is not None and time.monotonic() < deadline + LEFTOVER_SECONDS:
            time.sleep(POLL_SECONDS)
    return len(left) + (database is not None)


def _supervised(home: Home) -> list[int]:
    mark = f"{SUPERVISED}={home.root}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if mark in variables:
                found.append(int(entry.name))
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


class _SocketTransport(xmlrpc.client.Transport):
    """XML-RPC by a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, _: Any) -> http.client.HTTPConnection:
        return _SocketConnection(self._path)


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
