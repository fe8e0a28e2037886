import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from catalog_api import Catalog, ago, codes

from chassis import clock
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.improvements.schemas import EXAMPLE, Improvement

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
LATER = (clock.now() + timedelta(days=1)).isoformat()
ORDERS: dict[str, dict[str, Any]] = {"closed": {"outcome": "partial"}, "cancelled": {"reason": "Because."}}
WAYS = {
    "proposed": (),
    "approved": ("approved",),
    "in_progress": ("approved", "in_progress"),
    "on_hold": ("approved", "in_progress", "on_hold"),
    "closed": ("approved", "in_progress", "closed"),
    "cancelled": ("cancelled",),
}


async def proposed(catalog: Catalog, **given: Any) -> Any:
    return await catalog.post("improvements", EXAMPLE | {"service_id": (await catalog.service())["id"]} | given)


async def brought(catalog: Catalog, state: str, **given: Any) -> str:
    own = f"improvements/{(await proposed(catalog, **given))['id']}"
    for target in WAYS[state]:
        await catalog.move(own, target, **ORDERS.get(target, {}))
    return own


async def test_an_improvement_is_what_it_shows(catalog: Catalog) -> None:
    made = await proposed(catalog)
    Improvement.model_validate_json(json.dumps(made), extra="forbid", strict=True)
    assert (made["state"], made["benefit"], made["origin"]) == ("proposed", EXAMPLE["benefit"], EXAMPLE["origin"])
    assert await catalog.get(f"improvements/{made['id']}") == made
    bare = await catalog.post("improvements", {"service_id": made["service_id"], "title": "Tidy up"})
    assert (bare["benefit"], bare["origin"], bare["planned_end"]) == (None, None, None)


@pytest.mark.parametrize(
    ("wrong", "told_at"),
    [
        ({"title": " "}, ("/title", "pattern")),
        ({"service_id": NOBODY}, ("/service_id", "reference-unknown")),
        ({"planned_end": "soon"}, ("/planned_end", "instant")),
        ({"planned_end": "2026-02-30"}, ("/planned_end", "instant")),
        ({"origin": {"type": "dream", "id": "1"}}, ("/origin/type", "not-one-of")),
        ({"origin": {"type": "review"}}, ("/origin/id", "missing")),
        ({"origin": {"type": "incident", "id": NOBODY}}, ("/origin/id", "reference-unknown")),
        ({"origin": {"type": "incident", "id": "INC1"}}, ("/origin/id", "reference-unknown")),
        ({"benefit": {"target": "1"}}, ("/benefit/kpi", "missing")),
        ({"benefit": {"kpi": "csat"}}, ("/benefit/target", "missing")),
        ({"benefit": {"kpi": "csat", "target": 5}}, ("/benefit/target", "decimal")),
        (
            {"benefit": EXAMPLE["benefit"] | {"before_window": {"from": LATER, "to": LATER}}},
            ("/benefit/before_window/to", "before-start"),
        ),
    ],
)
async def test_what_is_wrong_is_pointed_at(catalog: Catalog, wrong: dict[str, Any], told_at: tuple[str, str]) -> None:
    blank = EXAMPLE | {"service_id": (await catalog.service())["id"]}
    assert pointers(await catalog.post("improvements", blank | wrong, status=422)) == [told_at]
    (item,) = await catalog.batch("improvements", [blank | wrong], mode="independent")
    assert (item["status"], item["problem"]["errors"][0]["pointer"]) == (422, told_at[0])


async def test_what_a_command_lacks_is_told_beforehand(catalog: Catalog) -> None:
    own = await brought(catalog, "proposed", planned_end=None)
    available = {one["to"]: codes(one) for one in (await catalog.get(f"{own}/transitions"))["available"]}
    assert available == {"approved": ["planned_end_set"], "cancelled": ["reason_given"]}
    assert codes(await catalog.move(own, "approved", status=409)) == ["planned_end_set"]
    await catalog.patch(own, {"planned_end": "2026-03-31"})
    await catalog.move(own, "approved")
    await catalog.move(own, "in_progress")
    assert codes(await catalog.move(own, "closed", status=409)) == ["outcome_given"]
    assert codes(await catalog.move(own, "cancelled", reason=" ", status=409)) == ["reason_given"]
    misplaced = await catalog.move(own, "on_hold", outcome="partial", status=422)
    assert pointers(misplaced) == [("/outcome", "not-allowed")]


async def test_an_approval_needs_its_own_scope(catalog: Catalog) -> None:
    own = await brought(catalog, "proposed")
    writer = catalog.limited_to("catalog:read", "catalog:write")
    assert (await writer.move(own, "approved", status=403))["scope"] == "catalog:approve"
    assert (await catalog.limited_to("catalog:read").move(own, "approved", status=403))["scope"] == "catalog:write"
    await catalog.limited_to("catalog:write", "catalog:approve").move(own, "approved")
    await writer.move(own, "in_progress")


async def test_the_first_approved_end_stays(catalog: Catalog, pools: Pools) -> None:
    made = await proposed(catalog, planned_end="2026-03-31")
    own = f"improvements/{made['id']}"
    assert (made["planned_end"], made["first_planned_end"]) == ("2026-03-31T23:59:59Z", None)
    await catalog.patch(own, {"planned_end": "2026-04-30"})
    approved = await catalog.move(own, "approved")
    assert approved["first_planned_end"] == "2026-04-30T23:59:59Z"
    planned = await catalog.patch(own, {"planned_end": "2026-06-30T12:00:00Z"})
    assert (planned["planned_end"], planned["first_planned_end"]) == ("2026-06-30T12:00:00Z", "2026-04-30T23:59:59Z")
    assert pointers(await catalog.patch(own, {"planned_end": None}, status=422)) == [("/planned_end", "missing")]
    await catalog.patch(own, {"first_planned_end": "2026-06-30"}, status=422)
    await catalog.move(own, "in_progress")
    await catalog.move(own, "on_hold", reason="No hands.")
    await catalog.move(own, "in_progress")
    closed = await catalog.move(own, "closed", outcome="successful")
    assert (closed["outcome"], closed["closed_at"]) == ("successful", closed["state_since"])
    assert closed["first_planned_end"] == "2026-04-30T23:59:59Z"
    names = [name.removeprefix("improvement.") for name, *_ in await told(pools, catalog, own)]
    assert names == ["created", "updated", "approved", "updated", "started", "held", "resumed", "closed"]
    _, version, data, change = (await told(pools, catalog, own))[-1]
    assert (version, data) == (8, await catalog.get(own))
    assert change == {"from": "in_progress", "to": "closed", "reason": None, "actor": "tester"}
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in steps] == [
        *("proposed", "approved", "in_progress", "on_hold", "in_progress", "closed"),
    ]
    assert (steps[-1]["details"], steps[3]["reason"]) == ({"outcome": "successful"}, "No hands.")


async def test_what_is_over_keeps_all_but_its_labels(catalog: Catalog) -> None:
    closed, cancelled = await brought(catalog, "closed"), await brought(catalog, "cancelled")
    for own in (closed, cancelled):
        assert (await catalog.patch(own, {"title": "Other"}, status=409))["code"] == "improvement-over"
        assert (await catalog.patch(own, {"labels": {"a": "b"}}))["labels"] == {"a": "b"}
    assert (await catalog.get(cancelled))["cancellation_reason"] == "Because."


async def test_a_benefit_is_merged(catalog: Catalog) -> None:
    own = await brought(catalog, "approved")
    changed = await catalog.patch(own, {"benefit": {"target": "99.9000000001"}, "project_id": NOBODY})
    assert changed["benefit"] == EXAMPLE["benefit"] | {"target": "99.9000000001"}
    assert changed["project_id"] == NOBODY
    assert (await catalog.patch(own, {"benefit": {"before_window": None}}))["benefit"]["before_window"] is None
    assert pointers(await catalog.patch(own, {"benefit": {"kpi": None}}, status=422)) == [("/benefit/kpi", "missing")]
    assert (await catalog.patch(own, {"benefit": None}))["benefit"] is None


async def test_a_step_lies_neither_in_the_future_nor_before_the_last(catalog: Catalog) -> None:
    own = await brought(catalog, "approved")
    assert pointers(await catalog.move(own, "in_progress", at=LATER, status=422)) == [("/at", "in-the-future")]
    assert pointers(await catalog.move(own, "in_progress", at=ago(days=1), status=422)) == [("/at", "before-last")]


def imported(number: int, **given: Any) -> dict[str, Any]:
    return {
        "external_source": "register",
        "external_id": str(number),
        "service_key": "shop",
        "title": "Renew certificates",
        "planned_end": "2025-06-30",
    } | given


HISTORY = [
    {"state": "proposed", "at": "2025-04-02T09:00:00Z"},
    {"state": "approved", "at": "2025-04-09T09:00:00Z"},
    {"state": "in_progress", "at": "2025-04-13T07:00:00Z"},
    {"state": "closed", "at": "2025-06-25T14:00:00Z", "reason": "Done."},
]


async def test_a_history_is_brought_along(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    item = imported(1, history=HISTORY[::-1], outcome="successful")
    (made,) = await catalog.batch("improvements", [item])
    own = f"improvements/{made['id']}"
    shown = await catalog.get(own)
    assert (shown["state"], shown["outcome"], shown["first_planned_end"]) == (
        *("closed", "successful", "2025-06-30T23:59:59Z"),
    )
    assert (shown["approved_at"], shown["started_at"], shown["closed_at"], shown["state_since"]) == (
        *("2025-04-09T09:00:00Z", "2025-04-13T07:00:00Z", "2025-06-25T14:00:00Z", "2025-06-25T14:00:00Z"),
    )
    for unsaid in ({}, dict.fromkeys(("approved_at", "started_at", "closed_at", "first_planned_end"))):
        (same,) = await catalog.batch("improvements", [item | unsaid])
        assert (same["status"], same["version"]) == (200, 1)
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [(step["from"], step["to"], step["at"]) for step in steps] == [
        (before, one["state"], one["at"])
        for before, one in zip([None, "proposed", "approved", "in_progress"], HISTORY, strict=True)
    ]
    assert await told(pools, catalog, own) == [("improvement.created", 1, shown, None)]
    refused = await catalog.batch("improvements", [imported(1, title="Other")], status=409)
    assert pointers(refused) == [("/items/0", "improvement-over")]


async def test_a_state_may_be_told_alone(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        imported(1, state="approved", first_planned_end="2025-03-31"),
        imported(2, state="closed", outcome="partial", closed_at="2025-07-01T00:00:00Z"),
        imported(3, state="cancelled"),
        imported(4),
    ]
    made = await catalog.batch("improvements", items)
    shown = [await catalog.get(f"improvements/{one['id']}") for one in made]
    assert [one["state"] for one in shown] == ["approved", "closed", "cancelled", "proposed"]
    firsts = [one["first_planned_end"] for one in shown]
    assert firsts == ["2025-03-31T23:59:59Z", "2025-06-30T23:59:59Z", None, None]
    assert shown[1]["state_since"] == shown[1]["closed_at"] == "2025-07-01T00:00:00Z"
    (moved,) = await catalog.batch("improvements", [imported(4, state="in_progress", planned_end="2025-08-31")])
    again = await catalog.get(f"improvements/{moved['id']}")
    assert (again["version"], again["state"], again["first_planned_end"]) == (2, "in_progress", "2025-08-31T23:59:59Z")


async def test_the_past_needs_the_scope_of_imports_and_is_checked(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    writer = catalog.limited_to("catalog:write")
    assert [item["status"] for item in await writer.batch("improvements", [imported(1)])] == [201]
    for told_too in ({"state": "approved"}, {"history": HISTORY}, {"outcome": "partial"}):
        refused = await writer.batch("improvements", [imported(2, **told_too)], status=403)
        assert refused["scope"] == "catalog:import"
    items = [
        imported(3, state="closed"),
        imported(4, outcome="partial"),
        imported(5, history=HISTORY, outcome="partial", state="proposed"),
        imported(6, state="approved", approved_at=LATER),
        {"external_source": "register", "external_id": "7"},
    ]
    assert pointers(await catalog.batch("improvements", items, status=422)) == [
        ("/items/0/outcome", "missing"),
        ("/items/1/outcome", "not-allowed"),
        ("/items/2/state", "state-differs"),
        ("/items/3/approved_at", "in-the-future"),
        ("/items/4/service_id", "missing"),
        ("/items/4/title", "missing"),
    ]


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("proposed", ("first_planned_end", "approved_at", "started_at", "closed_at")),
        ("approved", ("started_at", "closed_at")),
        ("on_hold", ("closed_at",)),
        ("cancelled", ("closed_at",)),
    ],
)
async def test_nothing_is_told_of_a_state_that_was_not_reached(
    catalog: Catalog, state: str, names: tuple[str, ...]
) -> None:
    await catalog.service(key="shop")
    told_too = dict.fromkeys(("first_planned_end", "approved_at", "started_at", "closed_at"), "2024-01-01T00:00:00Z")
    refused = await catalog.batch("improvements", [imported(1, state=state, **told_too)], status=422)
    assert pointers(refused) == [(f"/items/0/{name}", "state-not-reached") for name in names]
    if state == "proposed":
        del told_too["closed_at"]
        refused = await catalog.batch("improvements", [imported(1, **told_too)], status=422)
        assert pointers(refused) == [(f"/items/0/{name}", "state-not-reached") for name in told_too]
    await catalog.batch(
        "improvements", [imported(1, state=state, **{n: told_too[n] for n in told_too if n not in names})]
    )


@pytest.mark.parametrize(
    "back",
    [
        {"state": "proposed"},
        {"history": [*HISTORY, {"state": "proposed", "at": "2025-07-01T00:00:00Z"}]},
    ],
    ids=["alone", "history"],
)
async def test_what_it_goes_back_behind_is_set_anew_by_commands(catalog: Catalog, back: dict[str, Any]) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("improvements", [imported(1, history=HISTORY, outcome="successful")])
    own = f"improvements/{made['id']}"
    await catalog.batch("improvements", [imported(1, **back)])
    shown = await catalog.get(own)
    assert [
        shown[name] for name in ("state", "first_planned_end", "approved_at", "started_at", "closed_at", "outcome")
    ] == [
        *("proposed", None, None, None, None, None),
    ]
    await catalog.patch(own, {"planned_end": "2026-06-30"})
    approved = await catalog.move(own, "approved")
    started = await catalog.move(own, "in_progress")
    assert started["first_planned_end"] == "2026-06-30T23:59:59Z"
    assert (started["approved_at"], started["started_at"]) == (approved["state_since"], started["state_since"])


async def test_of_a_history_that_went_back_the_last_approval_counts(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    again = [{"state": "proposed", "at": "2025-07-01T00:00:00Z"}, {"state": "approved", "at": "2025-07-02T00:00:00Z"}]
    (made,) = await catalog.batch("improvements", [imported(1, history=[*HISTORY, *again])])
    shown = await catalog.get(f"improvements/{made['id']}")
    assert (shown["state"], shown["approved_at"], shown["started_at"]) == ("approved", "2025-07-02T00:00:00Z", None)


async def test_what_is_not_known_of_the_past_is_not_made_up_by_going_on(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    item = {"external_source": "w", "external_id": "1", "title": "Let it stay up", "service_key": "shop"}
    (made,) = await catalog.batch("improvements", [item | {"state": "in_progress", "planned_end": "2027-01-01"}])
    own = f"improvements/{made['id']}"
    shown = [await catalog.move(own, to) for to in ("on_hold", "in_progress")]
    closed = await catalog.move(own, "closed", outcome="partial")
    assert [(one["approved_at"], one["started_at"]) for one in (*shown, closed)] == [(None, None)] * 3
    assert (closed["first_planned_end"], closed["closed_at"]) == ("2027-01-01T23:59:59Z", closed["state_since"])


async def test_an_improvement_may_come_from_an_incident(catalog: Catalog) -> None:
    incident = await catalog.incident()
    made = await proposed(catalog, origin={"type": "incident", "id": incident["id"]})
    assert made["origin"] == {"type": "incident", "id": incident["id"]}
    found = await catalog.get("improvements", origin_type="incident", origin_id=incident["id"])
    assert [one["id"] for one in found["items"]] == [made["id"]]
    stranger = catalog.of_another_organisation()
    theirs = EXAMPLE | {"service_id": (await stranger.service())["id"], "origin": made["origin"]}
    assert pointers(await stranger.post("improvements", theirs, status=422)) == [("/origin/id", "reference-unknown")]


async def test_an_improvement_may_come_from_a_problem_that_there_is(catalog: Catalog) -> None:
    problem = await catalog.problem()
    origin = {"type": "problem", "id": problem["id"]}
    made = await proposed(catalog, origin=origin)
    item = {"external_source": "w", "external_id": "1", "title": "Renew it", "service_id": made["service_id"]}
    (same,) = await catalog.batch("improvements", [item | {"origin": origin}])
    assert made["origin"] == (await catalog.get(f"improvements/{same['id']}"))["origin"] == origin
    for id_ in ("PRB0012", made["id"], (await catalog.of_another_organisation().problem())["id"]):
        wrong = item | {"origin": {"type": "problem", "id": id_}}
        refused = await catalog.batch("improvements", [wrong], status=422)
        assert pointers(refused) == [("/items/0/origin/id", "reference-unknown")]
        told_alone = EXAMPLE | {name: wrong[name] for name in ("origin", "service_id")}
        refused = await catalog.post("improvements", told_alone, status=422)
        assert pointers(refused) == [("/origin/id", "reference-unknown")]


async def test_of_two_equal_commands_one_wins(catalog: Catalog) -> None:
    own = await brought(catalog, "proposed")
    for target in ("approved", "in_progress", "closed"):
        body = {"to": target, **ORDERS.get(target, {})}
        answers = await asyncio.gather(*(catalog.send("POST", f"{own}/transitions", json=body) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_improvements_are_their_organisations(catalog: Catalog) -> None:
    own = await brought(catalog, "approved")
    stranger = catalog.of_another_organisation()
    await stranger.get(own, status=404)
    await stranger.get(f"{own}/transitions", status=404)
    await stranger.patch(own, {"title": "Mine"}, status=404)
    await stranger.move(own, "in_progress", status=404)
    assert (await stranger.get("improvements"))["items"] == []
    one = await catalog.get(own)
    assert (await catalog.get("improvements", state="approved", service_id=one["service_id"]))["items"] == [one]
    assert (await catalog.get("improvements", planned_end_to="2026-01-01T00:00:00Z"))["items"] == []
    assert (await catalog.delete(f"services/{one['service_id']}", status=409))["code"] == "service-in-use"


async def test_what_is_approved_stays_with_its_service(catalog: Catalog) -> None:
    one, other = await catalog.service(key="one"), await catalog.service(key="other")
    item = {"external_source": "w", "external_id": "1", "title": "Let it stay up", "planned_end": "2027-01-01"}
    await catalog.batch("improvements", [item | {"service_id": one["id"]}])
    (moved,) = await catalog.batch("improvements", [item | {"service_key": "other"}])
    assert (moved["status"], moved["version"]) == (200, 2)
    await catalog.move(f"improvements/{moved['id']}", "approved")
    refused = await catalog.batch("improvements", [item | {"service_key": "one"}], status=422)
    assert pointers(refused) == [("/items/0/service_key", "immutable")]
    (same,) = await catalog.batch("improvements", [item | {"service_id": other["id"]}])
    assert (same["status"], same["version"]) == (200, 3)


async def test_what_is_approved_keeps_a_planned_end_in_a_batch_too(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    item = {"external_source": "w", "external_id": "1", "title": "Let it stay up", "service_key": "shop"}
    (made,) = await catalog.batch("improvements", [item | {"planned_end": "2027-01-01"}])
    await catalog.batch("improvements", [item | {"planned_end": None}])
    await catalog.batch("improvements", [item | {"planned_end": "2027-01-01"}])
    own = f"improvements/{made['id']}"
    await catalog.move(own, "approved")
    writer = catalog.limited_to("catalog:read", "catalog:write")
    refused = await writer.batch("improvements", [item | {"planned_end": None}], status=422)
    assert pointers(refused) == [("/items/0/planned_end", "missing")]
    await catalog.move(own, "cancelled", reason="Not needed.")
    refused = await writer.batch("improvements", [item | {"planned_end": None}], status=409)
    assert pointers(refused) == [("/items/0", "improvement-over")]
