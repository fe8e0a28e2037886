"""A database of the engine, and siblings that tell it things by events."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from chassis import clock, ids
from chassis.caller import Caller
from chassis.events.envelope import Event
from chassis.events.handling import apply_events
from chassis.events.position import Position
from chassis.events.progress import CursorRow
from chassis.schemas import instant_text
from chassis.testkit.databases import Addresses, Pools
from kpi_engine.intake.handlers import handlers_of

CATALOG, TRACKER = "service-catalog", "project-tracker"
WORKER = Caller(org="", subject="tests")


@pytest.fixture(scope="module")
def addresses(new_database: Callable[[str], Addresses]) -> Addresses:
    return new_database("kpi_engine")


@pytest.fixture(scope="module")
async def pools(addresses: Addresses) -> AsyncIterator[Pools]:
    async with addresses.pools() as both:
        yield both


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
            held = await cursor.read(tx, lock=True)
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


@pytest.fixture
def siblings(pools: Pools, org: str) -> Siblings:
    return Siblings(pools, org)
