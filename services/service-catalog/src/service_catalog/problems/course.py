"""Which steps a problem went through, given when it was identified."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis.history import Course, Entry
from service_catalog.problems.lifecycle import LIFECYCLE


def identified(before: datetime, at: datetime) -> Course:
    """Return what makes of the steps of a problem those of one that was identified `at` another time than `before`.

    It begins then, where it began so, but after none of its other steps.
    """

    def begun(recorded: Sequence[Entry]) -> Sequence[Entry]:
        first = next(step for step in recorded if step.from_state is None)
        if (first.to_state, first.at) != (LIFECYCLE.initial, before):
            return recorded
        later = [step for step in recorded if step is not first]
        return [replace(first, at=min([at, *(step.at for step in later)])), *later]

    return begun
