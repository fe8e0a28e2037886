"""What clients send and see of policies."""

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from chassis.schemas import DecimalString, DecimalText, Input, Instant, Labels, Traceable

NOTICE_MINUTES_MAX = 527_040
TOLERANCE_DAYS_MAX = 366
Weight = Annotated[Decimal, DecimalText(before=1, after=10, at_least=Decimal(0), at_most=Decimal(1))]
_EXAMPLE: JsonDict = {
    "valid_from": "2026-01-01T00:00:00Z",
    "outage_weights": {"major": "1", "partial": "0.5", "degraded": "0.1"},
    "maintenance_notice_minutes": 2880,
    "milestone_tolerance_days": 2,
}


class OutageWeights(Input):
    """The share of a service that an outage of each severity takes away, from 0 to 1."""

    major: Weight = Decimal(1)
    partial: Weight = Decimal("0.3")
    degraded: Weight = Decimal(0)


class NewPolicy(Input):
    """The rules of measuring from an instant on; what is not sent has its usual value."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    valid_from: Instant | None = None
    """From when it holds, until the next one does; null stands for the beginning of time."""
    outage_weights: OutageWeights = OutageWeights()
    maintenance_notice_minutes: Annotated[int, Field(ge=0, le=NOTICE_MINUTES_MAX)] = 0
    """How long before its start a maintenance window is announced so that it is no downtime."""
    milestone_tolerance_days: Annotated[int, Field(ge=0, le=TOLERANCE_DAYS_MAX)] = 0
    """How many working days late a milestone may be."""
    labels: Labels = {}


class ShownWeights(Input):
    """The share of a service that an outage of each severity takes away."""

    major: DecimalString
    partial: DecimalString
    degraded: DecimalString


class Policy(Traceable):
    """The rules of measuring from an instant on, until the next policy holds."""

    valid_from: Instant | None
    outage_weights: ShownWeights
    maintenance_notice_minutes: int
    milestone_tolerance_days: int
