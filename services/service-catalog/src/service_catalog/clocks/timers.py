"""Timers: what the worker is to look at, and when.

What changes something with clocks, or what its clocks run by, sets its timer to now, in the same transaction; the
worker reckons when it is due next. A timer is locked after what it belongs to.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Insert,
    Integer,
    Table,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.database import Reading, Statement, Transaction
from chassis.resource import Instant
from chassis.write_statements import CALLER_NOW, CALLER_ORG, Columns

_NOW = bindparam("now", type_=Instant)
_NEXT = (
    func.unnest(
        bindparam("subjects", type_=ARRAY(Uuid, dimensions=1)), bindparam("due", type_=ARRAY(Instant, dimensions=1))
    )
    .table_valued(column("subject", Uuid), column("due_at", Instant), name="following")
    .render_derived()
)


class Timers:
    """The timers of one kind, kept in a table: `org`, the id of what they belong to, `due_at`, and what is beside."""

    def __init__(self, table: Table, subject: str, *, beside: Sequence[str] = ()) -> None:
        self._table = table
        self._subject = table.c[subject]
        self._names = (subject, *beside)
        ones = self._subject == func.any(bindparam("subjects", type_=ARRAY(Uuid, dimensions=1)))
        self._mark = _marking(table, self._names)
        self._recheck_all = self.rechecking()
        self._due = Statement(
            select(table.c.org, self._subject.label("subject"))
            .where(table.c.due_at <= _NOW)
            .order_by(table.c.due_at)
            .limit(bindparam("most", type_=Integer))
        )
        self._lock = Statement(
            select(self._subject.label("subject"), (table.c.due_at <= _NOW).label("is_due"))
            .where(ones)
            .order_by(self._subject)
            .with_for_update(skip_locked=True)
        )
        self._set = Statement(update(table).where(self._subject == _NEXT.c.subject).values(due_at=_NEXT.c.due_at))
        self._drop = Statement(delete(table).where(ones))

    def rechecking(self, *which: ColumnElement[bool]) -> Statement:
        """Return the statement that sets those of an organisation's timers to `now` which meet the conditions."""
        locked = select(self._subject).where(*which).order_by(self._subject).with_for_update()
        return Statement(update(self._table).where(self._subject.in_(locked)).values(due_at=_NOW))

    async def due(self, tx: Reading, most: int) -> Sequence[Any]:
        """Return the timers that are due, of all organisations, oldest first: `org` and `subject`."""
        return await tx.all(self._due, now=tx.now, most=most)

    async def lock_due(self, tx: Transaction, subjects: Sequence[UUID]) -> frozenset[UUID]:
        """Lock timers, and return whose are still due and held by nobody else."""
        rows = await tx.all(self._lock, subjects=subjects, now=tx.now)
        return frozenset(row["subject"] for row in rows if row["is_due"])

    async def set_to(self, tx: Transaction, instants: Mapping[UUID, datetime | None]) -> None:
        """Have each looked at again at its instant, or only when it has changed."""
        if instants:
            await tx.run(self._set, subjects=list(instants), due=list(instants.values()))

    async def drop(self, tx: Transaction, subjects: Sequence[UUID]) -> None:
        """Look at these no more."""
        if subjects:
            await tx.run(self._drop, subjects=subjects)

    async def mark(self, tx: Transaction, lines: Iterable[tuple[UUID, ...]]) -> None:
        """Have what has changed looked at: each line its id, then what is kept beside it."""
        columns = dict(zip(self._names, zip(*lines, strict=True), strict=False))
        if columns:
            await tx.run(self._mark, org=tx.caller.org, now=tx.now, **columns)

    def beside(self, written: CTE, columns: Columns) -> Insert:
        """Have what is being added looked at: its timer is inserted by the statement that adds it."""
        names = self._names[1:]
        line = select(CALLER_ORG, written.c.id, *(columns[name] for name in names), CALLER_NOW).select_from(written)
        return insert(self._table).from_select(["org", *self._names, "due_at"], line)

    async def recheck_all(self, tx: Transaction) -> None:
        """Have all of the organisation's looked at: what their clocks run by has changed."""
        await tx.run(self._recheck_all, now=tx.now)


def _marking(table: Table, names: Sequence[str]) -> Statement:
    lines = (
        func.unnest(*(bindparam(name, type_=ARRAY(Uuid, dimensions=1)) for name in names))
        .table_valued(*(column(name, Uuid) for name in names), name="line")
        .render_derived()
    )
    new = insert(table).from_select(
        ["org", *names, "due_at"],
        select(bindparam("org", type_=Text), *(lines.c[name] for name in names), _NOW).order_by(lines.c[names[0]]),
    )
    changes = {name: new.excluded[name] for name in (*names[1:], "due_at")}
    return Statement(new.on_conflict_do_update(constraint=f"{table.name}_pkey", set_=changes))
