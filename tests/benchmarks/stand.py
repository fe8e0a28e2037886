"""A platform of a benchmark's own: where its parts are reached, and which processes they are."""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from consumption import cpu_seconds, marked
from whole_platform import Platform, running_platform

from tandem_local.databases import DATABASE_OF_SERVICE, known_databases
from tandem_local.home import Home
from tandem_local.postgres import PostgresServer
from tandem_local.programs import SUPERVISED

ORG = "bench"
QUIET_SHARE = 0.08  # of one processor: what the loops of an idle platform take, and a little more
QUIET_SECONDS = 0.25


@dataclass(frozen=True)
class Stand:
    """A running platform, with a token of the organisation that everything is measured as."""

    platform: Platform
    token: str

    @classmethod
    def of(cls, platform: Platform) -> "Stand":
        """Take a platform that answers."""
        return cls(platform, platform.token(ORG))

    @property
    def home(self) -> Path:
        """The platform's folder."""
        return Path(self.platform.environment["TANDEM_HOME"])

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def gateway_port(self) -> int:
        """Where the gateway listens."""
        return int(urlsplit(self.platform.address).port or 0)

    @cached_property
    def ports(self) -> Mapping[str, int]:
        """Where each service listens."""
        ports: dict[str, int] = json.loads((self.home / "ports.json").read_text(encoding="utf-8"))
        return ports

    @cached_property
    def server(self) -> PostgresServer:
        """The database server."""
        return PostgresServer(Home(self.home).postgres)

    @cached_property
    def processes(self) -> Mapping[str, int]:
        """The process of each part: `postgres`, `envoy`, and `<service>-serve` or `-work`."""
        found = {"postgres": self.server.running_pid() or 0}
        for pid, words in marked(SUPERVISED, str(self.home)).items():
            if any(word.endswith("/envoy") for word in words[:1]):
                found["envoy"] = pid
            for service in DATABASE_OF_SERVICE:
                for duty in ("serve", "work"):
                    if duty in words and any(Path(word).name == service for word in words):
                        found[f"{service}-{duty}"] = pid
        return found

    def client(self) -> httpx.Client:
        """Return a client of the gateway."""
        return httpx.Client(base_url=self.platform.address, headers=self.headers, timeout=120, trust_env=False)

    def database(self, service: str, role: str = "runtime") -> dict[str, Any]:
        """Return asyncpg's arguments for a service's database."""
        found = known_databases(self.server)[DATABASE_OF_SERVICE[service]]
        return {
            "host": self.server.host,
            "port": self.server.port,
            "database": found.name,
            "user": found.role(role),
            "password": found.password(role),
        }

    def settle(self, seconds_max: float = 20.0) -> None:
        """Wait until what was written has been sequenced and read, and nobody has anything to do."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            before = cpu_seconds(self.processes.values())
            time.sleep(QUIET_SECONDS)
            if cpu_seconds(self.processes.values()) - before < QUIET_SHARE * QUIET_SECONDS * len(self.processes):
                return

    def tidy(self) -> None:
        """Leave the databases as a night would: vacuumed, and known to the planner."""
        for service in DATABASE_OF_SERVICE:
            self.server.execute("VACUUM (ANALYZE)", DATABASE_OF_SERVICE[service])


@contextmanager
def running_stand() -> Iterator[Stand]:
    """Run a platform in a folder of its own for the block."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder, running_platform(Path(folder)) as platform:
        yield Stand.of(platform)
