"""Which problem an incident belongs to, and what it is told of it."""

import asyncio
import json
from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.schemas import parse_instant
from chassis.testkit.applications import ANY_VERSION
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told

NOBODY = {"id": "01890a5d-ac96-774b-bcce-b302099a8057"}
CAUSE: dict[str, Any] = {"root_cause": "Nobody is told.", "workaround": "Renew it by hand."}
SOLUTION: dict[str, Any] = {"resolution": "It renews itself.", "factor": "supplier"}


async def notices(pools: Pools, catalog: Catalog, incident: Any) -> list[tuple[str, Any]]:
    """Return the notices that an incident was given of problems: type and what they say."""
    connection = await pools.worker.connect()
    try:
        rows = await connection.fetch(
            "SELECT type, subject, aggregateversion, data FROM event_pending WHERE org = $1 AND partitionkey = $2"
            " AND type LIKE 'tandem.incident_problem.%' ORDER BY seq",
            catalog.org,
            incident["id"],
        )
    finally:
        await connection.close()
    for row in rows:
        assert row["subject"] == f"incident-problems/{incident['id']}/{json.loads(row['data'])['problem_id']}"
        assert row["aggregateversion"] is None
    return [(row["type"], json.loads(row["data"])) for row in rows]


async def linked(catalog: Catalog, problem: Any, **asked: Any) -> list[str]:
    listed = await catalog.get(f"problems/{problem['id']}/incidents", **asked)
    return [one["id"] for one in listed["items"]]


async def test_an_incident_belongs_to_one_problem_at_most(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.service()
    incident, first, second = await catalog.incident(service), await catalog.problem(service), await catalog.problem()
    assert incident["problem_id"] is None
    joined = await catalog.link(first, incident)
    assert (joined["problem_id"], joined["version"]) == (first["id"], 2)
    assert await catalog.link(first, incident) == joined
    moved = await catalog.link(second, incident)
    assert (moved["problem_id"], moved["version"]) == (second["id"], 3)
    assert (await linked(catalog, first), await linked(catalog, second)) == ([], [incident["id"]])
    await catalog.delete(f"problems/{first['id']}/incidents/{incident['id']}", status=404)
    freed = await catalog.delete(f"problems/{second['id']}/incidents/{incident['id']}")
    assert (freed["problem_id"], freed["version"]) == (None, 4)
    events = await told(pools, catalog, f"incidents/{incident['id']}")
    assert [(name, version, data["problem_id"]) for name, version, data, _ in events] == [
        ("incident.created", 1, None),
        ("incident.updated", 2, first["id"]),
        ("incident.updated", 3, second["id"]),
        ("incident.updated", 4, None),
    ]
    assert [(entry["to"], entry["details"].get("before")) for entry in await catalog.timeline(incident, "problem")] == [
        ("linked", None),
        ("linked", first["id"]),
        ("unlinked", None),
    ]


async def test_a_patch_links_as_well(catalog: Catalog) -> None:
    incident, problem = await catalog.incident(), await catalog.problem()
    own = f"incidents/{incident['id']}"
    assert (await catalog.patch(own, {"problem_id": problem["id"]}))["problem_id"] == problem["id"]
    assert (await catalog.patch(own, {"problem_id": problem["id"], "title": "Other"}))["version"] == 3
    assert [one["id"] for one in (await catalog.get("incidents", problem_id=problem["id"]))["items"]] == [
        incident["id"]
    ]
    assert (await catalog.patch(own, {"problem_id": None}))["problem_id"] is None
    refused = await catalog.patch(own, {"problem_id": NOBODY["id"]}, status=422)
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/problem_id", "reference-unknown")]
    assert [entry["to"] for entry in await catalog.timeline(incident, "problem")] == ["linked", "unlinked"]


async def test_a_link_says_which_version_of_the_incident_it_changes(catalog: Catalog) -> None:
    incident, problem = await catalog.incident(), await catalog.problem()
    path = f"problems/{problem['id']}/incidents/{incident['id']}"
    for method in ("PUT", "DELETE"):
        assert (await catalog.send(method, path)).json()["code"] == "if-match-missing"
    assert (await catalog.send("PUT", path, headers={"If-Match": '"7"'})).json()["current"] == incident
    done = await catalog.send("PUT", path, headers={"If-Match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert (await catalog.send("DELETE", path, headers={"If-Match": '"1"'})).json()["code"] == "version-stale"
    assert (await catalog.send("DELETE", path, headers={"If-Match": '"2"'})).json()["problem_id"] is None


async def test_nothing_is_linked_to_what_is_not_there_or_was_cancelled(catalog: Catalog) -> None:
    incident, problem = await catalog.incident(), await catalog.problem()
    await catalog.link(NOBODY, incident, status=404)
    await catalog.link(problem, NOBODY, status=404)
    await catalog.get(f"problems/{NOBODY['id']}/incidents", status=404)
    await catalog.move(f"problems/{problem['id']}", "cancelled", reason="A duplicate.")
    assert (await catalog.link(problem, incident, status=409))["code"] == "problem-cancelled"
    refused = await catalog.patch(f"incidents/{incident['id']}", {"problem_id": problem["id"]}, status=409)
    assert refused["code"] == "problem-cancelled"
    assert (await catalog.get(f"incidents/{incident['id']}"))["version"] == 1


async def test_the_incidents_of_a_problem_are_a_list_like_all_others(catalog: Catalog) -> None:
    service, problem = await catalog.service(), await catalog.problem()
    made = [await catalog.incident(service, impact=impact) for impact in ("high", "low", "low")]
    for incident in made:
        await catalog.link(problem, incident)
    await catalog.link(await catalog.problem(), await catalog.incident(service))
    ids = [one["id"] for one in made]
    assert await linked(catalog, problem) == ids
    assert await linked(catalog, problem, impact="low", sort="-created_at") == [ids[2], ids[1]]
    page = await catalog.get(f"problems/{problem['id']}/incidents", limit=2, count="true")
    assert ([one["id"] for one in page["items"]], page["count"]) == (ids[:2], 3)
    assert await linked(catalog, problem, limit=2, after=page["next"]) == ids[2:]
    await catalog.get(f"problems/{problem['id']}/incidents", problem_id=problem["id"], status=422)
    stranger = catalog.of_another_organisation()
    await stranger.get(f"problems/{problem['id']}/incidents", status=404)
    await stranger.link(problem, made[0], status=404)


async def test_a_known_error_and_a_closing_are_told_to_the_incidents(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.service()
    problem = await catalog.problem(service, identified_at=ago(hours=9))
    waiting, resolved, other = [await catalog.incident(service, occurred_at=ago(hours=10)) for _ in range(3)]
    await catalog.move(f"incidents/{waiting['id']}", "in_progress")
    await catalog.move(f"incidents/{waiting['id']}", "on_hold", hold_reason="other")
    await catalog.move(f"incidents/{resolved['id']}", "resolved", resolution="Renewed.", factor="supplier")
    before = [await catalog.link(problem, incident) for incident in (waiting, resolved)]
    own = f"problems/{problem['id']}"
    known = await catalog.move(own, "known_error", at=ago(hours=8), **CAUSE)
    await catalog.move(own, "resolved", at=ago(hours=7), **SOLUTION)
    closed = await catalog.move(own, "closed", reason="Quiet for a month.")
    knowledge = {"problem_id": problem["id"], "title": problem["title"], **CAUSE}
    for incident in before:
        assert await catalog.get(f"incidents/{incident['id']}") == incident  # no step of its state, nor of its version
        entries = [entry for entry in await catalog.timeline(incident, "problem") if entry["to"] != "linked"]
        assert [(entry["to"], entry["at"], entry["actor"], entry["reason"]) for entry in entries] == [
            ("known_error", known["known_error_at"], "tester", None),
            ("closed", closed["closed_at"], "tester", "Quiet for a month."),
        ]
        assert [entry["details"] for entry in entries] == [knowledge, knowledge | SOLUTION]
        about = {"incident_id": incident["id"], "service_id": service["id"], "actor": "tester"}
        first = {"state": "known_error", "at": known["known_error_at"], "reason": None}
        last = {"state": "closed", "at": closed["closed_at"], "reason": "Quiet for a month."}
        assert await notices(pools, catalog, incident) == [
            ("tandem.incident_problem.known_error_declared.v1", about | knowledge | first),
            ("tandem.incident_problem.closed.v1", about | knowledge | SOLUTION | last),
        ]
    assert await catalog.timeline(other, "problem") == await notices(pools, catalog, other) == []


async def test_a_cancelled_problem_tells_its_incidents_and_lets_them_go(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.service()
    problem, another = await catalog.problem(service, identified_at=ago(hours=9)), await catalog.problem()
    first, second, other = [await catalog.incident(service) for _ in range(3)]
    for incident in (first, second):
        await catalog.link(problem, incident)
    elsewhere = await catalog.link(another, other)
    cancelled = await catalog.move(f"problems/{problem['id']}", "cancelled", at=ago(hours=8), reason="A duplicate.")
    said = {"problem_id": problem["id"], "title": problem["title"]}
    for incident in (first, second):
        own = f"incidents/{incident['id']}"
        freed = await catalog.get(own)
        assert (freed["problem_id"], freed["version"], freed["state"]) == (None, 3, "new")
        assert [name for name, *_ in await told(pools, catalog, own)][1:] == ["incident.updated"] * 2
        entries = sorted(
            await catalog.timeline(incident, "problem"), key=lambda entry: parse_instant(entry["recorded_at"])
        )
        assert [(entry["to"], entry["reason"]) for entry in entries] == [
            ("linked", None),
            ("cancelled", "A duplicate."),
            ("unlinked", None),
        ]
        assert (entries[1]["at"], entries[1]["details"]) == (cancelled["state_since"], said)
        assert entries[2]["details"] == {"problem_id": problem["id"]}
        about = {"incident_id": incident["id"], "service_id": service["id"], "actor": "tester"}
        what = {"state": "cancelled", "at": cancelled["state_since"], "reason": "A duplicate."}
        assert await notices(pools, catalog, incident) == [
            ("tandem.incident_problem.cancelled.v1", about | said | what)
        ]
    assert await linked(catalog, problem) == []
    assert await catalog.get(f"incidents/{other['id']}") == elsewhere


async def test_who_comes_later_is_told_with_the_link(catalog: Catalog) -> None:
    problem, incident = await catalog.problem(), await catalog.incident()
    await catalog.move(f"problems/{problem['id']}", "known_error", **CAUSE)
    await catalog.link(problem, incident)
    (entry,) = await catalog.timeline(incident, "problem")
    assert entry["details"] == {
        "problem_id": problem["id"],
        "title": problem["title"],
        "state": "known_error",
        "workaround": CAUSE["workaround"],
    }


async def test_an_import_tells_too(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    item = {"external_source": "desk", "external_id": "P1", "service_key": "shop", "title": "It recurs"}
    (made,) = await catalog.batch("problems", [item])
    incident = await catalog.link(made, await catalog.incident())
    ended = item | {"state": "closed", "resolution": "Gone."}
    for _ in range(2):
        await catalog.batch("problems", [ended, item | {"external_id": "P2", "state": "closed"}])
    entries = await catalog.timeline(incident, "problem")
    assert [(entry["to"], entry["details"].get("resolution")) for entry in entries] == [
        ("linked", None),
        ("closed", "Gone."),
    ]
    assert [kind for kind, _ in await notices(pools, catalog, incident)] == ["tandem.incident_problem.closed.v1"]


async def test_an_import_that_cancels_lets_the_incidents_go(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    item = {"external_source": "desk", "external_id": "P1", "service_key": "shop", "title": "It recurs"}
    (made,) = await catalog.batch("problems", [item])
    incident = await catalog.link(made, await catalog.incident())
    for _ in range(2):
        await catalog.batch("problems", [item | {"state": "cancelled"}])
    freed = await catalog.get(f"incidents/{incident['id']}")
    assert (freed["problem_id"], freed["version"]) == (None, 3)
    assert [entry["to"] for entry in await catalog.timeline(incident, "problem")] == ["linked", "cancelled", "unlinked"]
    assert [kind for kind, _ in await notices(pools, catalog, incident)] == ["tandem.incident_problem.cancelled.v1"]


async def test_a_link_and_the_cancellation_of_its_problem_at_once_leave_nobody_linked(catalog: Catalog) -> None:
    problem = await catalog.problem()
    own = f"problems/{problem['id']}"
    incidents = [await catalog.incident() for _ in range(6)]
    for incident in incidents[:2]:
        await catalog.link(problem, incident)
    cancelling = catalog.send("POST", f"{own}/transitions", json={"to": "cancelled", "reason": "A duplicate."})
    links = [catalog.send("PUT", f"{own}/incidents/{one['id']}", headers=ANY_VERSION) for one in incidents]
    answers = await asyncio.gather(*links[:4], cancelling, *links[4:])
    assert answers[4].status_code == 200
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await linked(catalog, problem) == []
    for incident in incidents:
        steps = {entry["to"] for entry in await catalog.timeline(incident, "problem")}
        assert steps in (set(), {"linked", "cancelled", "unlinked"})


async def test_a_link_and_the_closing_of_its_problem_at_once_leave_nobody_untold(catalog: Catalog) -> None:
    problem = await catalog.problem()
    own = f"problems/{problem['id']}"
    await catalog.move(own, "investigating")
    await catalog.move(own, "resolved", root_cause="A race.", **SOLUTION)
    incidents = [await catalog.incident() for _ in range(6)]
    closing = catalog.send("POST", f"{own}/transitions", json={"to": "closed"})
    links = [catalog.send("PUT", f"{own}/incidents/{one['id']}", headers=ANY_VERSION) for one in incidents]
    answers = await asyncio.gather(*links[:3], closing, *links[3:])
    assert {answer.status_code for answer in answers} == {200}
    for incident in incidents:
        steps = await catalog.timeline(incident, "problem")
        assert [step["to"] for step in steps if step["to"] == "closed" or step["details"]["state"] == "closed"] in (
            ["closed"],
            ["linked"],
        )


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_of_two_that_link_or_unlink_one_version_one_wins(catalog: Catalog, method: str) -> None:
    incident, problems = await catalog.incident(), [await catalog.problem() for _ in range(2)]
    if method == "DELETE":
        incident = await catalog.link(problems[0], incident)
        problems[1] = problems[0]
    paths = [f"problems/{problem['id']}/incidents/{incident['id']}" for problem in problems]
    tag = {"If-Match": f'"{incident["version"]}"'}
    answers = await asyncio.gather(*(catalog.send(method, path, headers=tag) for path in paths))
    lost = 412 if method == "PUT" else 404
    assert sorted(answer.status_code for answer in answers) == [200, lost]
    assert len(await catalog.timeline(incident, "problem")) == (1 if method == "PUT" else 2)
