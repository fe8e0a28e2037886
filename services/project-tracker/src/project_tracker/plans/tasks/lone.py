"""A new task for which nothing else of the plan moves: its place is found by the statement that adds it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Select, Text, Uuid, and_, bindparam, func, literal_column, not_, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from project_tracker.plans.tables import task
from project_tracker.plans.tasks.outline import SUMMARY, prefixes
from project_tracker.plans.tasks.schemas import NewTask
from project_tracker.projects.operations import holding

_AFTER_THE_DOT = chr(ord(".") + 1)
_PROJECT = bindparam("place_project_id", type_=Uuid)
_OF_PROJECT = task.c.project_id == _PROJECT
_CURRENCY = bindparam("place_currency", type_=Text)
_NAMES_PARENT = bindparam("place_names_parent", type_=Boolean)

_PARENT = (
    select(task.c.id, task.c.kind)
    .where(_OF_PROJECT, task.c.wbs == func.any(bindparam("place_above", type_=ARRAY(Text))))
    .order_by(func.length(task.c.wbs).desc())
    .limit(literal_column("1"))
    .subquery("parent")
)
_BELOW: Select[Any] = select(literal_column("1")).where(
    _OF_PROJECT,
    task.c.wbs >= bindparam("place_first_below", type_=Text),
    task.c.wbs < bindparam("place_first_beyond", type_=Text),
)
_PLAN = holding(_PROJECT).cte("plan")

PLACE = (
    select(_PLAN.c.currency, _PARENT.c.id.label("parent_id"))
    .select_from(_PLAN.outerjoin(_PARENT, true()))
    .where(
        or_(_CURRENCY.is_(None), _PLAN.c.currency == _CURRENCY),
        or_(
            _PARENT.c.kind == literal_column(f"'{SUMMARY}'"),
            and_(_PARENT.c.id.is_(None), not_(_NAMES_PARENT)),
        ),
        not_(_BELOW.exists()),
    )
)
"""The currency of a new task's project, which it holds, and the task it lies below.

No row, where it is not that simple: the project takes no tasks or is of another currency, the task above is no summary
yet or not there, or tasks lie below the new one.
"""


def place_of(project_id: UUID, new: NewTask, currency: str | None) -> dict[str, Any]:
    """Return what `PLACE` takes for a new task; `currency` is that of its money, if it has any."""
    return {
        "place_project_id": project_id,
        "place_currency": currency,
        "place_names_parent": new.parent_wbs is not None,
        "place_above": [*prefixes(new.wbs)] if new.parent_wbs is None else [new.parent_wbs],
        "place_first_below": f"{new.wbs}.",
        "place_first_beyond": f"{new.wbs}{_AFTER_THE_DOT}",
    }
