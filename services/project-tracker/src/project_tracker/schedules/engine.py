"""The one entrance: a plan and perhaps a status time in, its schedule out."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from chassis.working_time import to_instant, to_second
from project_tracker.schedules.backward import Backward
from project_tracker.schedules.findings import Findings
from project_tracker.schedules.forward import Forward
from project_tracker.schedules.network import Network
from project_tracker.schedules.plan import Plan, PlanFault, PlanRefusedError
from project_tracker.schedules.rows import rows_of
from project_tracker.schedules.schedule import Schedule


def compute_schedule(plan: Plan, status_at: datetime | None = None) -> Schedule:
    """Compute the schedule of a plan; with a status time, remaining work starts no earlier than it.

    Raises PlanRefusedError with every fault where links, tree or calendars allow no schedule.
    """
    try:
        with _collector_paused():
            return _computed(plan, None if status_at is None else to_second(status_at))
    except PlanRefusedError:
        raise
    except ValueError as error:
        raise PlanRefusedError([PlanFault("time_out_of_range", str(error))]) from error


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector: a schedule makes many objects and no cycle, so every search is in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _computed(plan: Plan, status: int | None) -> Schedule:
    network = Network(plan)
    start = to_instant(to_second(plan.start_at))
    if not network.tasks:
        return Schedule(start, start, (), ())
    forward = Forward(network, status)
    forward.run()
    backward = Backward(forward)
    backward.run()
    rows = rows_of(backward)
    warnings = tuple(Findings(backward, rows).all())
    return Schedule(start, to_instant(backward.last), tuple(rows), warnings)
