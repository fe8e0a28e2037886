"""Links of an incident to another resource, as steps of its timeline: from which to which, and when."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.history import Entry

LINKED = "linked"
UNLINKED = "unlinked"


def link_steps(
    before: Mapping[str, Any], name: str, changes: Mapping[str, Any], at: datetime, **told: Any
) -> list[Entry]:
    """Return the step by which the link called `name` changes, if it does; what is `told` goes into its details."""
    was, now_is = before[name], changes.get(name, before[name])
    if was == now_is:
        return []
    details = (
        {name: str(was)} if now_is is None else {name: str(now_is), **told} | ({"before": str(was)} if was else {})
    )
    return [Entry(resource_id=before["id"], at=at, to_state=UNLINKED if now_is is None else LINKED, details=details)]


def child_steps(steps: Iterable[Entry]) -> list[Entry]:
    """Return the steps that the parents get where incidents have become parts of them, or are parts no longer."""
    found = []
    for step in steps:
        if "before" in step.details:
            found.append(child_step(step.details["before"], step.resource_id, UNLINKED, step.at))
        found.append(child_step(step.details["parent_id"], step.resource_id, step.to_state, step.at))
    return found


def child_step(parent: UUID | str, child: UUID, to: str, at: datetime) -> Entry:
    """Return the step by which an incident becomes a part of a parent, or is one no longer, to that parent."""
    return Entry(resource_id=UUID(str(parent)), at=at, to_state=to, details={"child_id": str(child)})


def first_link(incident: Mapping[str, Any], name: str, steps: Sequence[Mapping[str, Any]]) -> UUID | str | None:
    """Return what an incident was linked to before the first of these steps: from its beginning on."""
    if not steps:
        found: UUID | None = incident[name]
        return found
    step = steps[0]
    was: str | None = step["details"].get("before") if step["to"] == LINKED else step["details"][name]
    return was
