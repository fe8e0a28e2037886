"""Which catalogue items there are, for the requests for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Statement, Transaction
from chassis.reading import refuse_unknown
from chassis.rejection import Fault, invalid
from service_catalog.catalogue_items.tables import catalogue_item
from service_catalog.services.directory import service_cards

_TOLD = (
    *("id", "key", "service_id", "state", "form_schema", "form_version", "approval_required"),
    *("fulfilment_target_minutes", "calendar_id", "fulfilment_team"),
)
_FIND = Statement(
    select(*(catalogue_item.c[name] for name in _TOLD))
    .where(
        or_(
            catalogue_item.c.key == func.any(bindparam("keys", type_=ARRAY(Text))),
            catalogue_item.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
        )
    )
    .order_by(catalogue_item.c.id)
    .with_for_update(of=catalogue_item, read=True)
)


def items_for(approver: ColumnElement[Any]) -> Select[Any]:
    """Return the ids of the items whose requests somebody is to approve, for a condition of another selection."""
    return select(catalogue_item.c.id).where(catalogue_item.c.approver == approver)


@dataclass(frozen=True, slots=True)
class KnownItems:
    """The catalogue items that were found among those asked for."""

    by_key: Mapping[str, Any]
    by_id: Mapping[UUID, Any]

    def named(self, id_: UUID | None, key: str | None) -> Any:
        """Return the item named by its id or else by its key; a rejection where there is none, or two are named."""
        found = self.by_id.get(id_) if id_ is not None else self.by_key.get(key or "")
        place = "/catalogue_item_id" if id_ is not None else "/catalogue_item_key"
        if found is None:
            return refuse_unknown("catalogue item", place)
        if key is not None and found["key"] != key:
            message = "The id names another catalogue item than the key."
            return invalid(Fault("/catalogue_item_key", "named-differently", message))
        return found


async def find_items(
    tx: Transaction, *, keys: Iterable[str | None] = (), ids: Iterable[UUID | None] = ()
) -> KnownItems:
    """Return those of the items that exist, each with its `service_state`; none changes before the transaction ends."""
    wanted_keys = sorted({key for key in keys if key is not None})
    wanted_ids = sorted({id_ for id_ in ids if id_ is not None})
    found = await tx.all(_FIND, keys=wanted_keys, ids=wanted_ids)
    services = await service_cards(tx, {row["service_id"] for row in found})
    rows = [dict(row) | {"service_state": services[row["service_id"]]["state"]} for row in found]
    return KnownItems({row["key"]: row for row in rows}, {row["id"]: row for row in rows})
