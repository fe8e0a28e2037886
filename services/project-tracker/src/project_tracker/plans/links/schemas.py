"""What clients send and see of the links between tasks."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict

from chassis.schemas import UNSET, ExternalIdentity, LabelChanges, Labels, Patch, Traceable
from project_tracker.plans.notation import LagText, Wbs

LinkType = Literal["FS", "SS", "FF", "SF"]
EXAMPLE: dict[str, Any] = {"predecessor_wbs": "1.1.1", "successor_wbs": "1.1.2", "type": "FS", "lag": "1w2d"}


class NewDependency(ExternalIdentity):
    """A link between two tasks, each named by its wbs or its id."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    predecessor_wbs: Wbs | None = None
    predecessor_id: UUID | None = None
    successor_wbs: Wbs | None = None
    successor_id: UUID | None = None
    type: LinkType = "FS"
    """Which end of the predecessor (S, F) holds back which end of the successor."""
    lag: LagText = "0d"
    """On the successor's calendar: `2d`, `-1w2d`, elapsed `3ed`, or a share of the predecessor's duration `-50%`."""
    labels: Labels = {}


class DependencyPatch(Patch):
    """Changes of a link; its ends stay."""

    model_config = ConfigDict(json_schema_extra={"example": {"type": "SS", "lag": "-50%"}})

    type: LinkType = UNSET
    lag: LagText = UNSET
    labels: LabelChanges = UNSET


class Dependency(Traceable):
    """A link: the successor waits for the predecessor."""

    project_id: UUID
    predecessor_id: UUID
    successor_id: UUID
    type: LinkType
    lag: str
