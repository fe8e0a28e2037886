"""A database of the engine, and siblings that tell it things by events."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis import clock, ids
from chassis.caller import Caller
from chassis.events.envelope import Event
from chassis.events.handling import apply_events
from chassis.events.position import Position
from chassis.events.progress import CursorRow
from chassis.schemas import instant_text
from chassis.testkit.applications import settings_on
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.tokens import Signer
from kpi_engine.intake.handlers import handlers_of
from kpi_engine.main import create_app
from kpi_engine.settings import Settings

CATALOG, TRACKER = "service-catalog", "project-tracker"
WORKER = Caller(org="", subject="tests")


@pytest.fixture(scope="module")
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("kpi_engine")


@pytest.fixture(scope="module")
async def pools(addresses: Addresses) -> AsyncIterator[Pools]:
    async with addresses.pools() as both:
        yield both


@pytest.fixture(scope="module")
def settings(addresses: Addresses, signer: Signer, jwks_file: Path) -> Settings:
    return settings_on(addresses, Settings, jwks_file=jwks_file, signer=signer)


@pytest.fixture(scope="module")
async def engine(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings), as_documented=True) as client:
        yield client


@dataclass
class Clients:
    """Asks the engine as an organisation."""

    engine: httpx.AsyncClient
    signer: Signer
    org: str

    async def get(
        self, path: str, *, org: str | None = None, scope: str = "kpi:read", status: int = 200, **query: Any
    ) -> Any:
        """Ask for a path below /v1 and return the JSON, having checked the status."""
        token = self.signer.token(scope, org=org or self.org, aud="kpi-engine")
        asked = {name.removesuffix("_"): value for name, value in query.items() if value is not None}
        answer = await self.engine.get(
            f"/v1/{path}", params=asked or None, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def value(self, code: str, **query: Any) -> Any:
        """Return the one value of a KPI that answers."""
        (item,) = (await self.get(f"kpis/{code}/values", **query))["items"]
        return item


@pytest.fixture
def ask(engine: httpx.AsyncClient, signer: Signer, org: str) -> Clients:
    return Clients(engine, signer, org)


@pytest.fixture
def org() -> str:
    return f"org-{ids.new_id()}"


@dataclass
class Siblings:
    """Tells the engine about resources as their services do: representation, version, position."""

    pools: Pools
    org: str
    positions: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def event(
        self, source: str, collection: str, data: dict[str, Any], *, verb: str = "updated", epoch: int = 1
    ) -> Event:
        noun = {"baseline-tasks": "baseline_task", "progress-reports": "progress_report"}.get(
            collection, collection.removesuffix("s").replace("-", "_")
        )
        subject = f"{collection}/{data['id']}"
        self.versions[subject] = self.versions.get(subject, 0) + 1
        self.positions[source] = self.positions.get(source, 0) + 1
        return Event.model_validate(
            {
                "specversion": "1.0",
                "id": str(ids.new_id()),
                "source": f"/{source}",
                "type": f"tandem.{noun}.{verb}.v1",
                "subject": subject,
                "time": instant_text(clock.now()),
                "orgid": self.org,
                "partitionkey": str(data["id"]),
                "aggregateversion": str(self.versions[subject]),
                "sequence": str(Position(epoch, self.positions[source])),
                "data": {"version": self.versions[subject], "updated_at": instant_text(clock.now()), **data},
            }
        )

    async def apply(self, source: str, events: Iterable[Event], *, filling: int = 1) -> None:
        async with self.pools.worker.begin(WORKER) as tx:
            await apply_events(tx, source, events, handlers_of(source, filling))

    async def tell(self, source: str, collection: str, *resources: dict[str, Any], verb: str = "updated") -> None:
        """Tell of resources and move the cursor behind them."""
        await self.apply(source, [self.event(source, collection, one, verb=verb) for one in resources])
        async with self.pools.worker.begin(WORKER) as tx:
            cursor = CursorRow(source)
            await cursor.open(tx, 1)
            at = Position(1, self.positions[source])
            held = await cursor.hold(tx)
            if held is not None and held.position < at:
                await cursor.move(tx, at, head=at, recorded_at=tx.now, reread_to=None)

    async def service(self, **given: Any) -> UUID:
        id_ = ids.new_id()
        blank = {
            "id": str(id_),
            "key": f"service-{id_}",
            "name": "a service",
            "state": "supporting",
            "calendar_id": None,
            "live_from": "2020-01-01T00:00:00Z",
            "retired_at": None,
        }
        await self.tell(CATALOG, "services", blank | given)
        return id_

    async def outages(self, service_id: UUID, *spans: tuple[str, str | None], severity: str = "major") -> None:
        await self.tell(
            CATALOG,
            "outages",
            *(
                {
                    "id": str(ids.new_id()),
                    "service_id": str(service_id),
                    "severity": severity,
                    "started_at": start,
                    "ended_at": end,
                    "incident_id": None,
                    "state": "open" if end is None else "ended",
                }
                for start, end in spans
            ),
        )

    async def windows(self, *service_ids: UUID, **given: Any) -> None:
        blank = {
            "id": str(ids.new_id()),
            "service_ids": [str(one) for one in service_ids],
            "announced_at": "2025-01-01T00:00:00Z",
            "actual_start": None,
            "actual_end": None,
            "state": "scheduled",
        }
        await self.tell(CATALOG, "maintenance-windows", blank | given)

    async def project(self, **given: Any) -> UUID:
        id_ = ids.new_id()
        blank = {
            "id": str(id_),
            "key": f"project-{id_}",
            "name": "a project",
            "currency": "EUR",
            "calendar_id": None,
            "start_at": "2026-01-05T08:00:00Z",
            "deadline_at": None,
            "state": "executing",
            "outcome": None,
        }
        await self.tell(TRACKER, "projects", blank | given)
        return id_

    async def task(self, project_id: UUID, wbs: str, **given: Any) -> UUID:
        id_ = ids.new_id()
        blank = {"id": str(id_), "project_id": str(project_id), "wbs": wbs, "name": wbs, "kind": "task"}
        await self.tell(TRACKER, "tasks", blank | given)
        return id_

    async def baseline(
        self, project_id: UUID, *tasks: dict[str, Any], calendar: Any = None, missing: int = 0, **given: Any
    ) -> UUID:
        """Tell of a baseline and, but for some of them, of its tasks: `task_id, wbs, start, finish, budget`."""
        id_ = ids.new_id()
        blank = {
            "id": str(id_),
            "project_id": str(project_id),
            "number": 1,
            "task_count": len(tasks),
            "approved_at": "2026-01-01T00:00:00Z",
            "management_reserve": None,
            "calendar": calendar,
        }
        frozen = [
            {
                "id": str(ids.new_id()),
                "baseline_id": str(id_),
                "kind": "task",
                "fixed_accrual": "start",
                "earning_rule": "percent_complete",
                "fixed_budget": None,
            }
            | task
            | {"task_id": str(task["task_id"]), "budget": money(task.get("budget", "0"))}
            for task in tasks
        ]
        await self.tell(TRACKER, "baseline-tasks", *frozen[: len(frozen) - missing])
        await self.tell(TRACKER, "baselines", blank | given)
        return id_

    async def reports(self, project_id: UUID, *reports: tuple[UUID, str, str]) -> None:
        """Tell of progress: task, status time, percent."""
        rows = (
            {
                "id": str(ids.new_id()),
                "project_id": str(project_id),
                "task_id": str(task_id),
                "status_at": at,
                "percent_complete": percent,
            }
            for task_id, at, percent in reports
        )
        await self.tell(TRACKER, "progress-reports", *rows)

    async def costs(self, project_id: UUID, *costs: tuple[UUID | None, str, str]) -> None:
        """Tell of costs: task, when, amount."""
        rows = (
            {
                "id": str(ids.new_id()),
                "project_id": str(project_id),
                "task_id": None if task_id is None else str(task_id),
                "incurred_at": at,
                "amount": money(amount),
                "category": "labour",
            }
            for task_id, at, amount in costs
        )
        await self.tell(TRACKER, "costs", *rows)


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def siblings(pools: Pools, org: str) -> Siblings:
    return Siblings(pools, org)
