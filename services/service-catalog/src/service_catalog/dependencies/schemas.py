"""What clients send and see of dependencies."""

from typing import Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from chassis.schemas import UNSET, ExternalIdentity, Key, LabelChanges, Labels, Output, Patch, Text, Traceable

Type = Literal["hard", "soft"]
Direction = Literal["up", "down"]
DEPTH_MAX = 100
ITEMS_MAX = 1000
EXAMPLE: dict[str, Any] = {"depends_on_key": "payments", "type": "hard", "description": "Orders are paid there."}


class NewDependency(ExternalIdentity):
    """What a service depends on: another service, named by its id or its key."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    depends_on_id: UUID | None = None
    depends_on_key: Key | None = None
    """The other service by its key, instead of by its id."""
    type: Type
    """`hard`: without the other it does not work; `soft`: it works, but not as well."""
    description: Text | None = None
    labels: Labels = {}

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.depends_on_id is None) == (self.depends_on_key is None):
            raise PydanticCustomError("service_named_once", "Either depends_on_id or depends_on_key names the service.")
        return self


class DependencyItem(ExternalIdentity):
    """A dependency of a batch, each service named by its id or its key.

    One that is known by its external id, or else by its two services, changes in what is sent only; any other is added.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "external_source": "cmdb",
                "external_id": "rel-7",
                "service_key": "web-shop",
                "depends_on_key": "identity",
                "type": "soft",
                "description": "Who is not known orders as a guest.",
            }
        }
    )

    service_id: UUID | None = None
    service_key: Key | None = None
    depends_on_id: UUID | None = None
    depends_on_key: Key | None = None
    type: Type | None = None
    """Needed for a new dependency, as the two services are."""
    description: Text | None = None
    labels: Labels = {}

    @model_validator(mode="after")
    def _no_two_names(self) -> Self:
        if None not in {self.service_id, self.service_key} or None not in {self.depends_on_id, self.depends_on_key}:
            raise PydanticCustomError("service_named_once", "A service is named by its id or by its key.")
        return self


class DependencyPatch(Patch):
    """Changes of a dependency (a merge patch); its two ends never change."""

    model_config = ConfigDict(json_schema_extra={"example": {"type": "soft"}})

    type: Type = UNSET
    description: Text | None = UNSET
    labels: LabelChanges = UNSET


class Dependency(Traceable):
    """That one service depends on another."""

    service_id: UUID
    depends_on_id: UUID
    type: Type
    description: str | None


class ReachedService(Output):
    """A service that the walk has come to."""

    service_id: UUID
    key: str
    name: str
    state: str
    depth: int
    """The fewest links that lead to it."""
    via: Type
    """`hard` where hard links alone lead to it, else `soft`."""


class ImpactLink(Output):
    """That a service depends on another one."""

    service_id: UUID
    depends_on_id: UUID
    type: Type


class Impact(Output):
    """What a service depends on (`down`), or what depends on it (`up`), near ones first."""

    service_id: UUID
    direction: Direction
    depth: int
    """How many links deep was looked."""
    count: int
    """How many services were reached in all."""
    items: list[ReachedService]
    links: list[ImpactLink]
    """All dependencies among the service and those in `items`, to draw them by."""
