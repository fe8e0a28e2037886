"""The use cases of links: every one holds the project, so that no two together make a cycle."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.batch import Upsert, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Mode, Written
from chassis.reading import get, get_to_change
from chassis.rejection import Rejection
from chassis.writing import add, delete_one, revise
from project_tracker.plans.links.directory import ends_of, link_rows
from project_tracker.plans.links.schemas import DependencyPatch, NewDependency
from project_tracker.plans.links.soundness import Ends, blamed, faults_of, refusal
from project_tracker.plans.references import Named, one_of
from project_tracker.plans.tables import DEPENDENCIES
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.projects.operations import Projects
from project_tracker.projects.parts import Parts

_NAMEABLE = frozenset({"type", "lag", "labels", "external_source", "external_id"})


class Dependencies(Parts):
    """The links between the tasks of projects."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects, tasks: Tasks) -> None:
        super().__init__(database, seal, projects, DEPENDENCIES)
        self._tasks = tasks

    async def create(self, caller: Caller, project_id: UUID, new: NewDependency) -> Written:
        """Link two tasks; refused where the plan would have no schedule any more."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            await self._projects.hold(tx, project_id)
            values = _values(new, await self._named(tx, project_id, [new]), project_id)
            known = [ends_of(row) for row in await link_rows(tx, project_id)]
            await self._refuse_unsound(tx, project_id, [*known, ends_of(values)])
            return await add(tx, DEPENDENCIES, values)

    async def change(
        self, caller: Caller, project_id: UUID, id_: UUID, patch: DependencyPatch, expected: int | None
    ) -> Written:
        """Change the type or the lag."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            await self._projects.hold(tx, project_id)
            row = await get_to_change(tx, DEPENDENCIES, id_, owner=project_id, expected=expected)
            changes = patch.changes(row)
            others = [ends_of(other) for other in await link_rows(tx, project_id) if other["id"] != id_]
            await self._refuse_unsound(tx, project_id, [*others, ends_of({**row, **changes})])
            return await conclude(tx, await revise(tx, DEPENDENCIES, row, changes))

    async def delete(self, caller: Caller, project_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Take a link away."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            await self._projects.hold(tx, project_id)
            await get(tx, DEPENDENCIES, id_, owner=project_id)
            return await conclude(tx, await delete_one(tx, DEPENDENCIES, id_, expected=expected))

    async def batch(
        self, caller: Caller, project_id: UUID, items: Sequence[NewDependency | Rejection], mode: Mode
    ) -> Written:
        """Add or change many; of links that cannot stand together the later ones are refused."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            await self._projects.hold(tx, project_id)
            named = await self._named(tx, project_id, items)
            upserts = [_judged(item, named, project_id) for item in items]
            rows = await link_rows(tx, project_id)
            known, new = _merged(rows, upserts)
            outline = await self._tasks.outline(tx, project_id)
            for index, fault in (await asyncio.to_thread(blamed, outline, known, new)).items():
                upserts[index] = refusal(fault)
            return await conclude(tx, await write_batch(tx, DEPENDENCIES, upserts, mode=mode, owner=project_id))

    async def _named(self, tx: Transaction, project_id: UUID, items: Sequence[NewDependency | Rejection]) -> Named:
        links = [item for item in items if isinstance(item, NewDependency)]
        codes = [wbs for link in links for wbs in (link.predecessor_wbs, link.successor_wbs) if wbs is not None]
        ids = [id_ for link in links for id_ in (link.predecessor_id, link.successor_id) if id_ is not None]
        return await self._tasks.named(tx, project_id, codes, ids)

    async def _refuse_unsound(self, tx: Transaction, project_id: UUID, links: Sequence[Ends]) -> None:
        faults = await asyncio.to_thread(faults_of, await self._tasks.outline(tx, project_id), links)
        if faults:
            raise refusal(*faults)


def _values(new: NewDependency, named: Named, project_id: UUID) -> dict[str, Any]:
    before = ("/predecessor_id", "/predecessor_wbs")
    after = ("/successor_id", "/successor_wbs")
    return {name: getattr(new, name) for name in _NAMEABLE} | {
        "project_id": project_id,
        "predecessor_id": one_of(named, new.predecessor_id, new.predecessor_wbs, before, needed=True),
        "successor_id": one_of(named, new.successor_id, new.successor_wbs, after, needed=True),
    }


def _judged(item: NewDependency | Rejection, named: Named, project_id: UUID) -> Upsert | Rejection:
    if isinstance(item, Rejection):
        return item
    try:
        values = _values(item, named, project_id)
    except Rejection as refused:
        return refused
    ends = {"predecessor_id", "successor_id"}
    return Upsert(values=values, named=frozenset(item.model_fields_set & _NAMEABLE | ends))


def _merged(rows: Sequence[Any], upserts: Sequence[Upsert | Rejection]) -> tuple[list[Ends], dict[int, Ends]]:
    """Return the links that stay as they are, and those the batch adds or changes by their place in it."""
    by_external = {(row["external_source"], row["external_id"]): row for row in rows if row["external_id"]}
    replaced: set[UUID] = set()
    new: dict[int, Ends] = {}
    for index, upsert in enumerate(upserts):
        if not isinstance(upsert, Upsert):
            continue
        values: Mapping[str, Any] = upsert.values
        row = by_external.get((values["external_source"], values["external_id"]))
        if row is not None:
            replaced.add(row["id"])
            values = {**values, "type": values["type"] if "type" in upsert.named else row["type"]}
        new[index] = ends_of(values)
    return [ends_of(row) for row in rows if row["id"] not in replaced], new
