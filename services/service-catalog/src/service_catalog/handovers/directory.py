"""What became of the handovers of a service, for the guards that ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Reading, Statement, Transaction
from service_catalog.handovers.tables import handover

_STANDING = Statement(
    select(handover.c.project_id, handover.c.state)
    .where(handover.c.service_id == bindparam("service_id", type_=Uuid))
    .where(handover.c.state.in_([literal_column("'requested'"), literal_column("'accepted'")]))
)
_UNDECIDED = Statement(
    select(handover.c.service_id)
    .where(handover.c.service_id == func.any(bindparam("service_ids", type_=ARRAY(Uuid))))
    .where(handover.c.state == literal_column("'requested'"))
)


@dataclass(frozen=True, slots=True)
class Handed:
    """Whether the project of a service has handed it over, and with what success.

    A handover that was rejected counts for nothing. `undecided` is said of any project's handover.
    """

    received: bool
    accepted: bool
    undecided: bool


async def handed_over(tx: Reading, service_id: UUID, project_id: UUID | None) -> Handed:
    """Return what became of a service's handovers by the project it is linked to."""
    rows = await tx.all(_STANDING, service_id=service_id)
    own = {row["state"] for row in rows if row["project_id"] == project_id}
    return Handed(
        received=bool(own),
        accepted="accepted" in own,
        undecided=any(row["state"] == "requested" for row in rows),
    )


async def undecided_among(tx: Transaction, service_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the services with a handover that nobody has decided."""
    if not service_ids:
        return frozenset()
    return frozenset(row["service_id"] for row in await tx.all(_UNDECIDED, service_ids=service_ids))
