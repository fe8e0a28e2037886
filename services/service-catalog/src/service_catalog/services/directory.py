"""Which services there are, for the slices whose resources belong to one."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Reading, Statement, Transaction
from chassis.reading import refuse_unknown
from chassis.rejection import Fault, Rejection, invalid, not_found
from service_catalog.services.tables import service

_NAMED = (
    select(service.c.id, service.c.key)
    .where(
        or_(
            service.c.key == func.any(bindparam("keys", type_=ARRAY(Text))),
            service.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
        )
    )
    .order_by(service.c.id)
)
_FIND = Statement(_NAMED.with_for_update(of=service, read=True, key_share=True))
_HOLD = Statement(_NAMED.with_for_update(of=service, read=True))
_LOCK = Statement(
    select(service.c.id).where(service.c.id == bindparam("id", type_=Uuid)).with_for_update(of=service, key_share=True)
)
_CALENDARS = Statement(
    select(service.c.id, service.c.calendar_id).where(
        service.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1)))
    )
)
_CLOSING = Statement(
    select(service.c.id, service.c.incidents_close_after_days).where(
        service.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid, dimensions=1)))
    )
)
_LOCK_MANY = Statement(
    select(service.c.id)
    .where(service.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(service.c.id)
    .with_for_update(of=service, key_share=True)
)
CARD = "SELECT id, key, name, state FROM service"
"""What other slices' statements may show of a service."""
_CARD = Statement(text(f"{CARD} WHERE id = :id").bindparams(bindparam("id", type_=Uuid)))
_CARDS = Statement(text(f"{CARD} WHERE id = ANY(:ids)").bindparams(bindparam("ids", type_=ARRAY(Uuid))))


@dataclass(frozen=True, slots=True)
class Known:
    """The services that were found among those asked for."""

    by_key: Mapping[str, UUID]
    ids: frozenset[UUID]

    def id_of(self, service_id: UUID | None, service_key: str | None, name: str = "service") -> UUID | Rejection:
        """Return the id of the service named by its id or else by its key, or why there is none.

        There is none where it does not exist, and where the id and the key name two. `name` is what the fields that
        name it begin with.
        """
        if service_id is not None:
            if service_id not in self.ids:
                return refuse_unknown("service", f"/{name}_id")
            if service_key is not None and self.by_key.get(service_key) != service_id:
                return invalid(Fault(f"/{name}_key", "named-differently", "The id names another service than the key."))
            return service_id
        found = self.by_key.get(service_key or "")
        return refuse_unknown("service", f"/{name}_key") if found is None else found

    def service_of(self, item: Any, row: Mapping[str, Any] | None) -> UUID | Rejection:
        """Return whose resource an item of a batch is; one that is known already (its row) may leave it unsaid."""
        if item.service_id is not None or item.service_key is not None:
            return self.id_of(item.service_id, item.service_key)
        if row is None:
            return invalid(Fault("/service_id", "missing", "The service is named by service_id or service_key."))
        found: UUID = row["service_id"]
        return found


async def find_services(tx: Transaction, *, keys: Iterable[str | None] = (), ids: Iterable[UUID | None] = ()) -> Known:
    """Return those of the services that exist, in one statement; none is deleted before the transaction ends."""
    return await _known(tx, _FIND, keys, ids)


async def hold_services(tx: Transaction, *, keys: Iterable[str | None] = (), ids: Iterable[UUID | None] = ()) -> Known:
    """Do what `find_services` does; until the transaction ends none of them changes either."""
    return await _known(tx, _HOLD, keys, ids)


async def lock_service(tx: Transaction, id_: UUID) -> bool:
    """Lock a service against changes until the transaction ends; False says that it does not exist."""
    return await tx.value(_LOCK, id=id_) is not None


async def calendars_of(tx: Reading, ids: Collection[UUID]) -> Mapping[UUID, UUID | None]:
    """Return the calendars of services' agreed hours; a service may have none."""
    return {row["id"]: row["calendar_id"] for row in await tx.all(_CALENDARS, ids=sorted(ids))}


async def closing_days_of(tx: Reading, ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return after how many days the incidents of services close that stay resolved."""
    return {row["id"]: row["incidents_close_after_days"] for row in await tx.all(_CLOSING, ids=sorted(ids))}


async def lock_services(tx: Transaction, ids: Iterable[UUID]) -> None:
    """Lock services against changes until the transaction ends, in the order of their ids."""
    await tx.run(_LOCK_MANY, ids=sorted(ids))


async def service_card(tx: Reading, id_: UUID) -> Any:
    """Return id, key, name and state of a service, or refuse as `not-found`."""
    row = await tx.one(_CARD, id=id_)
    if row is None:
        raise not_found("service")
    return row


async def service_cards(tx: Reading, ids: Iterable[UUID]) -> Mapping[UUID, Any]:
    """Return id, key, name and state of those of the services that exist."""
    return {row["id"]: row for row in await tx.all(_CARDS, ids=list(ids))}


async def _known(
    tx: Transaction, statement: Statement, keys: Iterable[str | None], ids: Iterable[UUID | None]
) -> Known:
    wanted_keys = sorted({key for key in keys if key is not None})
    wanted_ids = sorted({id_ for id_ in ids if id_ is not None})
    rows = await tx.all(statement, keys=wanted_keys, ids=wanted_ids)
    return Known({row["key"]: row["id"] for row in rows}, frozenset(row["id"] for row in rows))
