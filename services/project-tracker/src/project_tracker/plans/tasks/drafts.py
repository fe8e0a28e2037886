"""What a client says of a task, as the columns that keep it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from chassis.rejection import Fault, invalid
from project_tracker.projects.drafts import amount_of

_MONEY = frozenset({"budget", "fixed_budget"})
# Where these lie follows from the whole tree.
IN_TREE = frozenset({"parent_wbs", "kind"})
NEVER_NULL = frozenset({"name", "percent_complete"})


def columns(sent: BaseModel, names: frozenset[str], currency: str) -> dict[str, Any]:
    """Return these fields as columns, but for the place in the tree."""
    drafted: dict[str, Any] = {}
    for name in _in_order(names):
        value = getattr(sent, name)
        if name in _MONEY:
            drafted[name] = amount_of(value, currency, f"/{name}")
        elif name == "constraint":
            drafted |= {"constraint_type": value and value.type, "constraint_at": value and value.at}
        elif name == "estimate":
            drafted[name] = value and value.model_dump(mode="json")
        else:
            drafted[name] = value
    return drafted


@lru_cache  # tasks mostly name the same fields
def _in_order(names: frozenset[str]) -> tuple[str, ...]:
    """Return the fields that are columns, the same fields always in the same order: statements are kept by it."""
    return tuple(sorted(names - IN_TREE))


def refuse_reversed(row: Mapping[str, Any]) -> None:
    """Refuse a task that ended before it began."""
    start, finish = row.get("actual_start_at"), row.get("actual_finish_at")
    if start is not None and finish is not None and finish < start:
        message = "A task does not finish before it starts."
        raise invalid(Fault("/actual_finish_at", "before-start", message))
