"""What clients send and see of a project's costs."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import ExternalIdentity, Input, Instant, Labels, Money, Name, Text, Traceable
from project_tracker.plans.notation import Wbs

Category = Literal[
    "labour",
    "hardware",
    "software",
    "cloud",
    "external_services",
    "facilities",
    "network",
    "training",
    "materials",
    "travel",
    "other",
]
EXAMPLE: dict[str, Any] = {
    "wbs": "1.1.2",
    "incurred_at": "2014-02-24T22:00:00Z",
    "amount": {"amount": "1170", "currency": "EUR"},
    "category": "labour",
}


class NewCost(ExternalIdentity):
    """A cost that was had, negative for a credit; of one task, or of the project as a whole."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    wbs: Wbs | None = None
    task_id: UUID | None = None
    incurred_at: Instant
    amount: Money
    """In the project's currency."""
    category: Category = "other"
    description: Text | None = None
    reference: Name | None = None
    """Of the invoice or the booking."""
    labels: Labels = {}


class Reversal(Input):
    """Why a cost is taken back."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "Booked on the wrong project."}})

    reason: Text
    incurred_at: Instant | None = None
    """When the reversal counts; by default when the cost did, as if it had never been."""


class Cost(Traceable):
    """A cost of a project; corrected by its reversal, never changed."""

    project_id: UUID
    task_id: UUID | None
    incurred_at: Instant
    amount: Money
    category: Category
    description: str | None
    reference: str | None
    reversal_of: UUID | None
