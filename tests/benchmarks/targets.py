"""Where the requests of a subject go: to the floor, to the service, or through the gateway."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from measuring import Request, Target
from stand import ORG, Stand
from subjects import Subject
from whole_platform import free_port

from tandem_local.run import answer

FLOOR = Path(__file__).with_name("floor.py")
FLOOR_START_SECONDS = 10.0


@contextmanager
def running_floor(stand: Stand, subject: Subject) -> Iterator[tuple[int, int]]:
    """Run the floor for the block; gives its port and its process."""
    port = free_port()
    with subprocess.Popen([sys.executable, str(FLOOR)], stdin=subprocess.PIPE, text=True) as process:
        try:
            if process.stdin is not None:
                process.stdin.write(description(stand, subject, port))
                process.stdin.close()
            path = subject.floor_requests["get"][0]["path"]
            deadline = time.monotonic() + FLOOR_START_SECONDS
            while answer(port, path)[0] == 0 and time.monotonic() < deadline:
                time.sleep(0.05)
            yield port, process.pid
        finally:
            process.terminate()


def targets_of(stand: Stand, subject: Subject, floor: tuple[int, int]) -> list[Target]:
    """Return what is measured in turn."""
    processes = stand.processes
    database = {"database": processes["postgres"]}
    service = database | {"application": processes[f"{subject.service}-serve"]}
    return [
        Target("floor", floor[0], subject.floor_requests, database | {"application": floor[1]}),
        Target("service", stand.ports[subject.service], prefixed(subject.requests, "/v1", **stand.headers), service),
        target_of_gateway(stand, subject),
    ]


def description(stand: Stand, subject: Subject, port: int) -> str:
    """Return what the floor is told on its standard input."""
    told = {"port": port, "database": stand.database(subject.service), "org": ORG, **subject.floor}
    return json.dumps(told)


def prefixed(requests: Mapping[str, Sequence[Request]], prefix: str, **headers: str) -> dict[str, list[Request]]:
    """Return requests as they are sent to a service, directly or through the gateway."""
    return {
        operation: [
            request | {"path": prefix + request["path"], "headers": request["headers"] | headers} for request in those
        ]
        for operation, those in requests.items()
    }


def target_of_gateway(stand: Stand, subject: Subject) -> Target:
    """Return the way through the gateway, with everything on."""
    prefix, processes = f"/{subject.service}/v1", stand.processes
    parts = {
        "database": processes["postgres"],
        "application": processes[f"{subject.service}-serve"],
        "gateway": processes["envoy"],
    }
    return Target("gateway", stand.gateway_port, prefixed(subject.requests, prefix, **stand.headers), parts)
