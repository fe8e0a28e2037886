"""Guards of a service that are waived: each only once, and only one that stands in the way."""

from collections.abc import Sequence
from typing import Any

from chassis.rejection import Fault, UnmetGuard, invalid


def judged(waivers: Sequence[Any], unmet: Sequence[UnmetGuard], *, actor: str) -> dict[str, dict[str, Any]]:
    """Return what is kept of each waiver, by its guard; refuse those of guards that do not stand in the way."""
    messages = {guard.code: guard.message for guard in unmet}
    faults: list[Fault] = []
    kept: dict[str, dict[str, Any]] = {}
    for place, waiver in enumerate(waivers):
        pointer = f"/waivers/{place}/guard"
        if waiver.guard in kept:
            faults.append(Fault(pointer, "repeated", "This guard is waived already."))
        elif waiver.guard not in messages:
            faults.append(Fault(pointer, "not-unmet", "This guard does not stand in the way."))
        kept[waiver.guard] = {
            "guard": waiver.guard,
            "message": messages.get(waiver.guard),
            "reason": waiver.reason,
            "approver": waiver.approver or actor,
        }
    if faults:
        raise invalid(*faults)
    return kept
