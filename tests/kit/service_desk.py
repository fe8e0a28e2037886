"""Reads the incidents of the BPI Challenge 2013 into the shapes of the API.

65,533 status changes of 7,554 real incidents at a vehicle maker (Apache-2.0); read from beside the repository, or from
where TANDEM_DATA says.
"""

import csv
import lzma
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import dslib

FILE = dslib.PROJECTS.parents[1] / "incidents" / "VINST-new.csv.xz"
IMPACTS = {"Low": "low", "Medium": "medium", "High": "high", "Major": "high"}
STATES = {
    "Awaiting Assignment": "acknowledged",
    "Assigned": "acknowledged",
    "Unmatched": "acknowledged",
    "In Progress": "in_progress",
    "Resolved": "resolved",
    "In Call": "resolved",
    "Closed": "closed",
    "Cancelled": "cancelled",
}
HOLD_REASONS = {
    "Wait - User": "awaiting_caller",
    "Wait - Customer": "awaiting_caller",
    "Wait - Vendor": "awaiting_vendor",
}


@cache
def cases() -> dict[str, list[dict[str, str]]]:
    """Return each incident's entries in the order of their instants."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with lzma.open(FILE, "rt", encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            found[row["SR Number"]].append(row)
    return {number: sorted(rows, key=at_of) for number, rows in found.items()}


def at_of(row: dict[str, str]) -> datetime:
    """Return the instant of an entry."""
    return datetime.fromisoformat(row["Change Date+Time"]).astimezone(UTC)


def items(service_key: str) -> Iterator[dict[str, Any]]:
    """Yield the incidents as items of a batch, each with all it went through."""
    for number, rows in cases().items():
        steps = [_step(row) for row in rows]
        yield {
            "external_source": "desk",
            "external_id": number,
            "service_key": service_key,
            "title": f"Incident {number} of {rows[-1]['Product']}",
            "impact": IMPACTS[rows[-1]["SR Latest Impact"]],
            "urgency": "medium",
            "major": rows[-1]["SR Latest Impact"] == "Major",
            "occurred_at": steps[0]["at"],
            "history": steps,
        }


def _step(row: dict[str, str]) -> dict[str, str]:
    at = at_of(row).isoformat().replace("+00:00", "Z")
    told = row["Sub Status"]
    if told.startswith("Wait"):
        return {"state": "on_hold", "at": at, "hold_reason": HOLD_REASONS.get(told, "other")}
    return {"state": STATES[told], "at": at}
