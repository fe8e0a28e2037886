"""Which incidents an incident is part of; none is ever part of itself, over however many steps."""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.batch import identity_of
from chassis.database import Reading, Statement, Transaction
from chassis.past import Draft
from chassis.reading import find_to_change
from chassis.rejection import Fault, Rejection, invalid
from service_catalog.incidents.schemas import IncidentItem
from service_catalog.incidents.tables import INCIDENTS, incident

Parents = MutableMapping[UUID, UUID | None]
"""Of each incident the one that it is part of, if any."""

# One at a time gives incidents of an organisation a parent; held until the transaction ends, and taken before any row.
_LOCK = Statement(
    text("SELECT pg_advisory_xact_lock(hashtextextended('incident parents ' || :org, 0))").bindparams(
        bindparam("org", type_=Text)
    )
)
_up = (
    select(incident.c.id, incident.c.parent_id)
    .where(incident.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    .cte(recursive=True)
)
_WAYS_UP = Statement(
    select(_up.union(select(incident.c.id, incident.c.parent_id).where(incident.c.id == _up.c.parent_id)))
)


async def lock(tx: Transaction, *, child: UUID | None = None, parent: UUID | None = None) -> None:
    """Let nobody else give parents until the transaction ends; rows are locked in the order of their ids."""
    await tx.run(_LOCK, org=tx.caller.org)
    if child is not None and parent is not None and parent < child:
        await find_to_change(tx, INCIDENTS, parent)


async def parents_above(tx: Reading, ids: Collection[UUID]) -> Parents:
    """Return the parents of incidents, of what they are part of, and so on."""
    return {row["id"]: row["parent_id"] for row in await tx.all(_WAYS_UP, ids=sorted(ids))}


def refuse_circle(child: UUID, parent: UUID, parents: Mapping[UUID, UUID | None]) -> Rejection | None:
    """Refuse a parent that is the incident itself or part of it."""
    above: UUID | None = parent
    while above is not None and above != child:
        above = parents.get(above)
    return None if above is None else invalid(Fault("/parent_id", "cycle", "An incident is no part of itself."))


async def without_circles(
    tx: Transaction,
    items: Sequence[IncidentItem | Rejection],
    drafts: Sequence[Draft | Rejection],
    known: Mapping[Any, Any],
) -> list[Draft | Rejection]:
    """Refuse what would make an incident part of itself, given the items before it; new ones are above nothing."""
    children: dict[int, tuple[UUID, UUID]] = {}
    for place, (item, draft) in enumerate(zip(items, drafts, strict=True)):
        if isinstance(item, Rejection) or item.parent_id is None or not isinstance(draft, Draft):
            continue
        row = known.get(identity_of(INCIDENTS, item.__dict__))
        if row is not None:
            children[place] = (row["id"], item.parent_id)
    told = list(drafts)
    if not children:
        return told
    parents = await parents_above(tx, {parent for _, parent in children.values()})
    for place, (child, parent) in children.items():
        refusal = refuse_circle(child, parent, parents)
        if refusal is None:
            parents[child] = parent
        else:
            told[place] = refusal
    return told
