"""Embedded PostgreSQL 18: the binaries of a wheel, a cluster of our own, reached by a unix socket only.

The cluster asks for passwords (SCRAM) even on the socket, and the socket's folder is open to its owner alone.
Everything about one server lies in one folder, so two servers never meet.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from tandem_local.sockets import socket_folder
from tandem_local.unprivileged import account_for

SUPERUSER = "postgres"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
START_SECONDS = 60.0
START_ATTEMPTS = 8
ATTEMPT_SECONDS = 0.5
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
}
FAST_AND_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer:
    """One PostgreSQL server whose data, password and socket lie in `home`.

    `durable=False` is for tests: nothing is forced to the disk. `settings` go over the ones above.
    As a context manager it runs for the block.
    """

    def __init__(self, home: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.absolute()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.account = account_for(self.home)
        self.data = self.account.folder / "data"
        self.host = str(socket_folder(self.account.folder, f"{SOCKET_NAME}.lock", self.account.user))
        self.port = PORT
        self.user = SUPERUSER
        self.settings = SETTINGS | ({} if durable else FAST_AND_FORGETFUL) | dict(settings or {})
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def password(self) -> str:
        """The superuser's password, made once and kept for the owner alone."""
        path = self.home / "postgres-password"
        if not path.exists():
            write_secret(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="utf-8")

    def dsn_of(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """Return the address of a database as libpq and asyncpg read it."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@/{database}?host={quote(self.host, safe='')}&port={self.port}"

    def binary(self, name: str) -> str:
        """Return the path of a PostgreSQL program."""
        return str(self.account.binaries / name)

    def command(self) -> list[str]:
        """Return the command that is the server: it replaces itself, so its process id is the server's."""
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        folders = ["-D", str(self.data), "-k", self.host, "-p", str(self.port)]
        return [*self.account.prefix, self.binary("postgres"), *folders, *options]

    def prepare(self) -> None:
        """Make the cluster if there is none, and clear away what a killed server left behind."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._remove_stale_locks()

    def start(self) -> None:
        """Prepare and start the server; return when it accepts connections."""
        if self._process is not None:
            return
        self.prepare()
        for _ in range(START_ATTEMPTS):
            if self._start_once():
                return
            time.sleep(ATTEMPT_SECONDS)
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start; its log is {self.log_path}.")

    def stop(self) -> None:
        """Stop the server: sessions are ended, what was committed is safe."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None

    def remove(self) -> None:
        """Delete the cluster and its socket folder; the server must have been stopped."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.host, ignore_errors=True)
        if self.account.folder != self.home:
            shutil.rmtree(self.account.folder, ignore_errors=True)

    @property
    def log_path(self) -> Path:
        """Where the server's messages go when it was started by `start`."""
        return self.home / "postgres.log"

    def accepting(self) -> bool:
        """Say whether the server takes connections now."""
        address = ["-q", "-h", self.host, "-p", str(self.port), "-t", "1"]
        asked = subprocess.run([self.binary("pg_isready"), *address], check=False)  # noqa: S603 - our own path
        return asked.returncode == 0

    def running_pid(self) -> int | None:
        """Return the process id of a server that works on this cluster, whoever started it."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
            works_in = Path(f"/proc/{pid}/cwd").readlink()
        except (OSError, ValueError):
            return None
        return pid if works_in == self.data.resolve() else None

    def execute(self, script: str, database: str = "postgres") -> str:
        """Run SQL as the superuser, in order until the first error, and return the rows as plain lines."""
        address = ["-h", self.host, "-p", str(self.port), "-U", self.user, "-d", database]
        flags = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        done = subprocess.run(  # noqa: S603 - our own path and arguments
            [self.binary("psql"), *address, *flags],
            input=script,
            env={"PGPASSWORD": self.password, "PGCLIENTENCODING": "UTF8", "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.rstrip("\n")

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        with tempfile.TemporaryFile() as password:
            password.write(self.password.encode())
            password.seek(0)
            if self.account.user is not None:
                shutil.chown(password.fileno(), self.account.user, self.account.user)
            command = [*self.account.prefix, self.binary("initdb"), "-D", str(self.data), "-U", SUPERUSER]
            locale = [
                "--no-locale",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ]
            safety = ["--auth=scram-sha-256", "--pwfile=/dev/stdin", "--no-instructions"]
            done = subprocess.run(  # noqa: S603 - our own path and arguments
                [*command, *locale, *safety, *([] if self._durable else ["--no-sync"])],
                stdin=password,
                capture_output=True,
                text=True,
                check=False,
                user=self.account.user,
                group=self.account.user,
                extra_groups=[] if self.account.user else None,
            )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stderr.strip()}")

    def _start_once(self) -> bool:
        """Start the process and wait; False if it ended, as it does while a killed one's sessions end."""
        self._log = self._log or self.log_path.open("ab")
        process = subprocess.Popen(  # noqa: S603 - our own path and arguments
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=self.account.user,
            group=self.account.user,
            extra_groups=[] if self.account.user else None,
        )
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None:
            if self._ready(process.pid):
                self._process = process
                return True
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
            time.sleep(POLL_SECONDS)
        return False

    def _ready(self, pid: int) -> bool:
        """Read the pid file: its first line is the process, its eighth the state."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    def _remove_stale_locks(self) -> None:
        """Remove the lock files of a dead server: its number may meanwhile belong to another process."""
        if self.running_pid() is None:
            for path in (self.data / "postmaster.pid", Path(self.host, f"{SOCKET_NAME}.lock")):
                path.unlink(missing_ok=True)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)
