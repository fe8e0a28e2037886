from datetime import timedelta
from typing import Any

import pytest
from catalog_api import Catalog, codes

from chassis import clock
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

LATER = (clock.now() + timedelta(days=1)).isoformat()
HISTORY = [
    {"state": "open", "at": "2025-03-04T10:00:00Z"},
    {"state": "known_error", "at": "2025-03-05T09:00:00Z"},
    {"state": "resolved", "at": "2025-03-20T16:00:00Z"},
    {"state": "closed", "at": "2025-04-20T16:00:00Z", "reason": "Quiet for a month."},
]


def imported(number: int, **given: Any) -> dict[str, Any]:
    found = {"external_source": "desk", "external_id": f"PRB{number}"}
    return found | {"service_key": "shop", "title": "It recurs"} | given


async def test_a_history_is_brought_along_and_repeats_without_effect(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    item = imported(1, history=HISTORY[::-1], identified_at="2025-03-01T00:00:00Z", resolution="Done.")
    (made,) = await catalog.batch("problems", [item])
    own = f"problems/{made['id']}"
    shown = await catalog.get(own)
    assert (made["status"], shown["state"], shown["known_error"]) == (201, "closed", True)
    assert (shown["known_error_at"], shown["resolved_at"], shown["closed_at"]) == tuple(
        step["at"] for step in HISTORY[1:]
    )
    assert shown["identified_at"] == "2025-03-01T00:00:00Z"
    for unsaid in ({}, dict.fromkeys(("known_error_at", "resolved_at", "closed_at"))):
        (same,) = await catalog.batch("problems", [item | unsaid])
        assert (same["status"], same["version"]) == (200, 1)
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [(step["from"], step["to"], step["at"]) for step in steps] == [
        (before, step["state"], step["at"])
        for before, step in zip([None, "open", "known_error", "resolved"], HISTORY, strict=True)
    ]
    assert await told(pools, catalog, own) == [("problem.created", 1, shown, None)]
    refused = await catalog.batch("problems", [imported(1, title="Other")], status=409)
    assert pointers(refused) == [("/items/0", "problem-over")]
    (labelled,) = await catalog.batch("problems", [imported(1, labels={"a": "b"})])
    assert labelled["version"] == 2


async def test_a_history_that_has_grown_adds_its_new_steps(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await catalog.batch("problems", [imported(1, history=HISTORY[:2])])
    (grown,) = await catalog.batch("problems", [imported(1, history=HISTORY)])
    assert (grown["status"], grown["version"]) == (200, 2)
    steps = (await catalog.get(f"problems/{grown['id']}/transitions"))["history"]
    assert [step["to"] for step in steps] == ["open", "known_error", "resolved", "closed"]


async def test_a_state_may_be_told_alone(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    items = [
        imported(1, state="known_error", known_error_at="2025-03-05T09:00:00Z", identified_at="2025-03-04T00:00:00Z"),
        imported(2, state="cancelled"),
        imported(3, impact="high", urgency="high"),
    ]
    made = await catalog.batch("problems", items)
    shown = [await catalog.get(f"problems/{one['id']}") for one in made]
    assert [(one["state"], one["known_error"]) for one in shown] == [
        *(("known_error", True), ("cancelled", False), ("open", False)),
    ]
    assert shown[0]["state_since"] == "2025-03-05T09:00:00Z"
    (moved,) = await catalog.batch("problems", [imported(3, state="investigating", urgency="low")])
    again = await catalog.get(f"problems/{moved['id']}")
    assert (again["version"], again["state"], again["priority"]) == (2, "investigating", "P3")


async def test_what_was_taken_up_again_elsewhere_has_no_end(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    reopened = [*HISTORY[:3], {"state": "investigating", "at": "2025-03-22T08:00:00Z", "reason": "It is back."}]
    items = [
        imported(1, history=reopened, resolved_at="2025-03-20T16:00:00Z"),
        imported(2, history=[{"state": "cancelled", "at": "2025-03-22T08:00:00Z", "reason": "A duplicate."}]),
    ]
    made = await catalog.batch("problems", items)
    shown = [await catalog.get(f"problems/{one['id']}") for one in made]
    assert [(one["resolved_at"], one["cancellation_reason"], one["known_error"]) for one in shown] == [
        *((None, None, True), (None, "A duplicate.", False)),
    ]
    await catalog.batch("problems", [imported(2, state="open")])
    assert (await catalog.get(f"problems/{made[1]['id']}"))["cancellation_reason"] is None


async def test_what_cannot_be_of_a_problem_is_pointed_at(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    ends = {"resolved_at": "2025-03-20T16:00:00Z", "closed_at": "2025-03-20T15:00:00Z"}
    known = {"identified_at": "2025-03-01T00:00:00Z"}
    items = [imported(1, resolved_at=ends["resolved_at"], **known), imported(2, state="closed", **known, **ends)]
    answered = await catalog.batch("problems", items, mode="independent")
    assert [pointers(item["problem"]) for item in answered] == [
        [("/resolved_at", "state-not-reached")],
        [("/closed_at", "out-of-order")],
    ]
    (made,) = await catalog.batch("problems", [imported(3, **known)])
    await catalog.move(f"problems/{made['id']}", "investigating")
    refused = await catalog.batch(
        "problems", [imported(3, state="resolved", resolved_at=ends["resolved_at"])], status=422
    )
    assert pointers(refused) == [("/items/0/resolved_at", "before-last")]


SINCE = {"identified_at": "2025-03-01T00:00:00Z"}
SOLVED = "2025-03-20T16:00:00Z"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"known_error_at": SOLVED}, "state-not-reached"),
        ({"known_error_at": SOLVED, "state": "open"}, "state-not-reached"),
        ({"known_error_at": SOLVED, "history": HISTORY[:1]}, "state-not-reached"),
        ({"known_error_at": SOLVED, "history": HISTORY[:2]}, "instant-differs"),
        ({"known_error_at": "2025-03-05T09:00:01Z", "history": HISTORY}, "instant-differs"),
        ({"known_error_at": "2025-03-21T00:00:00Z", "state": "resolved", "resolved_at": SOLVED}, "out-of-order"),
        ({"known_error_at": "2025-02-28T00:00:00Z", "state": "known_error"}, "before-identification"),
    ],
)
async def test_a_known_error_contradicts_nothing_else(catalog: Catalog, wrong: dict[str, Any], code: str) -> None:
    await catalog.service(key="shop")
    refused = await catalog.batch("problems", [imported(1, **SINCE, **wrong)], status=422)
    place = "resolved_at" if code == "out-of-order" else "known_error_at"
    assert pointers(refused) == [(f"/items/0/{place}", code)]


async def test_what_was_resolved_is_no_known_error_since(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await catalog.batch("problems", [imported(1, state="resolved", resolved_at=SOLVED, **SINCE)])
    late = {"known_error_at": "2025-03-21T00:00:00Z"}
    assert pointers(await catalog.batch("problems", [imported(1, **late)], status=422)) == [
        ("/items/0/known_error_at", "out-of-order")
    ]
    (made,) = await catalog.batch("problems", [imported(1, known_error_at=SOLVED)])
    early = {"resolved_at": "2025-03-19T00:00:00Z"}
    assert pointers(await catalog.batch("problems", [imported(1, **early)], status=422)) == [
        ("/items/0/resolved_at", "out-of-order")
    ]
    assert (await catalog.get(f"problems/{made['id']}"))["known_error_at"] == SOLVED


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"state": "investigating"}, "2025-03-05T09:00:00Z"),
        ({"state": "cancelled"}, "2025-03-05T09:00:00Z"),
        ({"state": "resolved", "resolved_at": SOLVED}, "2025-03-05T09:00:00Z"),
        ({"history": [HISTORY[0], HISTORY[2]]}, "2025-03-05T09:00:00Z"),
        ({"history": [*HISTORY[:2], {"state": "open", "at": "2025-03-06T00:00:00Z"}]}, "2025-03-05T09:00:00Z"),
        ({"history": HISTORY[:2], "known_error_at": None}, "2025-03-05T09:00:00Z"),
        ({"state": "known_error", "known_error_at": None, "resolved_at": None}, None),
    ],
)
async def test_what_once_was_a_known_error_stays_one(
    catalog: Catalog, given: dict[str, Any], shown: str | None
) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("problems", [imported(1, **SINCE, **({"known_error_at": shown} | given))])
    problem = await catalog.get(f"problems/{made['id']}")
    assert (problem["known_error"], problem["known_error_at"]) == (True, shown or problem["state_since"])


async def test_what_was_resolved_elsewhere_without_a_word_is_not_closed_without_one(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("problems", [imported(1, state="resolved")])
    own = f"problems/{made['id']}"
    assert codes(await catalog.move(own, "closed", status=409)) == [
        *("resolution_given", "root_cause_given", "factor_given"),
    ]
    await catalog.move(own, "closed", resolution="Done.", root_cause="Unknown.", factor="unknown")


async def test_a_batch_takes_away_no_more_than_a_patch(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("problems", [imported(1)])
    own = f"problems/{made['id']}"
    await catalog.move(own, "known_error", root_cause="A certificate.", workaround="Renew it.")
    emptied = imported(1, root_cause=None, workaround=" ")
    refused = await catalog.limited_to("catalog:read", "catalog:write").batch("problems", [emptied], status=422)
    assert sorted(pointers(refused)) == [("/items/0/root_cause", "missing"), ("/items/0/workaround", "missing")]
    await catalog.move(own, "resolved", resolution="Done.", factor="quality")
    await catalog.move(own, "closed")
    refused = await catalog.batch("problems", [emptied], status=409)
    assert pointers(refused) == [("/items/0", "problem-over")]


async def test_what_was_imported_without_a_word_may_be_sent_again(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    await catalog.batch("problems", [imported(1, state="known_error")])
    (same,) = await catalog.batch("problems", [imported(1, root_cause=None, workaround=None)])
    assert (same["status"], same["version"]) == (200, 1)


async def test_what_is_taken_up_again_is_not_resolved_by_what_resolved_it_before(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("problems", [imported(1, state="resolved", resolution="Restarted.")])
    own = f"problems/{made['id']}"
    await catalog.batch("problems", [imported(1, state="investigating")])
    assert (await catalog.get(own))["resolution"] is None
    await catalog.batch("problems", [imported(1, state="resolved", resolution="Restarted.")])
    await catalog.batch("problems", [imported(1, state="open", resolution="Not for long.")])
    assert (await catalog.get(own))["resolution"] == "Not for long."


async def test_an_end_that_is_null_leaves_it_unsaid(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    unsaid = {"resolved_at": None, "closed_at": None}
    made = await catalog.batch(
        "problems", [imported(1, state="closed", **unsaid), imported(2, history=HISTORY, **unsaid), imported(3)]
    )
    await catalog.batch("problems", [imported(3, state="resolved", **unsaid)])
    shown = [await catalog.get(f"problems/{one['id']}") for one in made]
    assert [(one["resolved_at"], one["closed_at"]) for one in shown] == [
        (shown[0]["state_since"], shown[0]["state_since"]),
        (HISTORY[2]["at"], HISTORY[3]["at"]),
        (shown[2]["state_since"], None),
    ]


async def test_a_problem_begins_when_it_was_identified(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("problems", [imported(1, identified_at="2025-03-04T10:00:00Z")])
    own = f"problems/{made['id']}"
    for at in ("2025-03-01T10:00:00Z", "2025-03-02T10:00:00Z"):
        await catalog.batch("problems", [imported(1, identified_at=at)])
        assert ((await catalog.get(own))["state_since"], await instants(catalog, own)) == (at, [at])
    going_on = {"identified_at": "2025-03-01T10:00:00Z", "state": "resolved", "resolved_at": "2025-03-02T09:00:00Z"}
    await catalog.batch("problems", [imported(1, **going_on)])
    assert await instants(catalog, own) == [going_on["identified_at"], going_on["resolved_at"]]
    refused = await catalog.batch("problems", [imported(1, identified_at="2025-03-02T09:00:01Z")], status=422)
    assert pointers(refused)[0] == ("/items/0/identified_at", "out-of-order")
    await catalog.batch("problems", [imported(1, identified_at="2025-03-02T09:00:00Z")])
    assert await instants(catalog, own) == [going_on["resolved_at"]] * 2


async def test_a_history_that_was_told_begins_where_it_says(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("problems", [imported(1, history=HISTORY, identified_at="2025-03-01T00:00:00Z")])
    await catalog.batch("problems", [imported(1, identified_at="2025-03-02T00:00:00Z", history=HISTORY)])
    await catalog.batch("problems", [imported(1, identified_at="2025-03-03T00:00:00Z")])
    assert await instants(catalog, f"problems/{made['id']}") == [step["at"] for step in HISTORY]


async def instants(catalog: Catalog, own: str) -> list[str]:
    return [step["at"] for step in (await catalog.get(f"{own}/transitions"))["history"]]


async def test_the_past_needs_the_scope_of_imports_and_is_checked(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    writer = catalog.limited_to("catalog:write")
    assert [item["status"] for item in await writer.batch("problems", [imported(1)])] == [201]
    for past in ({"state": "closed"}, {"history": HISTORY}, {"identified_at": "2025-03-01T00:00:00Z"}):
        assert (await writer.batch("problems", [imported(2, **past)], status=403))["scope"] == "catalog:import"
    items = [
        imported(3),
        imported(4, history=HISTORY, state="open"),
        imported(5, identified_at=LATER),
        imported(6, history=HISTORY, identified_at="2025-03-05T00:00:00Z"),
        imported(7, service_key="nowhere"),
        {"external_source": "desk", "external_id": "PRB8"},
    ]
    assert pointers(await catalog.batch("problems", items, status=422)) == [
        ("/items/1/state", "state-differs"),
        ("/items/2/identified_at", "in-the-future"),
        ("/items/3/history/0/at", "before-identification"),
        ("/items/4/service_key", "reference-unknown"),
        ("/items/5/service_id", "missing"),
        ("/items/5/title", "missing"),
    ]
    answered = await catalog.batch("problems", items, mode="independent")
    assert [item["status"] for item in answered] == [201, *[422] * 5]
