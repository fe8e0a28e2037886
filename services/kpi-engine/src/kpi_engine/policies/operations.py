"""The use cases of policies."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Statement, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Written
from chassis.putting import Precondition
from chassis.reader import Reader
from chassis.reading import get_to_change
from chassis.rejection import Rejection
from chassis.writing import add, revise
from kpi_engine.availability.facts import Policy, Severity
from kpi_engine.policies.schemas import NewPolicy
from kpi_engine.policies.tables import POLICIES, policy

_ALL = Statement(select(policy).order_by(policy.c.valid_from.asc().nulls_first()))


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy as figures are computed with it."""

    valid_from: datetime | None
    outages: Policy
    milestone_tolerance_days: int


USUAL = PolicyInForce(None, Policy(), 0)
"""What holds before the first policy of an organisation."""


async def policies_of(tx: Transaction) -> list[PolicyInForce]:
    """Return the policies of an organisation in the order in which they hold, the usual one before the first."""
    own = [_in_force(row) for row in await tx.all(_ALL)]
    return own if own and own[0].valid_from is None else [USUAL, *own]


class Policies:
    """The policies of organisations, each holding from an instant on."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        reader = Reader(database, POLICIES, seal)
        self.get, self.list = reader.get, reader.list

    async def put(self, caller: Caller, new: NewPolicy, condition: Precondition) -> Written:
        """Make the policy that holds from an instant on, or replace it, as far as the condition allows."""
        values = _values(new)
        async with command(self._database, caller) as tx:
            known = [row for row in await tx.all(_ALL) if row["valid_from"] == new.valid_from]
            if not known and condition.must_exist:
                raise Rejection("stale", "version-stale", "There is no such policy to replace.")
            if not known:
                return await add(tx, POLICIES, values)
            row = await get_to_change(tx, POLICIES, known[0]["id"], expected=condition.expected)
            if condition.must_be_new:
                current = (row["body"], row["version"])
                raise Rejection("stale", "already-exists", "There is a policy from this instant on.", current=current)
            return await conclude(tx, await revise(tx, POLICIES, row, values))


def _values(new: NewPolicy) -> dict[str, Any]:
    weights = new.outage_weights
    return {
        "valid_from": new.valid_from,
        "weight_major": weights.major,
        "weight_partial": weights.partial,
        "weight_degraded": weights.degraded,
        "maintenance_notice_minutes": new.maintenance_notice_minutes,
        "milestone_tolerance_days": new.milestone_tolerance_days,
        "labels": new.labels,
    }


def _in_force(row: Any) -> PolicyInForce:
    outages = Policy(
        weights={severity: row[f"weight_{severity}"] for severity in Severity},
        notice=timedelta(minutes=row["maintenance_notice_minutes"]),
        valid_from=row["valid_from"],
    )
    return PolicyInForce(row["valid_from"], outages, row["milestone_tolerance_days"])
