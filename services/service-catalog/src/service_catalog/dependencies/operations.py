"""The use cases of dependencies."""

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, known_rows, without_repeated, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Transaction
from chassis.keys import command, conclude
from chassis.listing import Listing
from chassis.outcome import Found, Mode, Page, Written
from chassis.reading import get, get_to_change, get_to_delete, list_page
from chassis.rejection import Rejection, invalid
from chassis.writing import add, delete_one, revise
from service_catalog.dependencies import importing, soundness
from service_catalog.dependencies.cycles import closing
from service_catalog.dependencies.graph import (
    CLOSES_CYCLE,
    HARD_AROUND,
    HARD_LINKS_BELOW,
    LINKS,
    LINKS_AMONG,
    LOCK_GRAPH,
    neighbours,
    walk,
)
from service_catalog.dependencies.schemas import DependencyItem, DependencyPatch, NewDependency
from service_catalog.dependencies.tables import DEPENDENCIES
from service_catalog.services.directory import hold_services, service_card, service_cards


class Dependencies:
    """Which service depends on which."""

    def __init__(self, database: Database, seal: CursorSeal) -> None:
        self._database = database
        self._seal = seal

    async def create(self, caller: Caller, service_id: UUID, new: NewDependency) -> Written:
        """Let a service depend on another, if no cycle comes of it."""
        async with command(self._database, caller) as tx:
            await tx.run(LOCK_GRAPH, org=caller.org)
            await service_card(tx, service_id)
            other = await _other(tx, service_id, new)
            if other == service_id:
                raise invalid(soundness.itself("/depends_on_id" if new.depends_on_id else "/depends_on_key"))
            refusal = soundness.over(await service_card(tx, other))
            if refusal is not None:
                raise refusal
            if await tx.one(CLOSES_CYCLE, service_id=service_id, depends_on_id=other) is not None:
                raise soundness.cycle(other)
            values = new.model_dump(exclude={"depends_on_key"}) | {"service_id": service_id, "depends_on_id": other}
            return await add(tx, DEPENDENCIES, values)

    async def get(self, caller: Caller, service_id: UUID, id_: UUID) -> Found:
        """Return one dependency of a service."""
        async with self._database.read(caller) as tx:
            return await get(tx, DEPENDENCIES, id_, owner=service_id)

    async def list(self, caller: Caller, service_id: UUID, listing: Listing) -> Page:
        """Return a page of what a service depends on."""
        async with self._database.read(caller) as tx:
            await service_card(tx, service_id)
            return await list_page(tx, DEPENDENCIES, listing, self._seal)

    async def change(
        self, caller: Caller, service_id: UUID, id_: UUID, patch: DependencyPatch, expected: int | None
    ) -> Written:
        """Change what was sent; the ends stay."""
        async with command(self._database, caller) as tx:
            row = await get_to_change(tx, DEPENDENCIES, id_, owner=service_id, expected=expected)
            changes = patch.changes(row)
            return await conclude(tx, await revise(tx, DEPENDENCIES, row, changes))

    async def delete(self, caller: Caller, service_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Let a service no longer depend on another."""
        async with command(self._database, caller) as tx:
            await get_to_delete(tx, DEPENDENCIES, id_, owner=service_id)
            return await conclude(tx, await delete_one(tx, DEPENDENCIES, id_, expected=expected))

    async def batch(self, caller: Caller, items: Sequence[DependencyItem | Rejection], mode: Mode) -> Written:
        """Add or change many; of new ones that together would close a cycle the later are refused."""
        sound = [item for item in items if isinstance(item, DependencyItem)]
        async with command(self._database, caller) as tx:
            await tx.run(LOCK_GRAPH, org=caller.org)
            services = await hold_services(
                tx,
                keys=(key for item in sound for key in (item.service_key, item.depends_on_key)),
                ids=(id_ for item in sound for id_ in (item.service_id, item.depends_on_id)),
            )
            cards = await service_cards(tx, services.ids)
            said = [importing.said(item, services) for item in items]
            known = await known_rows(
                tx, DEPENDENCIES, [one.identity for one in said if isinstance(one, importing.Said)]
            )
            upserts = without_repeated(DEPENDENCIES, [importing.drafted(one, known, cards) for one in said], known)
            new = {
                index: (upsert.values["service_id"], upsert.values["depends_on_id"])
                for index, (one, upsert) in enumerate(zip(said, upserts, strict=True))
                if isinstance(one, importing.Said) and isinstance(upsert, Upsert) and one.identity not in known
            }
            links = [(row["service_id"], row["depends_on_id"]) for row in await tx.all(LINKS)] if new else []
            places = list(new)
            for place in await asyncio.to_thread(closing, links, list(new.values())):
                upserts[places[place]] = soundness.cycle(new[places[place]][1])
            return await conclude(tx, await write_batch(tx, DEPENDENCIES, upserts, mode=mode, known=known))

    async def impact(self, caller: Caller, service_id: UUID, direction: str, depth: int, most: int) -> Found:
        """Return what a service depends on, or what depends on it."""
        async with self._database.read(caller) as tx:
            await service_card(tx, service_id)
            rows = await tx.all(walk(direction), starts=[service_id], depth=depth, most=most)
            links = await tx.all(LINKS_AMONG, service_ids=[service_id, *(row["id"] for row in rows)])
            document = {
                "service_id": str(service_id),
                "direction": direction,
                "depth": depth,
                "count": rows[0]["number"] if rows else 0,
                "items": [_reached(row) for row in rows],
                "links": [
                    {
                        "service_id": str(link["service_id"]),
                        "depends_on_id": str(link["depends_on_id"]),
                        "type": link["type"],
                    }
                    for link in links
                ],
            }
            return Found(json.dumps(document, ensure_ascii=False))

    async def hard_of(self, tx: Reading, service_id: UUID) -> Sequence[Any]:
        """Return what a service depends on by a hard link of its own: id, key, name and state."""
        return await tx.all(neighbours("down"), service_id=service_id, hard_only=True)

    async def hard_around(self, tx: Reading, service_ids: Collection[UUID]) -> frozenset[UUID]:
        """Return what is one hard link away from any of the services, whichever of the two depends on the other."""
        rows = await tx.all(HARD_AROUND, service_ids=sorted(service_ids))
        return frozenset(row["id"] for row in rows)

    async def hard_links_below(self, tx: Reading, service_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[UUID]]:
        """Return what each of the services cannot work without by a link of its own, and so on all the way down."""
        links: dict[UUID, list[UUID]] = {}
        for row in await tx.all(HARD_LINKS_BELOW, starts=[*service_ids]):
            links.setdefault(row["service_id"], []).append(row["depends_on_id"])
        return links

    async def dependents_of(self, tx: Reading, service_id: UUID) -> Sequence[Any]:
        """Return what depends on a service by a link of its own: id, key, name and state."""
        return await tx.all(neighbours("up"), service_id=service_id, hard_only=False)


async def _other(tx: Transaction, service_id: UUID, new: NewDependency) -> UUID:
    """Return the service depended on; until the transaction ends neither of the two enters another state."""
    known = await hold_services(tx, keys=[new.depends_on_key], ids=[service_id, new.depends_on_id])
    found = known.id_of(new.depends_on_id, new.depends_on_key, "depends_on")
    if isinstance(found, Rejection):
        raise found
    return found


def _reached(row: Any) -> dict[str, Any]:
    return {
        "service_id": str(row["id"]),
        "key": row["key"],
        "name": row["name"],
        "state": row["state"],
        "depth": row["depth"],
        "via": "hard" if row["is_hard"] else "soft",
    }
