"""What clients send and see of catalogue items."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from chassis.free_json import FreeObject
from chassis.merging import Part, PartOf
from chassis.schemas import (
    UNSET,
    CurrencyCode,
    DecimalString,
    DecimalText,
    ExternalIdentity,
    Input,
    Key,
    LabelChanges,
    Labels,
    Money,
    Name,
    Patch,
    Text,
    Traceable,
)
from service_catalog.catalogue_items.json_objects import JsonObject

State = Literal["draft", "published", "withdrawn"]
FormSchema = Annotated[dict[str, Any], FreeObject(bytes_max=32 * 1024, depth_max=64), AfterValidator(JsonObject)]
Minutes = Annotated[int, Field(ge=1, le=1_000_000)]

EXAMPLE: dict[str, Any] = {
    "key": "new-laptop",
    "service_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "name": "A laptop",
    "description": "A laptop with the usual software, brought to your desk.",
    "form_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "size": {"title": "Size of the screen", "enum": ["13", "15"]},
            "needed_on": {"title": "Needed on", "type": "string", "format": "date"},
            "cost_centre": {"title": "Cost centre", "type": "string", "pattern": "^[0-9]{4}$"},
        },
        "required": ["size", "cost_centre"],
        "additionalProperties": False,
    },
    "approval_required": True,
    "approver": "head of the cost centre",
    "fulfilment_target_minutes": 2400,
    "fulfilment_team": "workplace",
    "price": {"amount": "1190.00", "currency": "EUR"},
}


class Price(Input):
    """What one costs whoever asks for it: an amount of one currency (ISO 4217), not below zero."""

    amount: Annotated[DecimalString, DecimalText(places=4, at_least=Decimal(0))]
    currency: CurrencyCode


class CatalogueItemDescription(Input):
    """What may be said of a catalogue item at any time."""

    description: Text | None = None
    form_schema: FormSchema | None = None
    """The form as a JSON Schema (draft 2020-12) of an object, of at most 32 KiB; needed before it is published.

    It refers to nothing outside itself and does not contain itself. Patterns look neither around nor back. `format` is
    checked where it is one of JSON Schema's own. The order of its fields is not kept.
    """
    approval_required: bool = False
    """Whether somebody has to approve each request before it is fulfilled."""
    approver: Name | None = None
    """Who is asked to."""
    fulfilment_target_minutes: Minutes | None = None
    """Within how many working minutes of its approval a request is to be fulfilled; without it there is no clock."""
    calendar_id: UUID | None = None
    """The calendar these minutes are counted on; without one they are counted around the clock."""
    fulfilment_team: Name | None = None
    """Who fulfils its requests, unless a request says otherwise."""
    price: Price | None = None
    labels: Labels = {}


class CatalogueItemReplacement(ExternalIdentity, CatalogueItemDescription):
    """A whole catalogue item as it is to be, found by its key; what is not sent falls back to its default."""

    model_config = ConfigDict(json_schema_extra={"example": {k: v for k, v in EXAMPLE.items() if k != "key"}})

    service_id: UUID
    """Never changes."""
    name: Name


class NewCatalogueItem(CatalogueItemReplacement):
    """A catalogue item to be created; it begins as `draft`."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    key: Key
    """Unique in the organisation; never changes."""


class CatalogueItemItem(ExternalIdentity, CatalogueItemDescription):
    """A catalogue item of a batch, found by its external id or else by its key; a known one changes in what is sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **{name: value for name, value in EXAMPLE.items() if name != "service_id"},
                "service_key": "web-shop",
                "state": "published",
            }
        }
    )

    key: Key
    service_id: UUID | None = None
    service_key: Key | None = None
    """The service by its key, instead of by its id."""
    name: Name | None = None
    """Needed for a new item, as the service is."""
    state: State | None = None
    """As another tool knew it; needs the scope `catalog:import`."""


class CatalogueItemPatch(Patch):
    """Changes of a catalogue item (a merge patch); key and service never change, its state changes by commands."""

    model_config = ConfigDict(json_schema_extra={"example": {"fulfilment_target_minutes": 960, "price": None}})

    name: Name = UNSET
    description: Text | None = UNSET
    form_schema: FormSchema | None = UNSET
    """Replaced whole, not merged: a schema may itself hold nulls."""
    approval_required: bool = UNSET
    approver: Name | None = UNSET
    fulfilment_target_minutes: Minutes | None = UNSET
    calendar_id: UUID | None = UNSET
    fulfilment_team: Name | None = UNSET
    price: Annotated[Part, PartOf(Price)] | None = UNSET
    """Merged: what is sent of it replaces what is there."""
    labels: LabelChanges = UNSET


class CatalogueItemTransition(Input):
    """A command to a catalogue item."""

    model_config = ConfigDict(json_schema_extra={"example": {"to": "published"}})

    to: State
    reason: Text | None = None


class CatalogueItem(Traceable):
    """What users may ask a service for."""

    key: str
    service_id: UUID
    name: str
    description: str | None
    state: State
    form_schema: dict[str, Any] | None
    form_version: int
    """Raised by each change of `form_schema`, from 1 on; requests say which one they were checked against."""
    approval_required: bool
    approver: str | None
    fulfilment_target_minutes: int | None
    calendar_id: UUID | None
    fulfilment_team: str | None
    price: Money | None
