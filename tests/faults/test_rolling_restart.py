"""A release under load: every copy of every service and of the portal is replaced, and no request fails."""

import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from two_copies import COPIES, Cluster, two_copies, until

from chassis.testkit.databases import Addresses
from tandem_local.databases import DATABASE_OF_SERVICE
from tandem_local.postgres import PostgresServer

WRITERS = 2  # of each service
PAUSE_SECONDS = 0.08  # of each writer: starting copies need the processor too
TOLD = {
    "TANDEM_DRAIN_SECONDS": "5",  # longer than the gateway takes to see that a copy is not ready any more
    "TANDEM_RUNTIME_POOL_SIZE": "4",
    "TANDEM_WORKER_POOL_SIZE": "2",
}
LEFT_ALONE_SECONDS_MIN = 0.5  # before a copy closes its port: without a drain it is asked to the last moment
WARM_REQUESTS = 20  # of each sender, so that every copy has got some
SENDERS = WRITERS * len(DATABASE_OF_SERVICE) + 1
REQUESTS_MIN = 100  # of each service: fewer would prove little
POLICIES_FROM = datetime(2026, 1, 1, tzinfo=UTC)
CALENDAR = {"timezone": "UTC", "weekly": [{"weekday": "monday", "intervals": [["08:00", "12:00"]]}]}


@dataclass
class Told:
    """What clients were answered: the resources made for them, and everything that went wrong."""

    sent: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    made: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    failures: Counter[str] = field(default_factory=Counter)


def create(client: httpx.Client, service: str, number: int) -> httpx.Response:
    """Create something new, without a key under which it could be repeated."""
    if service == "kpi-engine":
        policy = {"valid_from": (POLICIES_FROM + timedelta(minutes=number)).isoformat()}
        return client.put("/kpi-engine/v1/policies", json=policy)
    return client.post(f"/{service}/v1/calendars", json=CALENDAR | {"name": f"n{number}"})


def ask(
    told: Told, what: str, expected: int, request: Callable[..., httpx.Response], *arguments: Any
) -> httpx.Response | None:
    """Send a request; None and a failure unless it is answered as expected."""
    try:
        response = request(*arguments)
    except httpx.TransportError as error:
        told.failures[f"{what}: {error!r}"] += 1
        return None
    if response.status_code != expected:
        told.failures[f"{what}: {response.status_code} {response.text[:200]}"] += 1
        return None
    return response


def write(cluster: Cluster, service: str, org: str, told: Told, over: threading.Event) -> None:
    """Create one thing after another and read each."""
    kind = "policies" if service == "kpi-engine" else "calendars"
    with cluster.client(org) as client:
        while not over.wait(PAUSE_SECONDS):
            told.sent[org] += 1
            created = ask(told, f"write {service}", 201, create, client, service, told.sent[org])
            if created is not None:
                told.made[org].append(created.json()["id"])
                path = f"/{service}/v1/{kind}/{told.made[org][-1]}"
                told.read[org] += ask(told, f"read {service}", 200, client.get, path) is not None


def ask_portal(cluster: Cluster, told: Told, over: threading.Event) -> None:
    """Fetch the keys again and again."""
    with cluster.client("portal") as client:
        while not over.wait(PAUSE_SECONDS):
            told.read["portal"] += ask(told, "portal", 200, client.get, "/.well-known/jwks.json") is not None


@contextmanager
def load(cluster: Cluster) -> Iterator[Told]:
    """Write and read through the gateway until the block ends."""
    over, told = threading.Event(), Told()
    with ThreadPoolExecutor(WRITERS * len(cluster.copies)) as pool:
        asking = [pool.submit(ask_portal, cluster, told, over)]
        for service in (name for name in cluster.copies if name != "portal"):
            orgs = [f"{service}-{number}" for number in range(WRITERS)]
            asking += [pool.submit(write, cluster, service, org, told, over) for org in orgs]
        try:
            yield told
        finally:
            over.set()
            for done in asking:
                done.result()


def ids_of(client: httpx.Client, service: str) -> list[str]:
    """Return the ids of all that an organisation has, page after page."""
    found: list[str] = []
    path: str | None = f"/{service}/v1/{'policies' if service == 'kpi-engine' else 'calendars'}?limit=200"
    while path is not None:
        page = client.get(path)
        assert page.status_code == httpx.codes.OK, page.text
        found += [item["id"] for item in page.json()["items"]]
        path = page.links["next"]["url"] if "next" in page.links else None
    return found


def test_no_request_fails_while_every_copy_is_replaced(
    tmp_path: Path, postgres_server: PostgresServer, new_database: Callable[[str], Addresses]
) -> None:
    databases = {service: new_database(name) for service, name in DATABASE_OF_SERVICE.items()}
    with two_copies(tmp_path, postgres_server, databases, TOLD) as cluster:
        with load(cluster) as told, ThreadPoolExecutor(len(cluster.copies)) as pool:
            until(lambda: len(told.read) == SENDERS and min(told.read.values()) >= WARM_REQUESTS)
            for number in range(COPIES):  # each service by itself, as a cluster does it
                ends = pool.map(lambda name, number=number: cluster.restart(name, number), cluster.copies)
                assert set(ends) == {-signal.SIGTERM}

        assert told.failures == {}
        left_alone = [copy.seconds_left_alone() for copies in cluster.copies.values() for copy in copies]
        assert min(left_alone) > LEFT_ALONE_SECONDS_MIN
        assert told.read["portal"] > REQUESTS_MIN
        for org, sent in told.sent.items():
            assert sent > REQUESTS_MIN
            with cluster.client(org) as client:
                found = ids_of(client, org.rpartition("-")[0])
            assert sorted(found) == sorted(told.made[org])
            assert len(found) == sent == told.read[org]
