"""What is wrong with a calendar as it is given, place by place."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from chassis.rejection import Fault
from chassis.working_time import is_zone

_HOURS_MAX = {"hours_per_day": Decimal(24), "hours_per_week": Decimal(168)}


def faults_of(calendar: Mapping[str, Any]) -> list[Fault]:
    """Return every fault of a calendar's own values."""
    faults = [] if is_zone(calendar["timezone"]) else [Fault("/timezone", "timezone-unknown", "There is no such zone.")]
    faults += _of_intervals("weekly", "weekday", calendar["weekly"])
    faults += _of_intervals("exceptions", "date", calendar["exceptions"])
    dates = [entry["date"] for entry in calendar["exceptions"]]
    faults += (
        Fault(f"/exceptions/{index}/date", "repeated", "This date has an exception already.")
        for index, date in enumerate(dates)
        if date in dates[:index]
    )
    if calendar["holiday_country"] is None and calendar["holiday_subdivision"] is not None:
        faults.append(Fault("/holiday_subdivision", "country-missing", "A subdivision belongs to a country."))
    for name, most in _HOURS_MAX.items():
        hours = calendar[f"own_{name}"]
        if hours is not None and not 0 < hours <= most:
            faults.append(Fault(f"/{name}", "out-of-range", f"This lies above 0 and at most {most}."))
    return faults


def _of_intervals(collection: str, by: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[Fault]:
    """Give the intervals that do not end after they start, and those that overlap another one of the same day."""
    taken: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for number, entry in enumerate(entries):
        for place, (start, end) in enumerate(entry["intervals"]):
            at = f"/{collection}/{number}/intervals/{place}"
            if end <= start:
                yield Fault(
                    at, "before-start", "An interval ends after it starts; one across midnight is written as two."
                )
            elif any(start < other_end and other_start < end for other_start, other_end in taken[entry[by]]):
                yield Fault(at, "overlapping", "The intervals of a day do not overlap.")
            taken[entry[by]].append((start, end))
