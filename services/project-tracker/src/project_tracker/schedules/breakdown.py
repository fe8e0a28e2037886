"""The tree of a plan, and what makes a plan unfit for a schedule."""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import ne

from project_tracker.schedules.plan import Link, LinkType, Plan, PlanFault, TaskKey

ROOT = -1


class Breakdown:
    """The work breakdown by position in the plan: parents, children, leaves; `faults` says what is wrong."""

    __slots__ = ("_leaves", "afters", "befores", "children", "faults", "index", "parent", "plan", "summaries")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.index: dict[TaskKey, int] = {task.id: at for at, task in enumerate(plan.tasks)}
        self.faults: list[PlanFault] = []
        self.parent = [ROOT] * len(plan.tasks)
        self.children: list[Sequence[int]] = [()] * len(plan.tasks)
        self._leaves: dict[int, list[int]] = {}
        self._hang()
        self.summaries = [node for node, kids in enumerate(self.children) if kids]
        self.befores: list[int] = []
        self.afters: list[int] = []
        self._check_tree()
        if not self.faults:
            self._check_links()

    def leaves(self, node: int) -> list[int]:
        """List the leaves below a task, a leaf being its own."""
        found = self._leaves.get(node)
        if found is None:
            found, waiting = [], [node]
            while waiting:
                at = waiting.pop()
                waiting.extend(reversed(self.children[at]))
                if not self.children[at]:
                    found.append(at)
            self._leaves[node] = found
        return found

    def ancestors(self, node: int) -> Iterator[int]:
        """Walk from a task's parent up to the root of its branch."""
        node = self.parent[node]
        while node != ROOT:
            yield node
            node = self.parent[node]

    def is_summary(self, node: int) -> bool:
        """Tell whether a task has children or is meant to have some."""
        return bool(self.children[node]) or self.plan.tasks[node].is_summary

    def _check_links(self) -> None:
        links = self.plan.links
        self.befores = self._numbers([link.predecessor_id for link in links])
        self.afters = self._numbers([link.successor_id for link in links])
        is_flat = not self.summaries and not any(task.is_summary for task in self.plan.tasks)
        if is_flat and ROOT not in self.befores and ROOT not in self.afters and all(map(ne, self.befores, self.afters)):
            return
        for link, before, after in zip(links, self.befores, self.afters, strict=True):
            fault = self._link_fault(link, before, after)
            if fault is not None:
                self.faults.append(fault)

    def _numbers(self, keys: list[TaskKey]) -> list[int]:
        """Give the place of each task in the plan, ROOT for one that is not in it."""
        try:
            return list(map(self.index.__getitem__, keys))
        except KeyError:
            return [self.index.get(key, ROOT) for key in keys]

    def _link_fault(self, link: Link, before: int, after: int) -> PlanFault | None:
        ends = (link.predecessor_id, link.successor_id)
        if ROOT in {before, after}:
            missing = ends[0] if before == ROOT else ends[1]
            return PlanFault("unknown_task", f"A link names the task {missing}, which the plan has not.", ends)
        name, other = self.plan.tasks[before].wbs, self.plan.tasks[after].wbs
        if before == after:
            return PlanFault("link_to_itself", f"Task {name} is linked to itself.", ends)
        if before in self.ancestors(after) or after in self.ancestors(before):
            message = f"Tasks {name} and {other} are linked, though one contains the other."
            return PlanFault("link_within_branch", message, ends)
        if link.type in {LinkType.FF, LinkType.SF} and self.is_summary(after):
            return PlanFault("link_onto_summary", f"{link.type} cannot lead to the summary {other}.", ends)
        return None

    def _hang(self) -> None:
        kids: dict[int, list[int]] = {}
        for node, task in enumerate(self.plan.tasks):
            if task.parent_id is None:
                continue
            parent = self.index.get(task.parent_id)
            if parent is None:
                message = f"Task {task.wbs} names a parent that the plan has not."
                self.faults.append(PlanFault("unknown_task", message, (task.id, task.parent_id)))
                continue
            self.parent[node] = parent
            kids.setdefault(parent, []).append(node)
        for parent, nodes in kids.items():
            self.children[parent] = nodes

    def _check_tree(self) -> None:
        tasks = self.plan.tasks
        if len(self.index) < len(tasks):
            twice = tuple(key for key, times in Counter(task.id for task in tasks).items() if times > 1)
            self.faults.append(PlanFault("task_twice", "A task occurs twice in the plan.", twice))
        if not self.summaries:
            return
        rooted, waiting = 0, [node for node, parent in enumerate(self.parent) if parent == ROOT]
        while waiting:
            rooted += 1
            waiting.extend(self.children[waiting.pop()])
        if rooted < len(tasks):
            self.faults.append(PlanFault("parent_cycle", "A task is contained in itself.", self._looped()))

    def _looped(self) -> tuple[TaskKey, ...]:
        for node in range(len(self.parent)):
            seen, at = [node], self.parent[node]
            while at not in {ROOT, *seen}:
                seen.append(at)
                at = self.parent[at]
            if at == node:
                return tuple(self.plan.tasks[each].id for each in seen)
        return ()
