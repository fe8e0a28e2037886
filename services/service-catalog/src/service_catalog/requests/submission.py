"""The submission of a request: whether it may be made, and what it takes along from the catalogue item."""

from collections.abc import Mapping
from typing import Any

from chassis.rejection import Fault, Rejection, invalid
from service_catalog.catalogue_items.forms import KnownForms
from service_catalog.catalogue_items.lifecycle import PUBLISHED
from service_catalog.requests.schemas import NewServiceRequest, ServiceRequestItem
from service_catalog.services.lifecycle import OVER

NOT_PUBLISHED = Rejection("conflict", "item-not-published", "Only a published catalogue item takes new requests.")
SERVICE_OVER = Rejection("conflict", "service-over", "The service of this catalogue item is over.")
NAMELESS = invalid(
    Fault("/catalogue_item_id", "missing", "What is asked for is named by catalogue_item_id or catalogue_item_key.")
)
_SAID = ("external_source", "external_id", "requested_for", "form", "comment", "assignee", "labels")
_TAKEN_ALONG = ("service_id", "form_version", "approval_required", "fulfilment_target_minutes", "calendar_id")


def refused(item: Mapping[str, Any], form: Mapping[str, Any], forms: KnownForms) -> Rejection | None:
    """Return why a form cannot be submitted for a catalogue item, if it cannot."""
    if item["state"] != PUBLISHED:
        return NOT_PUBLISHED
    if item["service_state"] in OVER:
        return SERVICE_OVER
    faults = forms.of(item).faults(form)
    return invalid(*faults) if faults else None


def values_of(new: NewServiceRequest | ServiceRequestItem, item: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Return what a new request is kept as, but for its course: later changes of the item do not touch it."""
    said = {name: getattr(new, name) for name in _SAID}
    return (
        said
        | {name: item[name] for name in _TAKEN_ALONG}
        | {
            "catalogue_item_id": item["id"],
            "requester": new.requester or actor,
            "submitted_by": actor,
            "assigned_team": new.assigned_team or item["fulfilment_team"],
        }
    )
