from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.rejection import Rejection
from service_catalog.services.condition import operational_status
from service_catalog.services.lifecycle import LIFECYCLE, Candidate, entered, faults_of_loss

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EARLIER = datetime(2020, 1, 1, tzinfo=UTC)
READY: dict[str, Any] = {
    "owner": "ada",
    "criticality": "tier1",
    "support_team": "desk",
    "boundaries": {"inputs": [{}], "outputs": [{}], "outcomes": [{}]},
    "direct_delivery_reason": "It has been there for long.",
    "retire_on": NOW.date(),
    "successor_service_id": None,
    "retirement_reason": "Nobody asks for it.",
    "project_id": None,
    "early_life_support_ends_on": None,
}
LACKING = [
    ("proposed", "designing", {"owner": None}, "owner_set"),
    ("proposed", "designing", {"boundaries": {"outcomes": []}}, "outcome_defined"),
    ("designing", "creating", {"boundaries": READY["boundaries"] | {"inputs": []}}, "boundaries_complete"),
    ("designing", "creating", {"boundaries": READY["boundaries"] | {"outputs": []}}, "boundaries_complete"),
    ("designing", "creating", {"boundaries": READY["boundaries"] | {"outcomes": []}}, "boundaries_complete"),
    ("designing", "creating", {"criticality": None}, "criticality_set"),
    ("creating", "delivering", {"support_team": None}, "support_team_set"),
    ("creating", "delivering", {"direct_delivery_reason": None}, "handover_received"),
    ("creating", "delivering", {"direct_delivery_reason": " "}, "handover_received"),
    ("supporting", "retiring", {"retire_on": None}, "retirement_date_set"),
    ("supporting", "retiring", {"retirement_reason": None}, "successor_or_reason"),
    ("supporting", "retiring", {"retirement_reason": "\t"}, "successor_or_reason"),
]


def unmet(source: str, target: str, candidate: Candidate) -> list[str]:
    """Return which of the guards known here refuse; those of other slices are not asked for."""
    (transition,) = (one for one in LIFECYCLE.transitions if (one.source, one.target) == (source, target))
    return [guard.code for guard in LIFECYCLE.unmet(transition, candidate)]


@pytest.mark.parametrize(("source", "target", "lack", "code"), LACKING)
def test_what_a_service_lacks_stands_in_its_way(source: str, target: str, lack: dict[str, Any], code: str) -> None:
    assert code in unmet(source, target, Candidate(service=READY | lack))
    assert code not in unmet(source, target, Candidate(service=READY))


@pytest.mark.parametrize(
    ("state", "changes", "places"),
    [
        ("proposed", {"owner": None, "boundaries": {"inputs": [], "outputs": [], "outcomes": []}}, []),
        ("designing", {"owner": None, "criticality": None}, ["/owner"]),
        ("designing", {"boundaries": {"inputs": [], "outputs": [], "outcomes": []}}, ["/boundaries/outcomes"]),
        ("creating", {"criticality": None, "support_team": None}, ["/criticality"]),
        ("supporting", {"support_team": None, "owner": "grace"}, ["/support_team"]),
        ("retired", {"boundaries": READY["boundaries"] | {"inputs": []}}, ["/boundaries/inputs"]),
        ("cancelled", {"owner": None}, []),
    ],
)
def test_a_service_keeps_what_it_had_to_have_on_its_way(state: str, changes: dict[str, Any], places: list[str]) -> None:
    assert [fault.pointer for fault in faults_of_loss(READY | {"state": state}, changes)] == places


def test_what_a_service_never_had_is_not_missed() -> None:
    imported = READY | {"state": "supporting", "owner": None}
    assert faults_of_loss(imported, {"owner": None}) == []


def test_a_successor_is_as_good_as_a_reason() -> None:
    followed = READY | {"retirement_reason": None, "successor_service_id": "another"}
    assert "successor_or_reason" not in unmet("supporting", "retiring", Candidate(service=followed))


def test_open_incidents_stand_in_the_way_by_their_kind() -> None:
    assert "no_open_major_incident" in unmet(
        "delivering", "supporting", Candidate(service=READY, open_incidents=2, open_major_incidents=1)
    )
    assert "no_open_major_incident" not in unmet("delivering", "supporting", Candidate(service=READY, open_incidents=2))
    assert "no_open_incidents" in unmet("retiring", "retired", Candidate(service=READY, open_incidents=2))


@pytest.mark.parametrize(
    "way",
    ["creating>designing", "delivering>creating", "retiring>supporting"]
    + [f"{state}>cancelled" for state in ("proposed", "designing", "creating", "delivering")],
)
def test_ways_back_and_out_need_a_reason(way: str) -> None:
    source, _, target = way.partition(">")
    for empty in (None, "", "  "):
        assert "reason_given" in unmet(source, target, Candidate(service=READY, reason=empty))
    assert "reason_given" not in unmet(source, target, Candidate(service=READY, reason="Because."))


def test_a_service_in_support_is_not_cancelled() -> None:
    with pytest.raises(Rejection) as refused:
        LIFECYCLE.decide("supporting", "cancelled", Candidate(service=READY, reason="Because."))
    assert refused.value.code == "transition-not-allowed"


def test_since_when_a_service_is_live_and_when_it_ended() -> None:
    new: dict[str, Any] = {"live_from": None, "retired_at": None}
    assert entered("delivering", **new, at=NOW) == {"live_from": NOW, "retired_at": None}
    assert entered("delivering", live_from=EARLIER, retired_at=None, at=NOW)["live_from"] == EARLIER
    assert entered("retired", live_from=EARLIER, retired_at=None, at=NOW)["retired_at"] == NOW
    assert entered("retired", live_from=EARLIER, retired_at=EARLIER, at=NOW)["retired_at"] == EARLIER
    assert entered("supporting", live_from=EARLIER, retired_at=NOW, at=NOW)["retired_at"] is None
    assert entered("cancelled", **new, at=NOW) == new
    for state in ("proposed", "designing", "creating"):
        assert entered(state, live_from=EARLIER, retired_at=None, at=NOW) == new
    assert entered("cancelled", live_from=EARLIER, retired_at=None, at=NOW)["retired_at"] == NOW


def test_the_status_is_the_worst_of_what_is_open() -> None:
    assert operational_status([], in_maintenance=False) == "operational"
    assert operational_status([], in_maintenance=True) == "maintenance"
    assert operational_status(["degraded"], in_maintenance=True) == "degraded"
    assert operational_status(["degraded", "partial"], in_maintenance=False) == "partial_outage"
    assert operational_status(["partial", "major", "degraded"], in_maintenance=False) == "major_outage"
