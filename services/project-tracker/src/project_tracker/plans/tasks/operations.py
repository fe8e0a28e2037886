"""The use cases of tasks: every one holds the project, so that the tree changes in one place at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from chassis import ids
from chassis.batch import Upsert, write_batch
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database, Reading, Statement, Transaction
from chassis.keys import command, conclude
from chassis.merging import whole
from chassis.outcome import Mode, Written
from chassis.reading import get, get_to_change
from chassis.rejection import Rejection
from chassis.writing import Row, add_where, delete_one, insert_one, revise, update_many
from project_tracker.calendars.directory import refuse_unknown_calendars
from project_tracker.plans.links.directory import links_of
from project_tracker.plans.tables import TASKS, task
from project_tracker.plans.tasks.drafts import IN_TREE, NEVER_NULL, columns, refuse_reversed
from project_tracker.plans.tasks.lone import PLACE, place_of
from project_tracker.plans.tasks.outline import Node, Outline, outline_of, reading_order
from project_tracker.plans.tasks.placing import Placed, Placement, place
from project_tracker.plans.tasks.schemas import NewTask, TaskItem, TaskPatch
from project_tracker.projects.drafts import incomplete, with_labels_merged
from project_tracker.projects.operations import Projects
from project_tracker.projects.parts import Parts

_OF_PROJECT = task.c.project_id == bindparam("project_id", type_=Uuid)
_NODES = (task.c.id, task.c.wbs, task.c.kind, task.c.parent_id, task.c.parent_is_given)
_BESIDE = (task.c.external_source, task.c.external_id, task.c.actual_start_at, task.c.actual_finish_at)
_TREE = Statement(select(*_NODES, *_BESIDE).where(_OF_PROJECT))
_PLAN = Statement(select(*task.c).where(_OF_PROJECT))
_NAMED = Statement(
    select(task.c.id, task.c.wbs).where(
        _OF_PROJECT,
        or_(
            task.c.wbs == func.any(bindparam("codes", type_=ARRAY(Text))),
            task.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
        ),
    )
)
_FIELDS = frozenset(TaskItem.model_fields)


@dataclass(frozen=True, slots=True)
class _Tree:
    outline: Outline
    by_external: Mapping[tuple[str, str], UUID]
    rows: Mapping[UUID, Any]

    def known(self, item: TaskItem) -> Node | None:
        """Return the task an item means: by its external id, else by its wbs."""
        if item.external_source is not None and item.external_id is not None:
            id_ = self.by_external.get((item.external_source, item.external_id))
        else:
            id_ = self.outline.id_of(item.wbs)
        return None if id_ is None else self.outline.nodes[id_]


class Tasks(Parts):
    """The tasks of projects."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects) -> None:
        super().__init__(database, seal, projects, TASKS)

    async def create(self, caller: Caller, project_id: UUID, new: NewTask) -> Written:
        """Add a task; those whose wbs it is the prefix of become its subtasks."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            refuse_reversed(vars(new))
            return await _added_alone(tx, project_id, new) or await self._added_to_tree(tx, project_id, new)

    async def change(
        self, caller: Caller, project_id: UUID, id_: UUID, patch: TaskPatch, expected: int | None
    ) -> Written:
        """Change what was sent."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            project = await self._projects.hold(tx, project_id)
            row = await get_to_change(tx, TASKS, id_, owner=project_id, expected=expected)
            sent = frozenset(patch.model_fields_set)
            changes = with_labels_merged(row, columns(whole(patch, row), sent, project["currency"]))
            refuse_reversed({**row, **changes})
            if sent & (IN_TREE | {"wbs"}):
                changes |= await self._moved(tx, project_id, id_, patch, sent)
            return await conclude(tx, await revise(tx, TASKS, row, changes))

    async def delete(self, caller: Caller, project_id: UUID, id_: UUID, expected: int | None) -> Written:
        """Delete a task that nothing hangs on; in a baseline it stays."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            await self._projects.hold(tx, project_id)
            await get(tx, TASKS, id_, owner=project_id)
            return await conclude(tx, await delete_one(tx, TASKS, id_, expected=expected))

    async def batch(
        self, caller: Caller, project_id: UUID, items: Sequence[TaskItem | Rejection], mode: Mode
    ) -> Written:
        """Add or change many, in any order."""
        async with command(self._database, caller, alone_in=project_id) as tx:
            project = await self._projects.hold(tx, project_id)
            tree = await self._tree(tx, project_id)
            upserts, placements = _judged(items, tree, project)
            await refuse_unknown_calendars(tx, upserts)
            wanted = {index: found for index, found in placements.items() if isinstance(upserts[index], Upsert)}
            placed = await self._place(tx, project_id, tree.outline, wanted)
            for index, upsert in enumerate(upserts):
                if isinstance(upsert, Upsert):
                    upserts[index] = placed.refused.get(index) or _settled(upsert, placements[index], placed.outline)
            written = await write_batch(tx, TASKS, upserts, mode=mode, owner=project_id)
            own = {item.id for index, item in wanted.items() if index not in placed.refused}
            last_event = await _move_others(tx, tree.outline, placed.outline, own)
            return await conclude(tx, replace(written, event_id=last_event or written.event_id))

    async def plan(self, tx: Reading, project_id: UUID) -> list[Any]:
        """Return the rows of all tasks of a project, in the order of their codes."""
        rows = await tx.all(_PLAN, project_id=project_id)
        return sorted(rows, key=lambda row: reading_order(row["wbs"]))

    async def outline(self, tx: Transaction, project_id: UUID) -> Outline:
        """Return the tree of a project's tasks."""
        return (await self._tree(tx, project_id)).outline

    async def named(
        self, tx: Transaction, project_id: UUID, codes: Sequence[str], ids_: Sequence[UUID]
    ) -> dict[str | UUID, UUID]:
        """Return the ids of the project's tasks that carry one of these codes or ids, by both."""
        rows = await tx.all(_NAMED, project_id=project_id, codes=codes, ids=ids_)
        return {row["wbs"]: row["id"] for row in rows} | {row["id"]: row["id"] for row in rows}

    async def _tree(self, tx: Transaction, project_id: UUID) -> _Tree:
        rows = await tx.all(_TREE, project_id=project_id)
        external = {(row["external_source"], row["external_id"]): row["id"] for row in rows if row["external_id"]}
        return _Tree(outline_of(rows), external, {row["id"]: row for row in rows})

    async def _added_to_tree(self, tx: Transaction, project_id: UUID, new: NewTask) -> Written:
        """Add a task wherever it belongs, with a look at the whole tree; others follow it."""
        project = await self._projects.hold(tx, project_id)
        values = _values(new, project_id, project["currency"])
        item = Placement(id=ids.new_id(), wbs=new.wbs, kind=new.kind, parent_wbs=new.parent_wbs, is_placed=True)
        outline = await self.outline(tx, project_id)
        placed = await self._place(tx, project_id, outline, {0: item})
        _raise_first(placed)
        values |= _node_columns(placed.outline.nodes[item.id]) | {"currency": project["currency"]}
        written = await insert_one(tx, TASKS, values, id_=item.id)
        await _move_others(tx, outline, placed.outline, {item.id})
        return await conclude(tx, written)

    async def _place(
        self, tx: Transaction, project_id: UUID, outline: Outline, items: Mapping[int, Placement]
    ) -> Placed:
        return await asyncio.to_thread(place, outline, await links_of(tx, project_id), items)

    async def _moved(
        self, tx: Transaction, project_id: UUID, id_: UUID, patch: TaskPatch, sent: frozenset[str]
    ) -> dict[str, Any]:
        """Return where a changed task lies; others follow it."""
        outline = await self.outline(tx, project_id)
        known = outline.nodes[id_]
        item = Placement(
            id=id_,
            wbs=patch.wbs if "wbs" in sent else known.wbs,
            kind=patch.kind if "kind" in sent else None,
            parent_wbs=patch.parent_wbs if "parent_wbs" in sent else None,
            is_placed="parent_wbs" in sent,
            known=known,
        )
        placed = await self._place(tx, project_id, outline, {0: item})
        _raise_first(placed)
        node = placed.outline.nodes[id_]
        if item.kind not in {None, node.kind}:
            raise Rejection("conflict", "task-has-subtasks", "A task with subtasks is a summary.")
        await _move_others(tx, outline, placed.outline, {id_})
        return _node_columns(node)


async def _added_alone(tx: Transaction, project_id: UUID, new: NewTask) -> Written | None:
    """Add a task by one statement, if nothing else moves for it."""
    currencies = {money.currency for money in (new.budget, new.fixed_budget) if money is not None}
    if len(currencies) > 1:
        return None
    currency = next(iter(currencies), None)
    place = {"wbs": new.wbs, "kind": new.kind, "parent_is_given": new.parent_wbs is not None}
    values = _values(new, project_id, currency or "") | place
    return await add_where(tx, TASKS, values, PLACE, **place_of(project_id, new, currency))


def _judged(
    items: Sequence[TaskItem | Rejection], tree: _Tree, project: Mapping[str, Any]
) -> tuple[list[Upsert | Rejection], dict[int, Placement]]:
    upserts: list[Upsert | Rejection] = []
    placements: dict[int, Placement] = {}
    for index, item in enumerate(items):
        if isinstance(item, Rejection):
            upserts.append(item)
            continue
        known = tree.known(item)
        refusal = None if known else incomplete(item, "name")
        sent = item.model_fields_set
        id_ = known.id if known else ids.new_id()
        placements[index] = Placement(
            id=id_,
            wbs=item.wbs,
            kind=item.kind if known is None or "kind" in sent else None,
            parent_wbs=item.parent_wbs,
            is_placed="parent_wbs" in sent,
            known=known,
        )
        upserts.append(refusal or _drafted(item, id_, tree.rows.get(id_, {}), project))
    return upserts, placements


def _drafted(item: TaskItem, id_: UUID, known: Mapping[str, Any], project: Mapping[str, Any]) -> Upsert | Rejection:
    try:
        values = _values(item, project["id"], project["currency"]) | {"currency": project["currency"]}
        named = columns(item, _sent(item), project["currency"])
        refuse_reversed({**known, **named})
    except Rejection as rejection:
        return rejection
    return Upsert(values=values, named=frozenset(named), id=id_)


def _sent(item: TaskItem) -> frozenset[str]:
    """Return the fields an item names; null means nothing where there is always a value."""
    return frozenset(name for name in item.model_fields_set if not (name in NEVER_NULL and getattr(item, name) is None))


def _values(sent: NewTask | TaskItem, project_id: UUID, currency: str) -> dict[str, Any]:
    values = columns(sent, _FIELDS, currency)
    values["percent_complete"] = values["percent_complete"] or Decimal(0)
    return values | {"project_id": project_id}


def _node_columns(node: Node) -> dict[str, Any]:
    return {
        "wbs": node.wbs,
        "kind": node.kind,
        "parent_id": node.parent_id,
        "parent_is_given": node.parent_is_given,
    }


def _settled(upsert: Upsert, item: Placement, outline: Outline) -> Upsert:
    values = _node_columns(outline.nodes[item.id])
    return replace(upsert, values={**upsert.values, **values}, named=upsert.named | values.keys())


async def _move_others(tx: Transaction, before: Outline, after: Outline, own: set[UUID]) -> UUID | None:
    """Write where other tasks lie now, or that they became summaries; return the last event."""
    moved = [node for node in after.moved(before) if node.id not in own]
    rows = [Row(id=node.id, values=_node_columns(node), verb="updated") for node in moved]
    written = await update_many(tx, TASKS, rows)
    return written[-1]["event_id"] if written else None


def _raise_first(placed: Placed) -> None:
    for rejection in placed.refused.values():
        raise rejection
