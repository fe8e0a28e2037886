"""What clients send and see of a service's costs."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.schemas import VISIBLE, Day, ExternalIdentity, Input, Key, Labels, Money, Name, Text, Traceable

Category = Literal[
    "hardware",
    "software",
    "cloud",
    "labour",
    "external_services",
    "facilities",
    "network",
    "training",
    "downtime",
    "decommissioning",
    "other",
]
Nature = Literal["opex", "capex"]
MONTHS_MAX = 1200
Months = Annotated[int, Field(ge=1, le=MONTHS_MAX)]

EXAMPLE: dict[str, Any] = {
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "category": "cloud",
    "nature": "opex",
    "amount": {"amount": "1840.25", "currency": "EUR"},
    "period_start": "2026-02-01",
    "period_end": "2026-02-28",
    "vendor": "A hosting company",
    "reference": "2026-0217",
}


class NewCost(ExternalIdentity):
    """A cost of a service over a period, negative for a credit."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    service_id: UUID
    category: Category
    nature: Nature
    """`opex` is spent over its period; `capex` is written off over its useful life, from the period's start."""
    amount: Money
    """Negative for a credit."""
    period_start: Day
    period_end: Day
    """The last day of the period."""
    useful_life_months: Months | None = None
    """Over how many months an investment is written off; of `capex`, and only of it."""
    vendor: Name | None = None
    reference: Name | None = None
    """Of the invoice or the booking."""
    description: Text | None = None
    labels: Labels = {}


class CostItem(ExternalIdentity):
    """A cost of a batch; one with an external id that is known changes in what is sent only, any other is added."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "external_source": "erp",
                "external_id": "4711",
                "service_key": "web-shop",
                "category": "hardware",
                "nature": "capex",
                "amount": {"amount": "36000", "currency": "EUR"},
                "period_start": "2026-01-01",
                "period_end": "2026-01-31",
                "useful_life_months": 36,
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    category: Category | None = None
    """Needed for a new cost, as the service, the nature, the amount and the period are."""
    nature: Nature | None = None
    amount: Money | None = None
    period_start: Day | None = None
    period_end: Day | None = None
    useful_life_months: Months | None = None
    """Over how many months an investment is written off; of `capex`, and only of it."""
    vendor: Name | None = None
    reference: Name | None = None
    description: Text | None = None
    labels: Labels = {}


class CostReversal(Input):
    """Why a cost is taken back."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "Booked on the wrong service."}})

    reason: Annotated[Text, VISIBLE]


class Cost(Traceable):
    """A cost of a service; corrected by its reversal, or by a batch that knows it by its external id."""

    service_id: UUID
    category: Category
    nature: Nature
    amount: Money
    period_start: Day
    period_end: Day
    useful_life_months: int | None
    """Over how many months an investment is written off; null for `opex`."""
    vendor: str | None
    reference: str | None
    description: str | None
    reversal_of: UUID | None
    """The cost that this one takes back."""
