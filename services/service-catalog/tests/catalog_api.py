import itertools
import json
from datetime import timedelta
from typing import Any, ClassVar

from chassis import clock, ids
from chassis.testkit.applications import ANY_VERSION, OrganisationClient, checked

_numbers = itertools.count(1)
APPROVER = "grace"
DECIDED_BY_ANOTHER = ("changes/",)
FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"size": {"enum": ["13", "15"]}, "cost_centre": {"type": "string", "pattern": "^[0-9]{4}$"}},
    "required": ["size"],
    "additionalProperties": False,
}
FILLED_IN: dict[str, Any] = {"size": "15", "cost_centre": "4711"}


class Catalog(OrganisationClient):
    """One organisation's client of service-catalog."""

    AUDIENCE: ClassVar[str] = "service-catalog"
    EVERYTHING: ClassVar[tuple[str, ...]] = (
        "catalog:read",
        "catalog:write",
        "catalog:approve",
        "catalog:import",
        "events:read",
        "events:deliver",
    )

    async def move(self, path: str, to: str, *, status: int = 200, **given: Any) -> Any:
        """Give a command; what is decided for somebody else's sake is decided by an approver."""
        is_for_another = to in {"approved", "rejected"} and path.startswith(DECIDED_BY_ANOTHER)
        who = self.by(APPROVER) if is_for_another else self
        return await who.post(f"{path}/transitions", {"to": to, **given}, status=status)

    async def service(self, **given: Any) -> Any:
        return await self.post("services", {"key": f"s{next(_numbers)}", "name": "A service"} | given)

    async def complete_service(self, **given: Any) -> Any:
        """Add a service that passes every guard there is."""
        made = await self.service(**ready_service(**given))
        await self.level(made)
        for dimension in ("process", "technology", "people"):
            criterion = await self.criterion(made, dimension=dimension)
            await self.post(f"{own_path(criterion)}/decision", {"decision": "passed"}, status=200)
        return made

    async def criterion(self, service: Any, **given: Any) -> Any:
        blank = {"dimension": "process", "text": "Who is called is written down."}
        return await self.post(f"services/{service['id']}/acceptance-criteria", blank | given)

    async def level(self, service: Any, *, status: int = 201, **given: Any) -> Any:
        blank = {"service_id": service["id"], "metric": "resolution_time", "target": "240"}
        return await self.post("service-levels", blank | given, status=status)

    async def incident(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        return await self.post("incidents", {"service_id": service["id"], "title": "It does not answer"} | given)

    async def problem(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        return await self.post("problems", {"service_id": service["id"], "title": "It keeps failing"} | given)

    async def link(self, problem: Any, incident: Any, *, status: int = 200) -> Any:
        """Let an incident belong to a problem."""
        path = f"problems/{problem['id']}/incidents/{incident['id']}"
        return checked(await self.send("PUT", path, headers=ANY_VERSION), status)

    async def timeline(self, incident: Any, *kinds: str) -> list[Any]:
        """Return what happened to an incident, or only what is of these kinds."""
        entries = (await self.get(f"incidents/{incident['id']}/timeline"))["items"]
        return [entry for entry in entries if not kinds or entry["kind"] in kinds]

    async def deliver(self, *events: Any, status: int = 202) -> Any:
        """Deliver events as a batch; returns what came of them, None where none was news."""
        response = await self.send(
            "POST", "events", content=json.dumps(events), headers={"Content-Type": "application/cloudevents-batch+json"}
        )
        if response.status_code != status:
            raise AssertionError(f"{response.status_code}, not {status}: {response.text[:2000]}")
        return response.json() if response.content else None

    async def handed_over(self, service: Any = None, **given: Any) -> Any:
        """Let a project hand a service over; returns the handover."""
        event = handover_event(service, **given)
        await self.deliver(event)
        return await self.get(f"handovers/{event['data']['id']}")

    async def outage(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        blank = {"service_id": service["id"], "severity": "major", "started_at": "2026-01-05T10:00:00Z"}
        return await self.post("outages", blank | given)

    async def window(self, service: Any = None, **given: Any) -> Any:
        service = service or await self.service()
        blank = {
            "service_ids": [service["id"]],
            "planned_start": "2026-01-05T22:00:00Z",
            "planned_end": "2026-01-06T02:00:00Z",
        }
        return await self.post("maintenance-windows", blank | given)

    async def change(self, service: Any = None, **given: Any) -> Any:
        """Add a change that passes every guard of its type, asked for by somebody else than the caller."""
        service = service or await self.service()
        blank = {
            "service_ids": [service["id"]],
            "title": "Move the database",
            "risk": "medium",
            "backout_plan": "Point the writers to the old one.",
            "requester": "alan",
            "planned_start": "2026-01-05T22:00:00Z",
            "planned_end": "2026-01-06T02:00:00Z",
        }
        return await self.post("changes", blank | given)

    async def item(self, service: Any = None, *, published: bool = True, **given: Any) -> Any:
        service = service or await self.service()
        blank = {"key": f"i{next(_numbers)}", "service_id": service["id"], "name": "A laptop", "form_schema": FORM}
        made = await self.post("catalogue-items", blank | given)
        return await self.move(f"catalogue-items/{made['id']}", "published") if published else made

    async def request(self, item: Any = None, *, status: int = 201, **given: Any) -> Any:
        item = item or await self.item()
        blank = {"catalogue_item_id": item["id"], "requester": "grace", "form": FILLED_IN}
        return await self.post("service-requests", blank | given, status=status)


def ready_service(**given: Any) -> dict[str, Any]:
    """Return what a service needs that is to pass every guard there is."""
    ready = {
        "owner": "ada",
        "criticality": "tier1",
        "support_team": "desk",
        "boundaries": {
            "inputs": [{"name": "in"}],
            "outputs": [{"name": "out"}],
            "outcomes": [{"name": "better", "measure": "seconds"}],
        },
        "direct_delivery_reason": "It has been there for long.",
        "retire_on": "2030-01-01",
        "retirement_reason": "Nobody asks for it.",
    }
    return ready | given


def handover_event(service: Any = None, *, event_id: str | None = None, **given: Any) -> dict[str, Any]:
    """Return the event by which a project hands over: an existing service, or one to be made."""
    target = {"key": f"h{next(_numbers)}", "name": "Made by a project"} if service is None else service
    data = {
        "id": str(ids.new_id()),
        "version": 1,
        "project_id": str(ids.new_id()),
        "project_key": "crm",
        "attempt": 1,
        "service": target,
        "state": "requested",
        "requested_by": "grace",
        "requested_at": "2026-03-02T10:00:00Z",
    } | given
    return {
        "specversion": "1.0",
        "id": event_id or str(ids.new_id()),
        "source": "/project-tracker",
        "type": "tandem.handover.requested.v1",
        "subject": f"projects/{data['project_id']}/handovers/{data['id']}",
        "time": "2026-03-02T10:00:00Z",
        "partitionkey": data["id"],
        "aggregateversion": "1",
        "data": data,
    }


def own_path(criterion: Any) -> str:
    return f"services/{criterion['service_id']}/acceptance-criteria/{criterion['id']}"


def ago(**given: float) -> str:
    return (clock.now() - timedelta(**given)).isoformat()


def codes(answer: Any) -> list[str]:
    return [guard["code"] for guard in answer["unmet_guards"]]


def refs(answer: Any) -> list[str | None]:
    """Return which resources stand in the way, as an answer lists them."""
    return [guard["ref"] for guard in answer["unmet_guards"]]
