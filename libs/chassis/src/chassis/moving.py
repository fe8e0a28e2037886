"""Resources with states: how one begins, and how it comes from one state to the next, each step kept in its history."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.database import Transaction
from chassis.history import Entry, record
from chassis.lifecycle import Transition
from chassis.outcome import Written
from chassis.rejection import Fault, invalid
from chassis.resource import Resource
from chassis.transitions import change_of
from chassis.writing import insert_one, update_one


async def begin(
    tx: Transaction,
    resource: Resource,
    values: Mapping[str, Any],
    *,
    at: datetime | None = None,
    id_: UUID | None = None,
) -> Written:
    """Add a resource in the state that its values say, as the first step of its history."""
    written = await insert_one(tx, resource, values, at=at, id_=id_)
    if written.id is not None:
        await record(tx, resource, [Entry(resource_id=written.id, at=at or tx.now, to_state=values["state"])])
    return written


async def move(
    tx: Transaction,
    resource: Resource,
    row: Any,
    transition: Transition[Any],
    values: Mapping[str, Any],
    *,
    at: datetime | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
    told: Mapping[str, Any] | None = None,
) -> Written:
    """Bring a locked resource to the state a transition leads to, changing what goes with it.

    `at` is when it happened (now, if not said); `details` are kept in the step beside the reason. So is what is
    `told`, which the event's change says as well.
    """
    to = transition.target
    change = change_of(row, to, actor=tx.caller.subject, reason=reason)
    if change is not None and told:
        change |= told
    written = await update_one(
        tx, resource, row["id"], {"state": to, **values}, verb=transition.verb, at=at, change=change
    )
    step = Entry(
        resource_id=row["id"],
        at=at or tx.now,
        from_state=row["state"],
        to_state=to,
        reason=reason,
        details={**(details or {}), **(told or {})},
    )
    await record(tx, resource, [step])
    return written


def moment_of(at: datetime | None, last: datetime, now: datetime, noun: str) -> datetime:
    """Return when a command took effect: when it says so (neither in the future nor before the last step), or now."""
    if at is None:
        return max(now, last)
    if at > now:
        raise invalid(Fault("/at", "in-the-future", "This is told when it has happened."))
    if at < last:
        raise invalid(Fault("/at", "before-last", f"This lies before the last step of the {noun}."))
    return at


def misplaced(order: Any, only_with: Mapping[str, Collection[str]]) -> list[Fault]:
    """Return what a command says that belongs to commands to other states; `only_with` are the states of a field."""
    return [
        Fault(f"/{name}", "not-allowed", f"This belongs to a command to {' or '.join(states)}.")
        for name, states in only_with.items()
        if getattr(order, name) is not None and order.to not in states
    ]
