"""Placing new and changed tasks in a plan's tree, all at once, so that their order does not matter."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.rejection import Fault, Rejection, invalid
from project_tracker.plans.links.soundness import Ends, faults_of, refusal
from project_tracker.plans.tasks.outline import Node, Outline

WBS_TAKEN = Rejection("conflict", "wbs-taken", "Another task of the project has this wbs.")
REPEATED = invalid(Fault("", "repeated-in-batch", "The batch names the same resource twice."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A task to be added or changed: `known` is what it was; `kind` and `parent_wbs` None where nothing is said.

    `is_placed` says that the client spoke of the parent, be it to leave it to the wbs again.
    """

    id: UUID
    wbs: str
    kind: str | None
    parent_wbs: str | None
    is_placed: bool
    known: Node | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The tree as it becomes, and the items that have no place in it."""

    outline: Outline
    refused: Mapping[int, Rejection]


def place(outline: Outline, links: Sequence[Ends], items: Mapping[int, Placement]) -> Placed:
    """Return the tree with these items in it; what cannot be is refused, and with it what hangs on it."""
    refused = _clashes(outline, items)
    while True:
        live = {index: item for index, item in items.items() if index not in refused}
        nodes, orphans = _nodes(outline, live)
        if orphans:
            refused |= orphans
            continue
        after = outline.with_nodes(nodes).settled()
        faults = faults_of(after, links) if live else ()
        if not faults:
            return Placed(after, refused)
        concerned = {id_ for fault in faults for id_ in fault.task_ids}
        guilty = [index for index, item in live.items() if concerned.intersection(after.lineage(item.id))]
        refused |= dict.fromkeys(guilty or live, refusal(*faults))


def _clashes(outline: Outline, items: Mapping[int, Placement]) -> dict[int, Rejection]:
    named: dict[object, list[int]] = defaultdict(list)
    for index, item in items.items():
        named[item.wbs].append(index)
        if item.known is not None:
            named[item.id].append(index)
    refused = {index: REPEATED for indexes in named.values() if len(indexes) > 1 for index in indexes}
    for index, item in items.items():
        holder = outline.id_of(item.wbs)
        if holder is not None and holder != item.id:
            refused.setdefault(index, WBS_TAKEN)
    return refused


def _nodes(outline: Outline, live: Mapping[int, Placement]) -> tuple[list[Node], dict[int, Rejection]]:
    names = outline.by_wbs | {item.wbs: item.id for item in live.values()}
    nodes: list[Node] = []
    orphans: dict[int, Rejection] = {}
    for index, item in live.items():
        node = item.known or Node(item.id, item.wbs, item.kind or "task")
        node = replace(node, wbs=item.wbs, kind=item.kind or node.kind)
        if item.parent_wbs is not None:
            parent = names.get(item.parent_wbs)
            if parent is None:
                orphans[index] = invalid(Fault("/parent_wbs", "reference-unknown", "There is no such task."))
            node = replace(node, parent_id=parent, parent_is_given=True)
        elif item.is_placed:
            node = replace(node, parent_id=None, parent_is_given=False)
        nodes.append(node)
    return nodes, orphans
