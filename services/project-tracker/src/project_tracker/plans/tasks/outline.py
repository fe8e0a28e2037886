"""The tree of a plan by its codes: where a task belongs, and what moves when one comes or goes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

SUMMARY = "summary"
_AFTER_NUMBERS = 10**64


@dataclass(frozen=True, slots=True)
class Node:
    """A task as far as the tree knows it; `parent_is_given` says that a client named the parent."""

    id: UUID
    wbs: str
    kind: str
    parent_id: UUID | None = None
    parent_is_given: bool = False


class Outline:
    """The tasks of one plan, found by id and by wbs."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes: dict[UUID, Node] = {node.id: node for node in nodes}
        self.by_wbs: dict[str, UUID] = {node.wbs: node.id for node in self.nodes.values()}

    def id_of(self, wbs: str) -> UUID | None:
        """Return the task with this code, if there is one."""
        return self.by_wbs.get(wbs)

    def prefixed(self, wbs: str) -> UUID | None:
        """Return the task whose code is the longest dotted prefix of this one, if there is one."""
        return next((self.by_wbs[prefix] for prefix in prefixes(wbs) if prefix in self.by_wbs), None)

    def settled(self) -> "Outline":
        """Return the outline with every unnamed parent where its prefix is, and every parent a summary."""
        placed = [
            node if node.parent_is_given else replace(node, parent_id=self.prefixed(node.wbs))
            for node in self.nodes.values()
        ]
        parents = {node.parent_id for node in placed}
        return Outline(replace(node, kind=SUMMARY) if node.id in parents else node for node in placed)

    def with_nodes(self, nodes: Iterable[Node]) -> "Outline":
        """Return the outline with these tasks added or in the place of those with their ids."""
        return Outline((self.nodes | {node.id: node for node in nodes}).values())

    def moved(self, before: "Outline") -> list[Node]:
        """Return the tasks that another outline had, and that lie elsewhere or are of another kind here."""
        return [
            node
            for id_, node in self.nodes.items()
            if id_ in before.nodes and _place(node) != _place(before.nodes[id_])
        ]

    def lineage(self, id_: UUID) -> Iterator[UUID]:
        """Walk from a task up to its root, itself first; stops where the tree is a ring."""
        seen: set[UUID] = set()
        at: UUID | None = id_
        while at is not None and at not in seen and at in self.nodes:
            seen.add(at)
            yield at
            at = self.nodes[at].parent_id


def outline_of(rows: Iterable[Mapping[str, object]]) -> Outline:
    """Read an outline from rows with the columns of a node."""
    return Outline(Node(**{name: row[name] for name in Node.__dataclass_fields__}) for row in rows)  # type: ignore[arg-type]


def prefixes(wbs: str) -> Iterator[str]:
    """Walk the dotted prefixes of a code, the longest first."""
    while "." in wbs:
        wbs = wbs.rpartition(".")[0]
        yield wbs


def reading_order(wbs: str) -> tuple[tuple[int, str], ...]:
    """Return what sorts codes as they are read: 1.2 before 1.10, a task before its subtasks."""
    return tuple((int(part), "") if part.isdecimal() else (_AFTER_NUMBERS, part) for part in wbs.split("."))


def _place(node: Node) -> tuple[UUID | None, str]:
    return node.parent_id, node.kind
