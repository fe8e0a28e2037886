"""Workers are killed again and again under load: no event is lost, none comes twice, the order holds."""

import contextlib
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from whole_platform import Platform

WRITERS = 32
CHANGES_EACH = 12
KILL_EVERY_SECONDS = 0.7
SETTLE_SECONDS_MAX = 60
SERVICES = ("service-catalog", "project-tracker")
READER = "kpi-engine"
LOG_START = "0000000001.0000000000000000000"
CALENDAR = {
    "name": "n0",
    "timezone": "UTC",
    "weekly": [{"weekday": "monday", "intervals": [["08:00", "12:00"]]}],
}


@contextlib.contextmanager
def killing(platform: Platform, service: str) -> Iterator[list[int]]:
    """Kill a service's worker whenever it runs, until the block ends."""
    over, killed = threading.Event(), []

    def kill() -> None:
        while not over.wait(KILL_EVERY_SECONDS):
            pid = platform.worker_pid(service)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


def write(platform: Platform, token: str, service: str, org_events: list[str]) -> None:
    """Create a calendar and change it, one change after the other."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{platform.address}/{service}/v1", headers=headers, timeout=60) as client:
        response = client.post("/calendars", json=CALENDAR)
        assert response.status_code == httpx.codes.CREATED, response.text
        org_events.append(response.headers["event-id"])
        path = f"/calendars/{response.json()['id']}"
        for number in range(1, CHANGES_EACH + 1):
            condition = {"If-Match": response.headers["etag"]}
            response = client.patch(path, json={"name": f"n{number}"}, headers=condition)
            assert response.status_code == httpx.codes.OK, response.text
            org_events.append(response.headers["event-id"])


def read_log(client: httpx.Client, service: str) -> list[dict[str, Any]]:
    """Read an organisation's whole log by the feed."""
    events: list[dict[str, Any]] = []
    path: str | None = f"/{service}/v1/events?limit=1000"
    while path is not None:
        response = client.get(path)
        assert response.status_code == httpx.codes.OK, response.text
        batch = response.json()
        events += batch
        path = response.links["next"]["url"] if batch else None
    return events


def wait_until_read(client: httpx.Client, service: str) -> None:
    """Wait until kpi-engine has read all of a service's log, and nothing of it was put aside."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        sources = client.get("/kpi-engine/v1/projection").json()["items"]
        for source in sources:
            is_read = source["lag_positions"] == 0 and source["position"] == source["head"]
            if source["source"] == service and is_read and source["position"] > LOG_START:
                assert source["quarantined"] == 0
                return
        assert time.monotonic() < deadline, sources
        time.sleep(0.2)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_lost_or_doubled_and_the_order_holds(platform: Platform, service: str) -> None:
    org = f"killed-{service}"
    token = platform.token(org)
    written: list[str] = []
    with (
        killing(platform, service) as killed,
        killing(platform, READER) as readers_killed,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        for done in [pool.submit(write, platform, token, service, written) for _ in range(WRITERS)]:
            done.result()
    assert killed
    assert readers_killed
    assert len(written) == WRITERS * (CHANGES_EACH + 1)

    with platform.client(org) as client:
        wait_until_read(client, service)
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        events = read_log(client, service)
        while len(events) < len(written) and time.monotonic() < deadline:
            time.sleep(0.2)
            events = read_log(client, service)

    assert sorted(event["id"] for event in events) == sorted(written)
    versions: dict[str, list[int]] = defaultdict(list)
    for event in events:
        versions[event["subject"]].append(int(event["aggregateversion"]))
    assert len(versions) == WRITERS
    assert all(seen == list(range(1, CHANGES_EACH + 2)) for seen in versions.values())
    positions = [int(event["sequence"].rpartition(".")[2]) for event in events]
    assert positions == list(range(positions[0], positions[0] + len(positions)))
