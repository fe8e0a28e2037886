"""Events that are no change of a resource: they tell of something once, under a subject of their own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Text, Uuid, bindparam, cast, column, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Statement, Transaction
from chassis.events.tables import event_pending
from chassis.resource import Instant

_KINDS: Mapping[str, Any] = {
    "type": Text(),
    "subject": Text(),
    "time": Instant,
    "partitionkey": Uuid(),
    "data": Text(),
}
_LINES = (
    func.unnest(*(bindparam(f"v_{name}", type_=ARRAY(kind, dimensions=1)) for name, kind in _KINDS.items()))
    .table_valued(*(column(name, kind) for name, kind in _KINDS.items()), with_ordinality="n", name="line")
    .render_derived()
)
_CALLERS = ("org", "correlationid", "causationid", "traceparent")
_TELL = Statement(
    insert(event_pending).from_select(
        ["id", *_CALLERS, "type", "subject", "time", "partitionkey", "data"],
        select(
            func.uuidv7(),
            *(bindparam(f"v_{name}", type_=Text) for name in _CALLERS),
            *(_LINES.c[name] for name in ("type", "subject", "time", "partitionkey")),
            cast(_LINES.c.data, JSON),
        ).order_by(_LINES.c.n),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An event without a step of a version; `about` is the resource it concerns, `at` when it happened."""

    noun: str
    verb: str
    subject: str
    about: UUID
    at: datetime
    data: Mapping[str, Any]


async def tell_all(tx: Transaction, notices: Sequence[Notice]) -> None:
    """Publish notices in the order given, in one statement."""
    if notices:
        await tx.run(
            _TELL,
            v_org=tx.caller.org,
            v_correlationid=tx.caller.correlation_id,
            v_causationid=tx.caller.causation_id,
            v_traceparent=tx.caller.traceparent,
            v_type=[f"tandem.{one.noun}.{one.verb}.v1" for one in notices],
            v_subject=[one.subject for one in notices],
            v_time=[one.at for one in notices],
            v_partitionkey=[one.about for one in notices],
            v_data=[json.dumps(one.data, ensure_ascii=False) for one in notices],
        )
