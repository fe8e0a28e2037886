"""Writing facts in bulk: one statement a table and batch, which keeps whatever is newer."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Boolean, DateTime, Integer, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from chassis.database import DIALECT, Statement, Transaction, unnested
from kpi_engine.definitions.periods import FIRST, LAST
from kpi_engine.facts.projections import Pick, Projection, Representation
from kpi_engine.facts.tables import FACT_TABLES

_GUARD = ("org", "projection", "id")
_ITEM = re.compile(r"[0-9a-fA-F.-]{1,64}", re.ASCII)
_STEP = ("source", "epoch", "version", "deleted")


class Version(NamedTuple):
    """One version of a resource as an event tells it."""

    id: str
    epoch: int
    number: int
    deleted: bool
    happened_at: datetime | None
    data: Representation


async def keep(
    tx: Transaction, projection: Projection, versions: Sequence[Version], *, source: str, filling: int
) -> int:
    """Keep versions of resources, each of another one, unless as new a one is known; return how many were news."""
    values: dict[str, Any] = {
        "ids": [version.id for version in versions],
        "epochs": [version.epoch for version in versions],
        "versions": [version.number for version in versions],
        "deletions": [version.deleted for version in versions],
    }
    for name, pick, write in _columns(projection):
        picked = unnested([pick(version.data, version.happened_at) for version in versions])
        values[f"c_{name}"] = [None if value is None else write(value) for value in picked]
    return await tx.run(_upsert(projection), org=tx.caller.org, source=source, filling=filling, **values)


async def forget_older(tx: Transaction, *, source: str, epoch: int, filling: int) -> None:
    """Remove what a source has not told again since its log entered a new epoch: it does not know it any more."""
    for statement in _FORGET:
        await tx.run(statement, org=tx.caller.org, source=source, epoch=epoch, filling=filling)


async def forget_fillings_before(tx: Transaction, filling: int) -> int:
    """Remove the rows of fillings that no longer answer, of the organisation the transaction is for."""
    return sum([await tx.run(statement, org=tx.caller.org, filling=filling) for statement in _CLEAR])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no text")
    return value


def _instant(value: Any) -> datetime:
    """Read an instant; one outside the years that figures are computed for counts as their first or last."""
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("an instant has its UTC offset")
    return min(max(parsed, FIRST), LAST)


def _number(value: Any) -> str:
    if not Decimal(_text(value)).is_finite():
        raise ValueError("a number is finite")
    return _text(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__} is no whole number")
    return int(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} is no flag")
    return value


def _list(value: Any) -> str:
    if not isinstance(value, list) or not all(_ITEM.fullmatch(_text(item)) for item in value):
        raise TypeError("a list holds ids or numbers")
    return f"{{{','.join(value)}}}"


_WRITERS: tuple[tuple[type[TypeEngine[Any]], Callable[[Any], Any]], ...] = (
    (DateTime, _instant),
    (Integer, _whole),
    (Numeric, _number),
    (Boolean, _flag),
    (ARRAY, _list),
    (JSONB, json.dumps),
    (TypeEngine, _text),
)


_READ_BY_POSTGRESQL = (Numeric, ARRAY, JSONB)  # sent as text; all others as what they are


@cache
def _columns(projection: Projection) -> list[tuple[str, Pick, Callable[[Any], Any]]]:
    """Return each column's name, where its value is found and how it is checked and made ready for PostgreSQL."""
    return [
        (name, pick, next(write for kind, write in _WRITERS if isinstance(projection.table.c[name].type, kind)))
        for name, pick in projection.columns.items()
    ]


@cache
def _upsert(projection: Projection) -> Statement:
    table = projection.table
    names = list(projection.columns)
    kinds = {name: table.c[name].type.compile(dialect=DIALECT) for name in names}
    sent = {name: "text" if isinstance(table.c[name].type, _READ_BY_POSTGRESQL) else kinds[name] for name in names}
    arrays = ", ".join(
        [
            "cast(:ids AS uuid[])",
            "cast(:epochs AS integer[])",
            "cast(:versions AS bigint[])",
            "cast(:deletions AS boolean[])",
            *(f"cast(:c_{name} AS {sent[name]}[])" for name in names),
        ]
    )
    casts = ", ".join(f"cast(line.{name} AS {kinds[name]})" for name in names)
    written = [*_STEP, *names]
    changes = ", ".join(f"{name} = excluded.{name}" for name in written)
    return Statement(
        text(
            f"""INSERT INTO {table.name} AS known ({", ".join([*_GUARD, *written])})
            SELECT cast(:org AS text), cast(:filling AS integer), line.id, cast(:source AS text),
                line.epoch, line.version, line.deleted, {casts}
            FROM unnest({arrays}) AS line (id, epoch, version, deleted, {", ".join(names)})
            WHERE line.epoch >= coalesce((
                SELECT epoch FROM event_cursor
                WHERE source = cast(:source AS text) AND projection = cast(:filling AS integer)
            ), 0)
            ON CONFLICT ON CONSTRAINT {table.name}_pkey DO UPDATE SET {changes}
            WHERE excluded.epoch > known.epoch
               OR (excluded.epoch = known.epoch AND excluded.version > known.version)"""  # noqa: S608  (constants)
        )
    )


_FORGET = [
    Statement(
        text(
            f"""DELETE FROM {table.name} WHERE org = :org AND projection = cast(:filling AS integer)
            AND source = :source AND epoch < cast(:epoch AS integer)"""  # noqa: S608  (constants)
        )
    )
    for table in FACT_TABLES
]
_CLEAR = [
    Statement(
        text(
            f"DELETE FROM {table.name} WHERE org = :org AND projection < cast(:filling AS integer)"  # noqa: S608
        )
    )
    for table in FACT_TABLES
]
