"""Events that are no change of a resource: they tell of something once, under a subject of their own."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Text, Uuid, bindparam, cast, func, insert

from chassis.database import Statement, Transaction
from chassis.events.tables import event_pending
from chassis.resource import Instant

_TELL = Statement(
    insert(event_pending).values(
        id=func.uuidv7(),
        org=bindparam("v_org", type_=Text),
        type=bindparam("v_type", type_=Text),
        subject=bindparam("v_subject", type_=Text),
        time=bindparam("v_time", type_=Instant),
        partitionkey=bindparam("v_partitionkey", type_=Uuid),
        correlationid=bindparam("v_correlationid", type_=Text),
        causationid=bindparam("v_causationid", type_=Text),
        traceparent=bindparam("v_traceparent", type_=Text),
        data=cast(bindparam("v_data", type_=Text), JSON),
    )
)


async def tell(
    tx: Transaction, *, noun: str, verb: str, subject: str, about: UUID, at: datetime, data: Mapping[str, Any]
) -> None:
    """Publish an event without a step of a version; `about` is the resource it concerns, `at` when it happened."""
    await tx.run(
        _TELL,
        v_org=tx.caller.org,
        v_type=f"tandem.{noun}.{verb}.v1",
        v_subject=subject,
        v_time=at,
        v_partitionkey=about,
        v_correlationid=tx.caller.correlation_id,
        v_causationid=tx.caller.causation_id,
        v_traceparent=tx.caller.traceparent,
        v_data=json.dumps(data, ensure_ascii=False),
    )
