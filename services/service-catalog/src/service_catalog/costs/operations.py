"""The use cases of a service's costs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.batch import identity_of, known_rows, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Statement
from chassis.keys import command, conclude
from chassis.outcome import Mode, Written
from chassis.reader import Reader
from chassis.reading import get_to_change
from chassis.rejection import Rejection, invalid
from chassis.writing import add
from service_catalog.costs import importing
from service_catalog.costs.accounting import faults_of
from service_catalog.costs.schemas import CostItem, CostReversal, NewCost
from service_catalog.costs.tables import COSTS, cost
from service_catalog.services.directory import find_services

_KEPT = (
    "service_id",
    "category",
    "nature",
    "currency",
    "period_start",
    "period_end",
    "useful_life_months",
    "vendor",
    "reference",
)
_REVERSED = Statement(
    select(cost.c.reversal_of).where(cost.c.reversal_of == func.any(bindparam("ids", type_=ARRAY(Uuid))))
)


class Costs:
    """What services cost."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, COSTS, seal)
        self.get, self.list = reader.get, reader.list

    async def create(self, caller: Caller, new: NewCost) -> Written:
        """Book a cost."""
        faults = faults_of(new.nature, new.useful_life_months, new.period_start, new.period_end)
        if faults:
            raise invalid(*faults)
        values: dict[str, Any] = {name: getattr(new, name) for name in type(new).model_fields if name != "amount"}
        values |= {"amount": new.amount.amount, "currency": new.amount.currency, "reversal_of": None}
        async with command(self._database, caller) as tx:
            return await add(tx, COSTS, values)

    async def batch(self, caller: Caller, items: Sequence[CostItem | Rejection], mode: Mode) -> Written:
        """Book many; those with an external id that is known are brought up to date, unless they were reversed."""
        sound = [item for item in items if isinstance(item, CostItem)]
        async with command(self._database, caller) as tx:
            services = await find_services(
                tx, keys=(item.service_key for item in sound), ids=(item.service_id for item in sound)
            )
            known = await known_rows(tx, COSTS, [identity_of(COSTS, vars(item)) for item in sound])
            rows = await tx.all(_REVERSED, ids=[row["id"] for row in known.values()])
            reversed_ids = {row["reversal_of"] for row in rows}
            upserts = [importing.drafted(item, known, services, reversed_ids) for item in items]
            return await conclude(tx, await write_batch(tx, COSTS, upserts, mode=mode, known=known))

    async def reverse(self, caller: Caller, id_: UUID, reversal: CostReversal) -> Written:
        """Book the same amount with the other sign, once."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, COSTS, id_)
            if row["reversal_of"] is not None:
                raise Rejection("conflict", "cost-is-reversal", "A reversal is not reversed; book the cost again.")
            values = {name: row[name] for name in _KEPT} | {
                "amount": -row["amount"],
                "description": reversal.reason,
                "reversal_of": id_,
            }
            return await add(tx, COSTS, values)
