"""Putting a resource under a key of its own: it is added where there is none yet, and replaced where there is one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chassis.batch import identity_of, known_rows
from chassis.caller import Caller
from chassis.database import Database, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Written
from chassis.reading import get_to_change
from chassis.rejection import Rejection
from chassis.resource import Resource

Add = Callable[[Transaction], Awaitable[Written]]
Replace = Callable[[Transaction, Any], Awaitable[Written]]


@dataclass(frozen=True, slots=True)
class Precondition:
    """When a resource may be put under its key: `expected` is the version it must still have, None whichever."""

    must_exist: bool = False
    must_be_new: bool = False
    expected: int | None = None


async def put_by_key(
    database: Database,
    caller: Caller,
    resource: Resource,
    key: str,
    condition: Precondition,
    *,
    add: Add,
    replace: Replace,
) -> Written:
    """Add or replace the resource whose natural key is `key`, in one transaction.

    `replace` is given the locked row. A condition that does not hold is refused as stale, with the newest
    representation where there is one. Who loses the race of adding replaces what the other has added.
    """
    try:
        return await _put_once(database, caller, resource, key, condition, add=add, replace=replace)
    except Rejection as refusal:
        if refusal.code != "key-taken":
            raise
        return await _put_once(database, caller, resource, key, condition, add=add, replace=replace)


async def _put_once(
    database: Database,
    caller: Caller,
    resource: Resource,
    key: str,
    condition: Precondition,
    *,
    add: Add,
    replace: Replace,
) -> Written:
    async with command(database, caller) as tx:
        known = await known_rows(tx, resource, [identity_of(resource, {"key": key})])
        if not known:
            if condition.must_exist:
                raise Rejection("stale", "version-stale", f"There is no such {resource.called} to replace.")
            return await conclude(tx, await add(tx))
        (found,) = known.values()
        row = await get_to_change(tx, resource, found["id"], expected=condition.expected)
        if condition.must_be_new:
            current = (row["body"], row["version"])
            raise Rejection("stale", "already-exists", f"There is a {resource.called} with this key.", current=current)
        return await conclude(tx, await replace(tx, row))
