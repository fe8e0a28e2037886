import json
from datetime import timedelta
from typing import Any

import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.problems.schemas import EXAMPLE, ProblemRecord

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
LATER = (clock.now() + timedelta(days=1)).isoformat()
CAUSE: dict[str, Any] = {"root_cause": "Nobody is told.", "workaround": "Renew it by hand."}
SOLUTION: dict[str, Any] = {"resolution": "It renews itself.", "factor": "supplier"}


async def test_a_problem_is_what_it_shows(catalog: Catalog) -> None:
    service = await catalog.service()
    made = await catalog.post("problems", EXAMPLE | {"service_id": service["id"]})
    ProblemRecord.model_validate_json(json.dumps(made), extra="forbid", strict=True)
    assert (made["state"], made["priority"], made["known_error"]) == ("open", "P2", False)
    assert made["state_since"] == made["identified_at"] == EXAMPLE["identified_at"]
    own = f"problems/{made['id']}"
    assert await catalog.get(own) == made
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [(step["from"], step["to"], step["at"]) for step in steps] == [(None, "open", made["identified_at"])]
    assert (await catalog.delete(f"services/{service['id']}", status=409))["code"] == "service-in-use"


@pytest.mark.parametrize(
    ("wrong", "told_at"),
    [
        ({"title": " "}, ("/title", "pattern")),
        ({"service_id": NOBODY}, ("/service_id", "reference-unknown")),
        ({"impact": "huge"}, ("/impact", "not-one-of")),
        ({"factor": "bad luck"}, ("/factor", "not-one-of")),
        ({"identified_at": LATER}, ("/identified_at", "in-the-future")),
        ({"priority": "P1"}, ("/priority", "unknown-field")),
        ({"known_error": True}, ("/known_error", "unknown-field")),
        ({"root_cause": "x" * 10_001}, ("/root_cause", "string-too-long")),
    ],
)
async def test_what_is_wrong_is_pointed_at(catalog: Catalog, wrong: dict[str, Any], told_at: tuple[str, str]) -> None:
    blank = EXAMPLE | {"service_id": (await catalog.service())["id"]}
    assert pointers(await catalog.post("problems", blank | wrong, status=422)) == [told_at]
    (item,) = await catalog.batch("problems", [blank | wrong], mode="independent")
    assert (item["status"], item["problem"]["errors"][0]["pointer"]) == (422, told_at[0])


async def test_the_whole_course_of_a_problem(catalog: Catalog, pools: Pools) -> None:
    made = await catalog.problem(identified_at=ago(hours=9))
    own = f"problems/{made['id']}"
    await catalog.move(own, "investigating", at=ago(hours=8))
    known = await catalog.move(own, "known_error", at=ago(hours=7), **CAUSE)
    assert (known["known_error"], known["root_cause"], known["workaround"]) == (True, *CAUSE.values())
    assert known["known_error_at"] == known["state_since"]
    resolved = await catalog.move(own, "resolved", at=ago(hours=6), **SOLUTION)
    assert (resolved["resolution"], resolved["factor"]) == tuple(SOLUTION.values())
    assert resolved["resolved_at"] == resolved["state_since"]
    reopened = await catalog.move(own, "investigating", at=ago(hours=5), reason="It is back.")
    assert (reopened["resolution"], reopened["resolved_at"], reopened["known_error"]) == (None, None, True)
    assert (reopened["root_cause"], reopened["factor"]) == (CAUSE["root_cause"], "supplier")
    assert codes(await catalog.move(own, "resolved", status=409)) == ["resolution_given"]
    await catalog.move(own, "resolved", resolution="Really done.", at=ago(hours=4))
    closed = await catalog.move(own, "closed", reason="Quiet for a month.")
    assert (closed["known_error"], closed["closed_at"]) == (True, closed["state_since"])
    events = await told(pools, catalog, own)
    assert [name.removeprefix("problem.") for name, *_ in events] == [
        *("created", "investigation_started", "known_error_declared", "resolved", "reopened", "resolved", "closed"),
    ]
    assert [version for _, version, *_ in events] == list(range(1, 8))
    change = {"from": "resolved", "to": "closed", "reason": "Quiet for a month.", "actor": "tester"}
    assert events[-1][2:] == (await catalog.get(own), change)
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in steps] == [
        *("open", "investigating", "known_error", "resolved", "investigating", "resolved", "closed"),
    ]
    assert (steps[2]["details"], steps[3]["details"], steps[4]["reason"]) == (CAUSE, SOLUTION, "It is back.")


async def test_what_a_command_lacks_is_told_beforehand_and_at_once(catalog: Catalog) -> None:
    own = f"problems/{(await catalog.problem())['id']}"
    available = {one["to"]: codes(one) for one in (await catalog.get(f"{own}/transitions"))["available"]}
    assert available == {
        "investigating": [],
        "known_error": ["root_cause_given", "workaround_given"],
        "cancelled": ["reason_given"],
    }
    assert codes(await catalog.move(own, "known_error", status=409)) == ["root_cause_given", "workaround_given"]
    await catalog.patch(own, {"root_cause": "Nobody is told."})
    assert codes(await catalog.move(own, "known_error", workaround=" ", status=409)) == ["workaround_given"]
    await catalog.move(own, "investigating")
    assert codes(await catalog.move(own, "resolved", status=409)) == ["resolution_given", "factor_given"]
    assert codes(await catalog.move(own, "cancelled", reason=" ", status=409)) == ["reason_given"]
    cancelled = await catalog.move(own, "cancelled", reason="It was a duplicate.")
    assert cancelled["cancellation_reason"] == "It was a duplicate."


async def test_what_belongs_to_another_command_is_refused(catalog: Catalog) -> None:
    own = f"problems/{(await catalog.problem())['id']}"
    refused = await catalog.move(own, "investigating", **CAUSE, **SOLUTION, status=422)
    assert pointers(refused) == [
        (f"/{name}", "not-allowed") for name in ("root_cause", "workaround", "factor", "resolution")
    ]
    assert pointers(await catalog.move(own, "known_error", **CAUSE, resolution="x", status=422)) == [
        ("/resolution", "not-allowed")
    ]


async def test_a_step_lies_neither_in_the_future_nor_before_the_last(catalog: Catalog) -> None:
    own = f"problems/{(await catalog.problem(identified_at=ago(hours=2)))['id']}"
    assert pointers(await catalog.move(own, "investigating", at=LATER, status=422)) == [("/at", "in-the-future")]
    assert pointers(await catalog.move(own, "investigating", at=ago(hours=3), status=422)) == [("/at", "before-last")]
    await catalog.move(own, "investigating", at=ago(hours=1))
    assert pointers(await catalog.move(own, "known_error", **CAUSE, at=ago(hours=1.5), status=422)) == [
        ("/at", "before-last")
    ]


async def test_a_change_keeps_what_the_state_rests_on(catalog: Catalog) -> None:
    own = f"problems/{(await catalog.problem())['id']}"
    assert (await catalog.patch(own, {"impact": "high", "urgency": "high"}))["priority"] == "P1"
    assert (await catalog.patch(own, {"workaround": "Wait."}))["workaround"] == "Wait."
    assert (await catalog.patch(own, {"workaround": None}))["workaround"] is None
    await catalog.move(own, "known_error", **CAUSE)
    emptied = await catalog.patch(own, {"root_cause": None, "workaround": " ", "factor": None}, status=422)
    assert pointers(emptied) == [("/root_cause", "missing"), ("/workaround", "missing")]
    await catalog.move(own, "resolved", **SOLUTION)
    assert pointers(await catalog.patch(own, {"factor": None}, status=422)) == [("/factor", "missing")]
    assert (await catalog.patch(own, {"resolution": "Better said."}))["resolution"] == "Better said."
    for fixed in ({"state": "closed"}, {"priority": "P1"}, {"known_error": False}, {"title": None}):
        await catalog.patch(own, fixed, status=422)
    await catalog.move(own, "closed")
    assert (await catalog.patch(own, {"title": "Other"}, status=409))["code"] == "problem-over"
    assert (await catalog.patch(own, {"labels": {"a": "b"}}))["labels"] == {"a": "b"}


async def test_lists_filter_by_what_problems_have(catalog: Catalog) -> None:
    service = await catalog.service()
    one = await catalog.problem(service, identified_at="2026-01-01T00:00:00Z", impact="high", urgency="high")
    two = await catalog.problem(service, owner="bob", **CAUSE)
    await catalog.move(f"problems/{two['id']}", "known_error")

    async def found(**asked: Any) -> set[str]:
        return {item["id"] for item in (await catalog.get("problems", **asked))["items"]}

    assert await found(service_id=service["id"]) == await found(state=["open", "known_error"]) == {one["id"], two["id"]}
    assert await found(known_error="true") == await found(owner="bob") == await found(q="by hand") == {two["id"]}
    assert await found(known_error="false") == await found(priority="P1") == {one["id"]}
    assert await found(identified_at_to="2026-01-02T00:00:00Z") == {one["id"]}
    newest = await catalog.get("problems", sort="-identified_at", limit=1, fields="id,known_error")
    assert newest["items"] == [{"id": two["id"], "known_error": True}]
