"""What a service still lacks for each next state and for being supported, by dimension and by harmful factor."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from chassis.rejection import UnmetGuard
from service_catalog.acceptance.lifecycle import criterion_path
from service_catalog.services.lifecycle import DIMENSIONS, LIFECYCLE, Candidate

GOAL = "supporting"
TEXT_SHOWN = 200
_ONWARD = ("proposed", "designing", "creating", "delivering", GOAL)
_PLANNING, _RESOURCES, _COMMUNICATION = "planning_and_design", "resources", "communication"

# What the reason of a command stands for is told with the command, so it is nothing a service lacks.
NOT_LACKING = frozenset({"reason_given"})
# Each guard with the dimension it is about and the harmful factor that its absence points to.
POINTS_TO: Mapping[str, tuple[str, str]] = {
    "owner_set": ("people", _RESOURCES),
    "outcome_defined": ("process", _PLANNING),
    "boundaries_complete": ("process", _PLANNING),
    "service_level_defined": ("process", _PLANNING),
    "criticality_set": ("process", _PLANNING),
    "support_team_set": ("people", _RESOURCES),
    "handover_received": ("process", _COMMUNICATION),
    "handover_accepted": ("process", _COMMUNICATION),
    "hard_dependencies_live": ("technology", _PLANNING),
    "no_open_major_incident": ("technology", _RESOURCES),
    "early_life_support_over": ("people", _RESOURCES),
    "retirement_date_set": ("process", _PLANNING),
    "successor_or_reason": ("process", _COMMUNICATION),
    "no_live_dependents": ("technology", _COMMUNICATION),
    "no_open_incidents": ("technology", _RESOURCES),
}
# Guards that speak of several dimensions: what is missing is told for each criterion or dimension.
BY_DIMENSION = frozenset({"acceptance_criteria_defined", "technology_criteria_decided", "mandatory_criteria_passed"})
_FACTOR_OF = {"process": _PLANNING, "technology": _RESOURCES, "people": _RESOURCES}


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a service lacks; `ref` is the path of what stands in the way, as its guard names it."""

    guard: str
    dimension: str
    factor: str
    message: str
    ref: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as it is shown."""
        return {name: getattr(self, name) for name in ("guard", "dimension", "factor", "message", "ref")}


def document(state: str, candidate: Candidate) -> dict[str, Any]:
    """Return what is missing for each state that may come next, and for being supported."""
    following = {
        one.target: _missing(state, one.target, candidate) for one in LIFECYCLE.transitions if one.source == state
    }
    for_goal = _to_goal(state, candidate)
    lacking = for_goal if for_goal is not None else [one for some in following.values() for one in some]
    return {
        "state": state,
        "next": [
            {"to": to, "ready": not missing, "missing": [one.document() for one in missing]}
            for to, missing in following.items()
        ],
        "supporting": None
        if for_goal is None
        else {"ready": not for_goal, "missing": [one.document() for one in for_goal]},
        "dimensions": {name: _dimension(name, candidate, lacking) for name in DIMENSIONS},
        "factors": {
            factor: sorted({one.guard for one in lacking if one.factor == factor})
            for factor in (_PLANNING, _RESOURCES, _COMMUNICATION)
        },
    }


def _to_goal(state: str, candidate: Candidate) -> list[Missing] | None:
    """Return what is missing on the whole way to being supported; None where no way forward leads there."""
    if state not in _ONWARD:
        return None
    way = _ONWARD[_ONWARD.index(state) :]
    return [one for source, target in pairwise(way) for one in _missing(source, target, candidate)]


def _missing(source: str, target: str, candidate: Candidate) -> list[Missing]:
    transition = LIFECYCLE.way(source, target)
    unmet = LIFECYCLE.unmet(transition, candidate) if transition is not None else []
    unmet = [guard for guard in unmet if guard.code not in NOT_LACKING]
    return [one for guard in unmet for one in _told(guard, candidate)]


def _told(guard: UnmetGuard, candidate: Candidate) -> Iterable[Missing]:
    code, service_id = guard.code, candidate.service["id"]
    match code:
        case "acceptance_criteria_defined":
            for dimension in candidate.undefined():
                told = f"There is no acceptance criterion for {dimension}."
                yield Missing(code, dimension, _PLANNING, told)
        case "technology_criteria_decided":
            for one in candidate.undecided_technology():
                yield _criterion(code, service_id, one, "is not decided")
        case "mandatory_criteria_passed":
            for one in candidate.unsettled():
                yield _criterion(code, service_id, one, "is neither passed nor waived")
        case _:
            dimension, factor = POINTS_TO[code]
            yield Missing(code, dimension, factor, guard.message, guard.ref)


def _criterion(code: str, service_id: UUID, criterion: Mapping[str, Any], lack: str) -> Missing:
    dimension = criterion["dimension"]
    told = f"The criterion '{criterion['text'][:TEXT_SHOWN]}' {lack}."
    return Missing(code, dimension, _FACTOR_OF[dimension], told, criterion_path(service_id, criterion))


def _dimension(name: str, candidate: Candidate, lacking: Iterable[Missing]) -> dict[str, Any]:
    own = [one["status"] for one in candidate.criteria if one["dimension"] == name]
    missing = sorted({one.guard for one in lacking if one.dimension == name})
    counts = {status: own.count(status) for status in ("open", "passed", "failed", "waived")}
    return {"ready": not missing, "criteria": counts, "missing": missing}
