"""What clients send and see of timelines and work notes."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import VISIBLE, Input, Output, Text, Versioned
from chassis.transitions import HistoryStep

NOTES_MAX = 1000
NoteText = Annotated[Text, VISIBLE]


class NewWorkNote(Input):
    """A note to be added to an incident's timeline."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"text": "The provider has been called, case 4711.", "internal": True}}
    )

    text: NoteText
    internal: bool = True
    """Whether it is for those who work on the incident, and not for its caller."""


class WorkNote(Versioned):
    """What somebody noted while working on an incident; it is never edited."""

    incident_id: UUID
    text: str
    internal: bool
    author: str
    """The subject of the token that added it."""


class TimelineEntry(HistoryStep):
    """Something that happened to an incident.

    `to` says what came of it: the state or the priority it has now; `linked` or `unlinked` where it became part of
    another incident, another one (`child_id`) became part of it, or it came to belong to a problem; the state of its
    problem that it was told of; `changed` where its service, its team, its assignee or the major flag did, with
    `field`, `before` and `after` in the details; `warned` or `breached` of an SLA clock; `noted` of a work note.
    """

    kind: Literal["state", "priority", "handling", "parent", "child", "problem", "sla", "note"]
    text: str | None
    """Of a work note; null of all else."""
    internal: bool | None
    """Of a work note: whether it is for those who work on the incident only; null of all else."""


class Timeline(Output):
    """All that happened to an incident, oldest first."""

    items: list[TimelineEntry]
