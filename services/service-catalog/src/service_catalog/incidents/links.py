"""Links of an incident to another resource, as steps of its timeline: from which to which, and when."""

from collections.abc import Mapping, Sequence
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


def first_link(incident: Mapping[str, Any], name: str, steps: Sequence[Mapping[str, Any]]) -> UUID | str | None:
    """Return what an incident was linked to before the first of these steps: from its beginning on."""
    if not steps:
        found: UUID | None = incident[name]
        return found
    step = steps[0]
    was: str | None = step["details"].get("before") if step["to"] == LINKED else step["details"][name]
    return was
