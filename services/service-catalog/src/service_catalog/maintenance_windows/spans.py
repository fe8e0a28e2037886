"""What makes the spans of a maintenance window sound ones, and which state they tell of."""

from dataclasses import dataclass
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


SPAN_FIELDS = ("planned_start", "planned_end", "actual_start", "actual_end", "announced_at")
