"""Whether a plan's tree and links make a schedule possible, and which new link is to blame where they do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.rejection import Rejection, UnmetGuard
from project_tracker.plans.tasks.outline import SUMMARY, Outline
from project_tracker.schedules.network import Network
from project_tracker.schedules.plan import Link, LinkType, Plan, PlanFault, PlannedTask, PlanRefusedError

ACQUITTED_MAX = 100  # each costs a look at the whole plan
_ANY_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ends:
    """A link without its lag."""

    predecessor_id: UUID
    successor_id: UUID
    type: str


def faults_of(outline: Outline, links: Sequence[Ends]) -> tuple[PlanFault, ...]:
    """Return what is wrong with a tree and its links; nothing, where a schedule is possible."""
    tasks = [
        PlannedTask(id=node.id, wbs=node.wbs, parent_id=node.parent_id, is_summary=node.kind == SUMMARY)
        for node in outline.nodes.values()
    ]
    bound = [Link(link.predecessor_id, link.successor_id, LinkType(link.type)) for link in links]
    try:
        Network(Plan(_ANY_START, tasks, bound))
    except PlanRefusedError as refused:
        return refused.faults
    return ()


def blamed(outline: Outline, known: Sequence[Ends], new: Mapping[int, Ends]) -> dict[int, PlanFault]:
    """Return the new links that cannot be, each with the reason; the later ones give way to the earlier."""
    to_blame: dict[int, PlanFault] = {}
    left = dict(new)
    while faults := faults_of(outline, [*known, *left.values()]):
        found = {index: fault for fault in faults for index in [_culprit(outline, left, fault)] if index is not None}
        if not found:
            found = dict.fromkeys(left, faults[0])
        if not found:
            break
        to_blame |= found
        left = {index: link for index, link in left.items() if index not in found}
    _acquit(outline, known, left, new, to_blame)
    return to_blame


def _acquit(
    outline: Outline,
    known: Sequence[Ends],
    kept: dict[int, Ends],
    new: Mapping[int, Ends],
    to_blame: dict[int, PlanFault],
) -> None:
    """Take back what was blamed for a ring that another one's refusal has opened."""
    if len(to_blame) == 1:
        return
    for index in sorted(to_blame)[:ACQUITTED_MAX]:
        faults = faults_of(outline, [*known, *kept.values(), new[index]])
        if faults:
            to_blame[index] = faults[0]
        else:
            kept[index] = new[index]
            del to_blame[index]


def refusal(*faults: PlanFault) -> Rejection:
    """Refuse what would leave a plan without a schedule, naming every fault."""
    guards = [
        UnmetGuard(
            fault.code.replace("_", "-"), fault.message, f"tasks/{fault.task_ids[0]}" if fault.task_ids else None
        )
        for fault in faults
    ]
    code = guards[0].code if guards else "plan-unsound"
    detail = guards[0].message if guards else "The plan allows no schedule."
    return Rejection("conflict", code, detail, guards=guards)


def _culprit(outline: Outline, new: Mapping[int, Ends], fault: PlanFault) -> int | None:
    """Return the last new link that the fault goes through."""
    if fault.code != "cycle":
        return max((index for index, link in new.items() if _ends(link) == set(fault.task_ids)), default=None)
    steps = set(zip(fault.task_ids, (*fault.task_ids[1:], *fault.task_ids[:1]), strict=True))
    reached = {
        (before, above) for before, after in steps if isinstance(after, UUID) for above in outline.lineage(after)
    }
    return max(
        (index for index, link in new.items() if (link.predecessor_id, link.successor_id) in reached), default=None
    )


def _ends(link: Ends) -> set[object]:
    return {link.predecessor_id, link.successor_id}
