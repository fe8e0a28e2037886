"""The ladder: the floor, a service, and the same service through the gateway, under the same requests.

`python tests/benchmarks/bench_ladder.py [folder] [--quick] [--subject incidents]`. With everything on: tokens,
row-level security, idempotency keys on creates and batches, events, structured log, metrics. The targets are ratios
to the floor in throughput through the gateway; the gateway's own is its throughput against the service's.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from measuring import load, measured, medians, publish, ratio
from stand import Stand, running_stand
from subjects import SUBJECTS, Subject
from targets import running_floor, targets_of

OPERATIONS = ("create", "get", "list 100", "batch of 100")
TARGETS = {"create": 0.30, "get": 0.33, "list 100": 0.75}
WARM_SECONDS = 0.4
SETTLE_SECONDS_MAX = 5.0
WARM_CLIENTS = 32


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    clients: Sequence[int]
    rounds: int
    seconds: float
    operations: Sequence[str] = OPERATIONS


WHOLE = {"incidents": Extent((1, 16, 64), 3, 1.0), "tasks": Extent((16,), 3, 1.0)}
QUICK = {"incidents": Extent((16,), 3, 0.7, OPERATIONS[:3])}


def ladder(stand: Stand, subject: Subject, extent: Extent) -> list[dict[str, Any]]:
    """Measure one subject; gives a line a target, operation and number of clients."""
    lines: list[dict[str, Any]] = []
    with running_floor(stand, subject) as floor:
        targets = targets_of(stand, subject, floor)
        for target in targets:
            for operation in extent.operations:
                load(target.port, target.requests[operation], WARM_CLIENTS, WARM_SECONDS)
        stand.settle()
        stand.tidy()
        for operation in extent.operations:
            for clients in extent.clients:
                seen: dict[str, list[dict[str, float]]] = {target.name: [] for target in targets}
                for _ in range(extent.rounds):
                    for target in targets:
                        seen[target.name].append(measured(target, operation, clients, extent.seconds))
                        stand.settle(SETTLE_SECONDS_MAX)
                lines += [line(subject.name, operation, clients, name, seen) for name in seen]
    return lines


def line(
    subject: str, operation: str, clients: int, name: str, seen: dict[str, list[dict[str, float]]]
) -> dict[str, Any]:
    """Return what is shown of one target under one load."""
    found = medians(seen[name])
    return {
        "of": subject,
        "operation": operation,
        "clients": clients,
        "target": name,
        "per_second": found["per_second"],
        "of_floor": ratio(seen[name], seen["floor"]),
        "wanted": TARGETS.get(operation) if name == "gateway" else None,
        "of_service": ratio(seen[name], seen["service"]) if name == "gateway" else None,
        "p50_ms": found["p50_ms"],
        "p99_ms": found["p99_ms"],
        "cpu_s_per_1000": found["cpu"],
        "application": found["cpu_application"],
        "database": found["cpu_database"],
        "gateway": found.get("cpu_gateway"),
    }


def main() -> None:
    """Measure, print a table, and write it as JSON where a folder is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--subject", choices=SUBJECTS)
    asked = parser.parse_args()
    extents = QUICK if asked.quick else WHOLE
    if asked.subject:
        extents = {asked.subject: WHOLE[asked.subject] if not asked.quick else QUICK["incidents"]}
    with running_stand() as stand:
        lines = [found for name, extent in extents.items() for found in ladder(stand, SUBJECTS[name](stand), extent)]
    publish("ladder", lines, asked.folder)


if __name__ == "__main__":
    main()
