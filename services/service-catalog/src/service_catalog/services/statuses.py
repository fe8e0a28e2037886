"""How services are right now, told from what is open around them."""

import json
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from chassis.caller import Caller
from chassis.database import Database, Reading
from chassis.outcome import Found
from chassis.reading import get_row
from chassis.schemas import instant_text
from service_catalog.dependencies.operations import Dependencies
from service_catalog.incidents.operations import NONE_OPEN, Incidents
from service_catalog.maintenance_windows.operations import MaintenanceWindows
from service_catalog.outages.operations import Outages
from service_catalog.services.condition import distances, operational_status, worst_status
from service_catalog.services.directory import service_cards
from service_catalog.services.tables import SERVICES

IMPAIRED_MAX = 1000


class ServiceStatuses:
    """The statuses of services: computed when asked for, and without a version."""

    def __init__(
        self,
        database: Database,
        *,
        incidents: Incidents,
        outages: Outages,
        windows: MaintenanceWindows,
        dependencies: Dependencies,
    ) -> None:
        self._database = database
        self._incidents = incidents
        self._outages = outages
        self._windows = windows
        self._dependencies = dependencies

    async def get(self, caller: Caller, id_: UUID) -> Found:
        """Return how a service is."""
        async with self._database.read(caller) as tx:
            await get_row(tx, SERVICES, id_)
            outages = await self._outages.open_of(tx, id_)
            windows = await self._windows.running_of(tx, id_)
            incidents = await self._incidents.open_of(tx, id_)
            depths = distances(id_, await self._dependencies.hard_links_below(tx, [id_]))
            own = await self._own(tx, [*depths])
            document = {
                "service_id": str(id_),
                "operational_status": own[id_],
                "open_outages": outages,
                "maintenance_windows": windows,
                "open_incidents": incidents.number,
                "open_major_incidents": incidents.major,
                "impaired_dependencies": await self._impaired(tx, id_, depths, own),
                "status_with_dependencies": worst_status(own.values()),
                "at": instant_text(tx.now),
            }
            return Found(json.dumps(document, ensure_ascii=False))

    async def several(self, caller: Caller, ids: Sequence[UUID]) -> Found:
        """Return how services are, in the order in which they are named; those that do not exist are left out."""
        async with self._database.read(caller) as tx:
            cards = await service_cards(tx, ids)
            links = await self._dependencies.hard_links_below(tx, cards)
            own = await self._own(tx, [*{*cards, *links, *(end for ends in links.values() for end in ends)}])
            whole: dict[UUID, str] = {}
            for id_ in TopologicalSorter(links).static_order():  # what others depend on comes before them
                whole[id_] = worst_status([own[id_], *(whole[end] for end in links.get(id_, ()))])
            incidents = await self._incidents.open_among(tx, [*cards])
            items = [
                {
                    "service_id": str(id_),
                    "key": cards[id_]["key"],
                    "name": cards[id_]["name"],
                    "operational_status": own[id_],
                    "status_with_dependencies": whole.get(id_, own[id_]),
                    "open_incidents": incidents.get(id_, NONE_OPEN).number,
                    "open_major_incidents": incidents.get(id_, NONE_OPEN).major,
                    "at": instant_text(tx.now),
                }
                for id_ in dict.fromkeys(ids)
                if id_ in cards
            ]
            return Found(json.dumps({"items": items, "next": None}, ensure_ascii=False))

    async def _own(self, tx: Reading, ids: Sequence[UUID]) -> dict[UUID, str]:
        """Return the operational status of each service itself."""
        severities = await self._outages.open_among(tx, ids) if ids else {}
        in_maintenance = await self._windows.running_among(tx, ids) if ids else frozenset()
        return {one: operational_status(severities.get(one, ()), in_maintenance=one in in_maintenance) for one in ids}

    async def _impaired(
        self, tx: Reading, id_: UUID, depths: Mapping[UUID, int], own: Mapping[UUID, str]
    ) -> Sequence[dict[str, Any]]:
        """Return what the service cannot work without and that is not operational, the nearest first."""
        impaired = [one for one in depths if one != id_ and own[one] != "operational"]
        cards = await service_cards(tx, impaired)
        impaired.sort(key=lambda one: (depths[one], cards[one]["key"]))
        return [
            {
                "service_id": str(one),
                "key": cards[one]["key"],
                "name": cards[one]["name"],
                "depth": depths[one],
                "operational_status": own[one],
            }
            for one in impaired[:IMPAIRED_MAX]
        ]
