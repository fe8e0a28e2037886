"""Importing incidents in batches against one client that creates them one after the other.

`python tests/benchmarks/bench_import.py [folder]`. Both go through the gateway with everything on; the figure wanted is
that a batch of 1,000 brings in at least twenty times as many a second.
"""

import argparse
import json
from typing import Any

from measuring import measured, medians, publish
from stand import Stand, running_stand
from subjects import incidents, sent, target_of_gateway

SIZES = (100, 1000)
ROUNDS = 3
SECONDS = 2.0
WANTED = 20.0


def importing(stand: Stand) -> list[dict[str, Any]]:
    """Measure creates and batches in turn; gives a line each."""
    subject = incidents(stand)
    (create,) = subject.requests["create"]
    item = json.loads(create["body"])
    batches = {
        f"batch of {size:,}": [sent("POST", "/incidents:batch", {"items": _items(item, size)}, **create["headers"])]
        for size in SIZES
    }
    requests = {"create": [create], **batches}
    target = target_of_gateway(stand, subject, requests)
    seen: dict[str, list[dict[str, float]]] = {operation: [] for operation in requests}
    for _ in range(ROUNDS):
        for operation in requests:
            seen[operation].append(measured(target, operation, 1, SECONDS))
            stand.settle()
    sizes = {"create": 1} | dict(zip(batches, SIZES, strict=True))
    items_a_second = {name: medians(rounds)["per_second"] * sizes[name] for name, rounds in seen.items()}
    return [
        {
            "operation": name,
            "items_per_second": rate,
            "of_creates": rate / items_a_second["create"],
            "wanted": WANTED if sizes[name] == max(SIZES) else None,
            "p50_ms": medians(seen[name])["p50_ms"],
            "cpu_s_per_1000_items": medians(seen[name])["cpu"] / sizes[name],
        }
        for name, rate in items_a_second.items()
    ]


def _items(item: dict[str, Any], size: int) -> list[dict[str, Any]]:
    return [item | {"external_source": "import", "external_id": f"{{n}}-{n}"} for n in range(size)]


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
