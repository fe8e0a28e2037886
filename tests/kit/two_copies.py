"""Two copies of every service and of the portal behind one Envoy, as in a cluster: each can be stopped by itself."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from chassis.http.edge import QUIET_PATHS
from chassis.testkit.databases import Addresses
from tandem_local.cli import token
from tandem_local.credentials import ensure_credentials
from tandem_local.databases import DATABASE_OF_SERVICE, Database
from tandem_local.gateway import UPSTREAMS, envoy_command, render_configuration
from tandem_local.home import ISSUER, Home
from tandem_local.ports import HOST, choose_ports
from tandem_local.postgres import PostgresServer
from tandem_local.programs import PORT_NAMES, Places, supervised_programs

COPIES = 2
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30
POLL_SECONDS = 0.05
_PORT_NAMES = [f"{name}-{number}" for name in PORT_NAMES for number in range(COPIES)]


@dataclass
class Copy:
    """One process of a service or of the portal."""

    command: list[str]
    environment: dict[str, str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is not ready yet."""
        with self.log.open("ab") as log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(self.command, env=environment, stdout=log, stderr=log)

    def is_ready(self) -> bool:
        """Say whether it wants requests, as a cluster's probe asks."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            return httpx.get(f"http://{HOST}:{self.port}/readyz", timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """Ask it to stop, wait until it has, and return how it ended."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """End it, whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def seconds_left_alone(self) -> float:
        """Return for how long nobody had asked it anything but whether it is ready when it began to shut down."""
        asked = None
        for line in self.log.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            if told["event"] == "request" and told["path"] not in QUIET_PATHS:
                asked = datetime.fromisoformat(told["timestamp"])
            elif told["event"] == "Shutting down":
                assert asked is not None, "it was asked nothing at all"
                return (datetime.fromisoformat(told["timestamp"]) - asked).total_seconds()
        raise AssertionError("it has not shut down")


@dataclass
class Cluster:
    """The gateway's address, the copies of each service behind it, and tokens for it."""

    home: Home
    address: str
    admin: str
    copies: dict[str, list[Copy]] = field(default_factory=dict)

    def client(self, org: str) -> httpx.Client:
        """Return a client of the gateway, with all rights in an organisation; it keeps its connection."""
        headers = {"Authorization": f"Bearer {token(self.home, '', org)}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60, trust_env=False)

    def restart(self, name: str, number: int) -> int:
        """Stop one copy and start it anew; return how it ended, as soon as it is ready again and the gateway knows."""
        copy = self.copies[name][number]
        ended = copy.stop()
        copy.start()
        until(lambda: copy.is_ready() and self.healthy(name) == COPIES)
        return ended

    def healthy(self, name: str) -> int:
        """Return to how many copies the gateway sends requests."""
        told = httpx.get(f"{self.admin}/clusters?format=json", timeout=5, trust_env=False).json()
        (cluster,) = (each for each in told["cluster_statuses"] if each["name"] == name)
        hosts = cluster.get("host_statuses", [])
        return sum(not host["health_status"].get("failed_active_health_check") for host in hosts)

    def is_open(self) -> bool:
        """Say whether requests reach everyone, and the gateway can verify tokens."""
        try:
            stats = httpx.get(f"{self.admin}/stats?filter=jwks_fetch_success", trust_env=False).text
            known = any(not line.endswith(": 0") for line in stats.splitlines())
            return known and all(self.healthy(name) == COPIES for name in UPSTREAMS)
        except httpx.TransportError:
            return False


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(POLL_SECONDS)


@contextmanager
def two_copies(
    folder: Path, server: PostgresServer, databases: Mapping[str, Addresses], told: Mapping[str, str]
) -> Iterator[Cluster]:
    """Run everything for the block; `told` goes over what each copy's environment says.

    `databases` are the services', migrated.
    """
    home = Home(folder / "home")
    edge = choose_ports(folder / "edge.json", ["gateway", "admin"])
    cluster = Cluster(home, f"http://{HOST}:{edge['gateway']}", f"http://{HOST}:{edge['admin']}")
    cluster.copies = _copies(home, server, databases, told, choose_ports(folder / "ports.json", _PORT_NAMES))
    copies = [copy for each in cluster.copies.values() for copy in each]
    with ExitStack() as running:
        for copy in copies:
            running.callback(copy.kill)
            copy.start()
        until(lambda: all(copy.is_ready() for copy in copies))
        bootstrap = render_configuration(
            home.envoy,
            port=edge["gateway"],
            admin_port=edge["admin"],
            upstreams={name: [copy.port for copy in each] for name, each in cluster.copies.items()},
            issuer=ISSUER,
        )
        with (home.logs / "envoy.log").open("wb") as log:
            envoy = running.enter_context(subprocess.Popen(envoy_command(bootstrap), stdout=log, stderr=log))
        running.callback(envoy.terminate)
        until(cluster.is_open)
        yield cluster


def _copies(
    home: Home,
    server: PostgresServer,
    addresses: Mapping[str, Addresses],
    told: Mapping[str, str],
    ports: Mapping[str, int],
) -> dict[str, list[Copy]]:
    """Return the copies of each, planned as the local platform plans its one."""
    secrets = ensure_credentials(home)
    databases = {DATABASE_OF_SERVICE[service]: _database(each) for service, each in addresses.items()}
    copies: dict[str, list[Copy]] = {name: [] for name in UPSTREAMS}
    for number in range(COPIES):
        places = Places(home, Path(sys.executable).parent, {name: ports[f"{name}-{number}"] for name in PORT_NAMES})
        planned = {program.name: program for program in supervised_programs(places, server, databases, secrets)}
        for name, of_name in copies.items():
            program = planned[name if name == "portal" else f"{name}-serve"]
            environment = {**program.environment, **told}
            if name in addresses:
                environment["TANDEM_DATABASE_ROLES"] = addresses[name].owner.role.removesuffix("_owner")
            of_name.append(Copy(program.command, environment, places.ports[name], home.logs / f"{name}-{number}.log"))
    return copies


def _database(addresses: Addresses) -> Database:
    passwords = (each.password for each in (addresses.owner, addresses.runtime, addresses.worker))
    return Database(addresses.owner.name, *passwords)
