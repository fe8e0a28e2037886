"""The states of a catalogue item, the ways between them, and what stands in each way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.lifecycle import Guard, Lifecycle, Transition
from service_catalog.services.lifecycle import OVER

PUBLISHED = "published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A catalogue item that is to change its state, with the state of its service."""

    item: Mapping[str, Any]
    service_state: str


def _form_schema_set(candidate: Candidate) -> str | None:
    return None if candidate.item["form_schema"] is not None else "What is published has a form_schema."


def _service_not_over(candidate: Candidate) -> str | None:
    return f"Its service is {candidate.service_state}." if candidate.service_state in OVER else None


def _service_path(candidate: Candidate) -> str:
    return f"services/{candidate.item['service_id']}"


_PUBLISHED = (Guard("form_schema_set", _form_schema_set), Guard("service_not_over", _service_not_over, _service_path))

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The catalogue item",
    initial="draft",
    transitions=(
        Transition("draft", PUBLISHED, "published", _PUBLISHED),
        Transition(PUBLISHED, "withdrawn", "withdrawn"),
        Transition("withdrawn", PUBLISHED, "published", _PUBLISHED),
    ),
)
