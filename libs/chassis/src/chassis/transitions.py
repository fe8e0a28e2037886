"""How a resource's state machine reads outside: the state, what may be done next, and the steps that led here."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from chassis.lifecycle import Lifecycle, Subject
from chassis.outcome import Found
from chassis.schemas import Instant, Output


class UnmetGuardShown(Output):
    """One reason why a transition may not happen now."""

    code: str
    message: str
    ref: str | None
    """The resource it is about, if any."""


class AvailableTransition(Output):
    """A state that may come next; with unmet guards it may not come yet."""

    to: str
    unmet_guards: list[UnmetGuardShown]


class HistoryStep(Output):
    """One step of a resource's history."""

    at: Instant
    """When it happened."""
    from_state: str | None = Field(alias="from")
    to: str
    reason: str | None
    actor: str
    recorded_at: Instant
    """When it was written down; later than `at` where the past was brought along."""
    details: dict[str, Any]
    """What else belongs to the step, such as the reason of a hold."""


class History(Output):
    """A resource's steps, oldest first."""

    items: list[HistoryStep]


class Transitions(Output):
    """The state of a resource, where one may go from here, and how it came here."""

    state: str
    available: list[AvailableTransition]
    history: list[HistoryStep]


def change_of(
    before: Mapping[str, Any] | None, to: str, *, actor: str, reason: str | None = None
) -> dict[str, Any] | None:
    """Return the `change` of an event: None where a resource is new or stays in its state."""
    if before is None or before["state"] == to:
        return None
    return {"from": before["state"], "to": to, "reason": reason, "actor": actor}


def transitions_document(lifecycle: Lifecycle[Subject], state: str, subject: Subject, history: str) -> Found:
    """Return the document of `GET …/transitions`; `history` is the JSON text of its steps."""
    available = json.dumps(lifecycle.available(state, subject), ensure_ascii=False)
    return Found(f'{{"state":{json.dumps(state)},"available":{available},"history":{history}}}')


def history_document(history: str) -> Found:
    """Return the document of `GET …/history`."""
    return Found(f'{{"items":{history}}}')
