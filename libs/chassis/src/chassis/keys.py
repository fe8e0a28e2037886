"""Idempotency keys: the answer to a request is kept with its effect, in the same transaction.

An effect is attempted first; that the key was used before shows when the answer is stored (or when the effect is
refused because it happened already), and the first answer is given again.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    not_,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from chassis.caller import Caller, IdempotencyKey
from chassis.database import Database, Statement, Transaction
from chassis.outcome import Replayed, Written
from chassis.rejection import Fault, Rejection
from chassis.resource import Instant, json_object

KEPT_HOURS = 24
IN_FORCE = Rejection("conflict", "busy", "A request with this key has taken effect.", retry_after_seconds=1)
KEY_METADATA = MetaData()

idempotency_key = Table(
    "idempotency_key",
    KEY_METADATA,
    Column("org", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("org", "caller", "path", "key", name="idempotency_key_pkey"),
    Index("idempotency_key_expires_at", "expires_at"),
)


def _bound(name: str) -> BindParameter[str]:
    return bindparam(f"k_{name}", type_=Text)


_MINE = and_(
    *(idempotency_key.c[name] == _bound(name) for name in ("org", "caller", "path", "key")),
)
_EXPIRED = idempotency_key.c.expires_at <= bindparam("k_now", type_=Instant)
_FIND = Statement(select(idempotency_key.c.fingerprint, idempotency_key.c.answer).where(_MINE, not_(_EXPIRED)))
_NEW = insert(idempotency_key).values(
    org=_bound("org"),
    caller=_bound("caller"),
    path=_bound("path"),
    key=_bound("key"),
    fingerprint=bindparam("fingerprint", type_=LargeBinary),
    answer=_bound("answer"),
    expires_at=bindparam("expires_at", type_=Instant),
)


def _unless_in_force(new: Insert) -> Insert:
    """Let an expired key be free again; one in force stays, and the statement touches no row."""
    return new.on_conflict_do_update(
        constraint="idempotency_key_pkey",
        set_={name: new.excluded[name] for name in ("fingerprint", "answer", "expires_at")},
        where=_EXPIRED,
    )


_KEEP = Statement(_unless_in_force(_NEW))
FORGET_EXPIRED = Statement(delete(idempotency_key).where(_EXPIRED))


@asynccontextmanager
async def command(database: Database, caller: Caller, *, alone_in: UUID | None = None) -> AsyncIterator[Transaction]:
    """Open the one transaction of an operation that changes something; the operation ends with `conclude`.

    Those that are `alone_in` the same resource come after one another (`Database.begin`).

    A caller with an idempotency key whose request took effect before gets `Replayed` with that answer; the same key
    with another request is refused as `idempotency-key-reused`, one still under way as `busy`.
    """
    try:
        async with database.begin(caller, alone_in=alone_in) as tx:
            yield tx
            if caller.idempotency is not None and not tx.concluded:
                raise RuntimeError("an operation that changes something ends with conclude()")
    except Rejection as refusal:
        if caller.idempotency is None:
            raise
        await _replay(database, caller, caller.idempotency, refusal)
        raise


async def conclude(tx: Transaction, written: Written) -> Written:
    """End an operation with its answer, which is kept where the caller gave an idempotency key."""
    key = tx.caller.idempotency
    if key is not None:
        kept = await tx.run(_KEEP, **kept_with(tx, key), k_answer=_as_text(written))
        if not kept:
            raise IN_FORCE.anew()
    tx.concluded = True
    return written


def kept_with(tx: Transaction, key: IdempotencyKey) -> dict[str, Any]:
    """Return what a statement that keeps an answer takes, but for the answer."""
    return {
        **_names(tx.caller, key),
        "fingerprint": key.fingerprint,
        "k_now": tx.now,
        "expires_at": tx.now + timedelta(hours=KEPT_HOURS),
    }


def keep_answer(answer: ColumnElement[str], source: FromClause) -> Insert:
    """Return the part of a larger statement that keeps an answer which that statement makes."""
    names = ["org", "caller", "path", "key", "fingerprint", "answer", "expires_at"]
    columns: list[ColumnElement[Any]] = [_bound(name) for name in names[:4]]
    columns += [bindparam("fingerprint", type_=LargeBinary), answer, bindparam("expires_at", type_=Instant)]
    line = select(*columns).select_from(source)
    return _unless_in_force(insert(idempotency_key).from_select(names, line))


def answer_as_json(
    body: ColumnElement[str], id_: ColumnElement[UUID], version: Any, event_id: Any, location: Any
) -> ColumnElement[str]:
    """Write an answer in SQL as `conclude` keeps it."""
    fields = {"body": body, "id": id_, "version": version, "event_id": event_id, "location": location}
    return cast(json_object(fields), Text)


async def _replay(database: Database, caller: Caller, key: IdempotencyKey, refusal: Rejection) -> None:
    """Give the answer of an earlier request with this key, if there was one."""
    async with database.read(caller.idempotent(None)) as tx:
        row = await tx.one(_FIND, **_names(caller, key), k_now=tx.now)
    if row is None:
        return
    if row["fingerprint"] != key.fingerprint:
        raise Rejection(
            "invalid",
            "idempotency-key-reused",
            "This idempotency key was used for another request.",
            faults=[Fault("Idempotency-Key", "idempotency-key-reused", "The key belongs to another request.")],
        ) from refusal
    raise Replayed(_from_text(row["answer"])) from refusal


def _names(caller: Caller, key: IdempotencyKey) -> dict[str, str]:
    return {"k_org": caller.org, "k_caller": caller.subject, "k_path": key.path, "k_key": key.key}


def _as_text(written: Written) -> str:
    return to_json(
        {
            "body": written.body,
            "id": written.id,
            "version": written.version,
            "event_id": written.event_id,
            "location": written.location,
        }
    ).decode()


def _from_text(answer: str) -> Written:
    kept = json.loads(answer)
    return Written(
        body=kept["body"],
        id=UUID(kept["id"]) if kept["id"] else None,
        version=kept["version"],
        event_id=UUID(kept["event_id"]) if kept["event_id"] else None,
        location=kept["location"],
        replayed=True,
    )
