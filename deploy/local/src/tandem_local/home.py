"""The folder that one local platform lives in: what lies where, and who may use it."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

REPOSITORY = Path(__file__).resolve().parents[4]
ISSUER = "https://tandem.local"
OWN_FILES = ("secrets.json", "clients.toml", "jwks.json", "ports.json", "supervisord.conf", "supervisord.pid", "lock")
OWN_FOLDERS = ("postgres", "keys", "programs", "envoy", "logs", "socket")

STOPPING = "stopping"
STOPPING_SECONDS = 120.0
POLL_SECONDS = 0.1


class InUseError(Exception):
    """Another process works in the folder."""


class Home:
    """A platform's folder; `root` is made if it is missing."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    @classmethod
    def from_environment(cls) -> "Home":
        """Return the folder named by TANDEM_HOME, else `.tandem` in the repository."""
        return cls(Path(os.environ.get("TANDEM_HOME") or REPOSITORY / ".tandem"))

    @property
    def postgres(self) -> Path:
        """The database server's folder."""
        return self.root / "postgres"

    @property
    def keys(self) -> Path:
        """The folder of the keys that sign tokens."""
        return self.root / "keys"

    @property
    def key_set(self) -> Path:
        """The public keys, for the services."""
        return self.root / "jwks.json"

    @property
    def clients(self) -> Path:
        """Who may ask the portal for tokens."""
        return self.root / "clients.toml"

    @property
    def secrets(self) -> Path:
        """What the services' processes are told and nobody else."""
        return self.root / "secrets.json"

    @property
    def logs(self) -> Path:
        """One log a program."""
        return self._folder("logs")

    @property
    def programs(self) -> Path:
        """One script a program, with its environment; it can be run by hand."""
        return self._folder("programs")

    @property
    def envoy(self) -> Path:
        """The gateway's configuration as it runs; Envoy watches it."""
        return self._folder("envoy")

    @contextmanager
    def locked(self, address: str = "") -> Iterator[Callable[[], None]]:
        """Keep the folder for this process alone, which its end gives back; `address` tells others where it is.

        What is given back is to be called when the process begins to stop: whoever comes then waits for the end.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:

            def tell(text: str) -> None:
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()

            self._lock(file)
            tell(f"process {os.getpid()}{f', {address}' if address else ''}")
            yield lambda: tell(STOPPING)

    def _lock(self, file: TextIO) -> None:
        deadline = time.monotonic() + STOPPING_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read()
                if holder != STOPPING or time.monotonic() > deadline:
                    raise InUseError(
                        f"Tandem already runs in {self.root} ({holder or 'just starting'}). Stop it first, or run"
                        " another one beside it: make run PORT=… TANDEM_HOME=…"
                    ) from None
                time.sleep(POLL_SECONDS)
            else:
                return

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
