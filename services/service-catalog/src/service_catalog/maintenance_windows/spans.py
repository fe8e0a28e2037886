"""What makes the spans of a maintenance window sound ones, and which state they tell of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.rejection import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """When a window is planned, when it really was, and when it was announced."""

    planned_start: datetime
    planned_end: datetime
    actual_start: datetime | None
    actual_end: datetime | None
    announced_at: datetime

    def faults(self, now: datetime) -> list[Fault]:
        """Return what is wrong: ends come after starts, and only what is planned lies in the future."""
        faults = []
        if self.planned_end <= self.planned_start:
            faults.append(Fault("/planned_end", "before-start", "A window ends after its start."))
        for name in ("actual_start", "actual_end", "announced_at"):
            instant = getattr(self, name)
            if instant is not None and instant > now:
                faults.append(Fault(f"/{name}", "in-the-future", "This is told when it has happened."))
        if self.actual_start and self.actual_end and self.actual_end < self.actual_start:
            faults.append(Fault("/actual_end", "before-start", "A window ends at or after its start."))
        return faults

    @property
    def state(self) -> str:
        """The state of a window of which nothing else is known."""
        if self.actual_end is not None:
            return "completed"
        return "in_progress" if self.actual_start is not None else "scheduled"

    def faults_of_state(self, state: str) -> list[Fault]:
        """Return what of the actual span a window in this state lacks, and what it cannot have yet."""
        faults = []
        for name, states in REACHED.items():
            is_told = getattr(self, name) is not None
            if is_told and state not in states:
                faults.append(Fault(f"/{name}", "state-not-reached", f"A window that is {state} has none."))
            elif not is_told and name in NEEDED.get(state, ()):
                faults.append(lacking(state, name))
        return faults

    def as_planned(self, now: datetime) -> "Spans":
        """Return what is known of a completed window: it took place as planned where nothing else is told.

        Nothing is taken to have happened that lies in the future, or ends before it begins.
        """
        start, end = self.actual_start, self.actual_end
        if start is None and self.planned_start <= (end or now):
            start = self.planned_start
        if end is None and start is not None and start <= self.planned_end <= now:
            end = self.planned_end
        return replace(self, actual_start=start, actual_end=end)

    def begun_at(self, state: str, now: datetime) -> datetime:
        """Return since when a window is in a state, as its actual span tells it; else since now."""
        return {"in_progress": self.actual_start, "completed": self.actual_end}.get(state) or now


def lacking(state: str, name: str) -> Fault:
    """Return that an instant is missing on which a state rests."""
    return Fault(f"/{name}", "missing", f"A window that is {state} has one.")


REACHED: Mapping[str, frozenset[str]] = {
    "actual_start": frozenset({"in_progress", "completed", "cancelled"}),
    "actual_end": frozenset({"completed"}),
}
"""The states in which there is an instant of the actual span."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "in_progress": ("actual_start",),
    "completed": ("actual_start", "actual_end"),
}
"""The instants of the actual span on which a state rests."""
SPAN_FIELDS = ("planned_start", "planned_end", "actual_start", "actual_end", "announced_at")
