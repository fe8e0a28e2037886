"""Importing incidents in batches against one client that creates them one after the other.

`python tests/benchmarks/bench_import.py [folder]`. Through the gateway, with everything on; the figure wanted is that a
batch of 1,000 brings in at least twenty times as many a second. The floor's batches, which write rows and nothing
else, are measured in turn with them: what they reach says how much of it is there to be reached.
"""

import argparse
import json
from dataclasses import replace
from typing import Any

from measuring import Request, measured, medians, publish, ratio
from stand import Stand, running_stand
from subjects import Subject, incidents, sent
from targets import running_floor, target_of_gateway, targets_of

SIZES = {"create": 1, "batch of 100": 100, "batch of 1,000": 1000}
ROUNDS = 3
SECONDS = 2.0
WANTED = {"batch of 1,000": 20.0}


def importing(stand: Stand) -> list[dict[str, Any]]:
    """Measure creates and batches of the floor and through the gateway in turn; gives a line each."""
    subject = of_sizes(incidents(stand))
    with running_floor(stand, subject) as process:
        floor = targets_of(stand, subject, process)[0]
        gateway = target_of_gateway(stand, subject)
        seen: dict[tuple[str, str], list[dict[str, float]]] = {}
        for _ in range(ROUNDS):
            for operation in SIZES:
                for target in (floor, gateway):
                    seen.setdefault((target.name, operation), []).append(measured(target, operation, 1, SECONDS))
                    stand.settle()
    creates = medians(seen["gateway", "create"])["per_second"]
    return [line(*key, seen, creates) for key in seen]


def line(
    target: str, operation: str, seen: dict[tuple[str, str], list[dict[str, float]]], creates: float
) -> dict[str, Any]:
    """Return what is shown of one target and operation; `creates` a second are those of one client."""
    found, size = medians(seen[target, operation]), SIZES[operation]
    return {
        "operation": operation,
        "target": target,
        "items_per_second": found["per_second"] * size,
        "of_creates": found["per_second"] * size / creates,
        "wanted": WANTED.get(operation) if target == "gateway" else None,
        "of_floor": ratio(seen[target, operation], seen["floor", operation]),
        "p50_ms": found["p50_ms"],
        "cpu_s_per_1000_items": found["cpu"] / size,
    }


def of_sizes(subject: Subject) -> Subject:
    """Return the same incidents with a batch of each size, for the floor as well."""
    (create,), (raw,) = subject.requests["create"], subject.floor_requests["create"]
    requests, floor_requests = {"create": [create]}, {"create": [raw]}
    for operation, size in SIZES.items():
        if size > 1:
            items = [item_of(create) | {"external_source": "import", "external_id": f"{{n}}-{n}"} for n in range(size)]
            requests[operation] = [sent("POST", "/incidents:batch", {"items": items}, **create["headers"])]
            floor_requests[operation] = [sent("POST", "/incident:batch", {"items": items})]
    return replace(subject, requests=requests, floor_requests={**subject.floor_requests, **floor_requests})


def item_of(create: Request) -> dict[str, Any]:
    """Return what a create sends."""
    item: dict[str, Any] = json.loads(create["body"])
    return item


def main() -> None:
    """Measure, print a table, and write it as JSON where a folder is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    asked = parser.parse_args()
    with running_stand() as stand:
        lines = importing(stand)
    publish("import", lines, asked.folder)


if __name__ == "__main__":
    main()
