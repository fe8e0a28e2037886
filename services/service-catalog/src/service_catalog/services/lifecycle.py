"""The states of a service, the ways between them, and what stands in each way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from chassis.lifecycle import Guard, Lifecycle, Transition, is_said
from chassis.rejection import Fault
from service_catalog.acceptance.lifecycle import criterion_path, unsettled

LIVE = frozenset({"delivering", "supporting", "retiring", "retired"})
IN_USE_NOW = LIVE - {"retired"}
DIMENSIONS = ("process", "technology", "people")
NAMED_MAX = 10
OVER = frozenset({"retired", "cancelled"})
SUPPORTED = frozenset({"supporting", "retiring"})
UNCOMMITTED = frozenset({"proposed", "designing"})
"""Before its acceptance criteria have been agreed on."""
_ON_THE_WAY = ("designing", "creating", "delivering", "supporting", "retiring", "retired")
# From which state on a service has what the guard before it has asked for, and how that is called.
_NEEDED_FROM = {
    "owner": ("designing", "an owner"),
    "criticality": ("creating", "a criticality"),
    "support_team": ("delivering", "a support team"),
}
_BOUNDARIES_NEEDED_FROM = {"outcomes": "designing", "inputs": "creating", "outputs": "creating"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A service that is to change its state: its row, what is open around it, and the reason given."""

    service: Mapping[str, Any]
    reason: str | None = None
    open_incidents: int = 0
    open_major_incidents: int = 0
    service_levels: int = 0
    criteria: Sequence[Mapping[str, Any]] = ()
    hard_dependencies: Sequence[Mapping[str, Any]] = ()
    dependents: Sequence[Mapping[str, Any]] = ()
    handover_received: bool = False
    handover_accepted: bool = False
    handover_undecided: bool = False
    today: date = date.min

    def undefined(self) -> list[str]:
        """Return the dimensions without any acceptance criterion."""
        present = {one["dimension"] for one in self.criteria}
        return [dimension for dimension in DIMENSIONS if dimension not in present]

    def undecided_technology(self) -> list[Mapping[str, Any]]:
        """Return the criteria of technology that nobody has decided."""
        return [one for one in self.criteria if (one["dimension"], one["status"]) == ("technology", "open")]

    def dead_dependencies(self) -> list[Mapping[str, Any]]:
        """Return what it cannot work without and is not live."""
        return [one for one in self.hard_dependencies if one["state"] not in IN_USE_NOW]

    def live_dependents(self) -> list[Mapping[str, Any]]:
        """Return what is live and depends on it."""
        return [one for one in self.dependents if one["state"] in IN_USE_NOW]

    def unsettled(self) -> list[Mapping[str, Any]]:
        """Return the mandatory criteria that are neither passed nor waived."""
        return unsettled(self.criteria)


def _owner_set(candidate: Candidate) -> str | None:
    return None if candidate.service["owner"] else "The service needs an owner."


def _outcome_defined(candidate: Candidate) -> str | None:
    return None if candidate.service["boundaries"]["outcomes"] else "The service needs an outcome for its users."


def _boundaries_complete(candidate: Candidate) -> str | None:
    boundaries = candidate.service["boundaries"]
    missing = [name for name in ("inputs", "outputs", "outcomes") if not boundaries[name]]
    return f"The boundaries lack {', '.join(missing)}." if missing else None


def _service_level_defined(candidate: Candidate) -> str | None:
    return None if candidate.service_levels else "The service needs a service level that is in force or to come."


def _criticality_set(candidate: Candidate) -> str | None:
    return None if candidate.service["criticality"] else "The service needs a criticality."


def _support_team_set(candidate: Candidate) -> str | None:
    return None if candidate.service["support_team"] else "The service needs a support team."


def _acceptance_criteria_defined(candidate: Candidate) -> str | None:
    missing = candidate.undefined()
    return f"There is no acceptance criterion for {', '.join(missing)}." if missing else None


def _technology_criteria_decided(candidate: Candidate) -> str | None:
    number = len(candidate.undecided_technology())
    return f"{number} acceptance criteria of technology are not decided." if number else None


def _first_undecided_technology(candidate: Candidate) -> str:
    return criterion_path(candidate.service["id"], candidate.undecided_technology()[0])


def _mandatory_criteria_passed(candidate: Candidate) -> str | None:
    number = len(candidate.unsettled())
    return f"{number} mandatory acceptance criteria are neither passed nor waived." if number else None


def _first_unsettled(candidate: Candidate) -> str:
    return criterion_path(candidate.service["id"], candidate.unsettled()[0])


def _handover_received(candidate: Candidate) -> str | None:
    if candidate.handover_received:
        return None
    if candidate.service["project_id"]:
        return "The project has not handed the service over."
    if is_said(candidate.service["direct_delivery_reason"]):
        return None
    return "Without a project's handover the service needs a direct_delivery_reason."


def _handover_accepted(candidate: Candidate) -> str | None:
    if candidate.handover_undecided:
        return "The project's handover is not decided."
    if candidate.service["project_id"] is None or candidate.handover_accepted:
        return None
    return "The project's handover is not accepted."


def _hard_dependencies_live(candidate: Candidate) -> str | None:
    missing = candidate.dead_dependencies()
    return f"What it cannot work without is not live: {_named(missing)}." if missing else None


def _first_dead_dependency(candidate: Candidate) -> str:
    return f"services/{candidate.dead_dependencies()[0]['id']}"


def _early_life_support_over(candidate: Candidate) -> str | None:
    end = candidate.service["early_life_support_ends_on"]
    return None if end is None or end < candidate.today else f"Early-life support lasts until {end}."


def _no_live_dependents(candidate: Candidate) -> str | None:
    live = candidate.live_dependents()
    return f"Live services depend on it: {_named(live)}." if live else None


def _first_live_dependent(candidate: Candidate) -> str:
    return f"services/{candidate.live_dependents()[0]['id']}"


def _named(services: Sequence[Mapping[str, Any]]) -> str:
    more = len(services) - NAMED_MAX
    return ", ".join(one["key"] for one in services[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _no_open_major_incident(candidate: Candidate) -> str | None:
    number = candidate.open_major_incidents
    return f"{number} major incidents are open." if number else None


def _retirement_date_set(candidate: Candidate) -> str | None:
    return None if candidate.service["retire_on"] else "The service needs a date on which it retires, retire_on."


def _successor_or_reason(candidate: Candidate) -> str | None:
    if candidate.service["successor_service_id"] or is_said(candidate.service["retirement_reason"]):
        return None
    return "The service needs a successor_service_id or a retirement_reason."


def _no_open_incidents(candidate: Candidate) -> str | None:
    return f"{candidate.open_incidents} incidents are open." if candidate.open_incidents else None


def _reason_given(candidate: Candidate) -> str | None:
    return None if is_said(candidate.reason) else "This needs a reason."


REASON_GIVEN = Guard("reason_given", _reason_given)

# Guards that are a judgement, which whoever approves may make otherwise. Any other would break a promise if it were
# waived (the decision on a handover, what depends on what) or leave a service without what can be given at once.
Waivable = Literal[
    "service_level_defined",
    "technology_criteria_decided",
    "mandatory_criteria_passed",
    "no_open_major_incident",
    "early_life_support_over",
]

LIFECYCLE: Lifecycle[Candidate] = Lifecycle(
    name="The service",
    initial="proposed",
    transitions=(
        Transition(
            "proposed",
            "designing",
            "design_started",
            (Guard("owner_set", _owner_set), Guard("outcome_defined", _outcome_defined)),
        ),
        Transition(
            "designing",
            "creating",
            "creation_started",
            (
                Guard("boundaries_complete", _boundaries_complete),
                Guard("service_level_defined", _service_level_defined),
                Guard("acceptance_criteria_defined", _acceptance_criteria_defined),
                Guard("criticality_set", _criticality_set),
            ),
        ),
        Transition(
            "creating",
            "delivering",
            "delivered",
            (
                Guard("support_team_set", _support_team_set),
                Guard("technology_criteria_decided", _technology_criteria_decided, _first_undecided_technology),
                Guard("handover_received", _handover_received),
            ),
        ),
        Transition(
            "delivering",
            "supporting",
            "support_started",
            (
                Guard("mandatory_criteria_passed", _mandatory_criteria_passed, _first_unsettled),
                Guard("hard_dependencies_live", _hard_dependencies_live, _first_dead_dependency),
                Guard("no_open_major_incident", _no_open_major_incident),
                Guard("handover_accepted", _handover_accepted),
                Guard("early_life_support_over", _early_life_support_over),
            ),
        ),
        Transition(
            "supporting",
            "retiring",
            "retirement_started",
            (
                Guard("retirement_date_set", _retirement_date_set),
                Guard("successor_or_reason", _successor_or_reason),
            ),
        ),
        Transition(
            "retiring",
            "retired",
            "retired",
            (
                Guard("no_live_dependents", _no_live_dependents, _first_live_dependent),
                Guard("no_open_incidents", _no_open_incidents),
            ),
        ),
        Transition("creating", "designing", "returned", (REASON_GIVEN,)),
        Transition("delivering", "creating", "returned", (REASON_GIVEN,)),
        Transition("retiring", "supporting", "retained", (REASON_GIVEN,)),
        *(
            Transition(source, "cancelled", "cancelled", (REASON_GIVEN,))
            for source in ("proposed", "designing", "creating", "delivering")
        ),
    ),
)


def faults_of_loss(row: Mapping[str, Any], changes: Mapping[str, Any]) -> list[Fault]:
    """Return what a service would lose that it had to have on its way to its state."""
    if row["state"] not in _ON_THE_WAY:
        return []
    passed = _ON_THE_WAY[: _ON_THE_WAY.index(row["state"]) + 1]
    anew = changes.get("boundaries", row["boundaries"])
    lost = [
        *(
            (name, called, since, row[name], changes.get(name, row[name]))
            for name, (since, called) in _NEEDED_FROM.items()
        ),
        *(
            (f"boundaries/{name}", name, since, row["boundaries"][name], anew[name])
            for name, since in _BOUNDARIES_NEEDED_FROM.items()
        ),
    ]
    return [
        Fault(f"/{place}", "missing", f"A service that is {row['state']} has {called}.")
        for place, called, since, before, after in lost
        if since in passed and before and not after
    ]


def entered(
    state: str, *, live_from: datetime | None, retired_at: datetime | None, at: datetime
) -> dict[str, datetime | None]:
    """Return since when a service that enters a state is live, and when it ended, if it did.

    What was given before stays. A live service that is cancelled ends with it; one that comes back has not ended. One
    that is returned before its delivery is not live, and is again from its next delivery on.
    """
    if state in LIVE:
        live_from = live_from or at
    elif state != "cancelled":
        live_from = None
    is_over = state == "retired" or (state == "cancelled" and live_from is not None)
    return {"live_from": live_from, "retired_at": (retired_at or at) if is_over else None}
