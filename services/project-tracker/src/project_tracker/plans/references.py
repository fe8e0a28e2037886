"""Naming a task of a project: by its id or by its wbs."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from chassis.database import Transaction
from chassis.rejection import Fault, Rejection, invalid
from project_tracker.plans.tasks.operations import Tasks

Named = Mapping[str | UUID, UUID]


class NamesTask(Protocol):
    """What carries `task_id` or `wbs`."""

    @property
    def task_id(self) -> UUID | None:
        """The task's id."""

    @property
    def wbs(self) -> str | None:
        """The task's code."""


async def named_tasks(tx: Transaction, tasks: Tasks, project_id: UUID, items: Sequence[NamesTask | Rejection]) -> Named:
    """Return the tasks that these items name, in one statement."""
    asking = [item for item in items if not isinstance(item, Rejection)]
    codes = [item.wbs for item in asking if item.wbs is not None]
    ids = [item.task_id for item in asking if item.task_id is not None]
    return await tasks.named(tx, project_id, codes, ids) if codes or ids else {}


def task_of(item: NamesTask, known: Named, *, needed: bool) -> UUID | None:
    """Return the task an item names; None where it names none and may."""
    return one_of(known, item.task_id, item.wbs, ("/task_id", "/wbs"), needed=needed)


def one_of(known: Named, id_: UUID | None, wbs: str | None, pointers: tuple[str, str], *, needed: bool) -> UUID | None:
    """Return the task of this id or this wbs; refuse what does not exist, and both where they differ."""
    found: dict[str, UUID] = {}
    for pointer, name in zip(pointers, (id_, wbs), strict=True):
        if name is None:
            continue
        if name not in known:
            raise invalid(Fault(pointer, "reference-unknown", "The project has no such task."))
        found[pointer] = known[name]
    if len(set(found.values())) > 1:
        raise invalid(Fault(pointers[1], "reference-differs", "The id and the wbs name two tasks."))
    if not found and needed:
        raise invalid(Fault(pointers[1], "missing", "A task is named by its wbs or its id."))
    return next(iter(found.values()), None)
