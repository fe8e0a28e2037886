import asyncio
import json
from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.testkit.applications import ANY_VERSION, pointers
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.telling import told
from service_catalog.timelines.schemas import NOTES_MAX, Timeline, WorkNote


async def noted(catalog: Catalog, incident: Any, text: str, **given: Any) -> Any:
    return await catalog.post(f"incidents/{incident['id']}/timeline", {"text": text} | given)


async def test_a_work_note_is_an_event_and_nothing_of_the_incident(catalog: Catalog, pools: Pools) -> None:
    incident = await catalog.incident()
    sent = await catalog.send(
        "POST", f"incidents/{incident['id']}/timeline", json={"text": "Called them.\nCase 4711.", "internal": False}
    )
    note = sent.json()
    WorkNote.model_validate_json(json.dumps(note), extra="forbid", strict=True)
    assert (sent.status_code, note["author"], note["internal"], note["incident_id"]) == (
        *(201, "tester", False, incident["id"]),
    )
    assert (await catalog.get(sent.headers["location"].removeprefix("/v1/"))) == note
    assert await told(pools, catalog, f"work-notes/{note['id']}") == [("work_note.added", 1, note, None)]
    assert sent.headers["event-id"]
    assert await catalog.get(f"incidents/{incident['id']}") == incident
    (entry,) = await catalog.timeline(incident, "note")
    assert entry == {
        "kind": "note",
        "at": note["created_at"],
        "from": None,
        "to": "noted",
        "reason": None,
        "actor": "tester",
        "recorded_at": note["created_at"],
        "details": {"work_note_id": note["id"]},
        "text": "Called them.\nCase 4711.",
        "internal": False,
    }


async def test_everything_that_happened_is_told_in_order(catalog: Catalog) -> None:
    service = await catalog.service()
    incident = await catalog.incident(service, occurred_at=ago(hours=3))
    own, parent = f"incidents/{incident['id']}", await catalog.incident(service)
    await catalog.move(own, "in_progress", at=ago(hours=2))
    await catalog.patch(own, {"impact": "high", "urgency": "high"})
    await noted(catalog, incident, "Much worse than it looked.")
    await catalog.patch(own, {"parent_id": parent["id"]})
    await catalog.link(await catalog.problem(service), incident)
    await catalog.move(own, "on_hold", hold_reason="awaiting_vendor")
    await catalog.patch(own, {"parent_id": None})
    told_ = await catalog.get(f"{own}/timeline")
    Timeline.model_validate_json(json.dumps(told_), extra="forbid", strict=True)
    assert [(entry["kind"], entry["from"], entry["to"]) for entry in told_["items"]] == [
        ("state", None, "new"),
        ("state", "new", "in_progress"),
        ("priority", "P3", "P1"),
        ("note", None, "noted"),
        ("parent", None, "linked"),
        ("problem", None, "linked"),
        ("state", "in_progress", "on_hold"),
        ("parent", None, "unlinked"),
    ]
    links = [entry["details"] for entry in told_["items"] if entry["kind"] == "parent"]
    assert links == [{"parent_id": parent["id"]}] * 2
    of_parent = await catalog.timeline(parent, "child")
    assert [(entry["to"], entry["details"]) for entry in of_parent] == [
        ("linked", {"child_id": incident["id"]}),
        ("unlinked", {"child_id": incident["id"]}),
    ]
    history = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in history] == ["new", "in_progress", "on_hold"]


async def test_whose_an_incident_is_stands_on_its_timeline(catalog: Catalog) -> None:
    incident, other = await catalog.incident(), await catalog.service()
    own = f"incidents/{incident['id']}"
    await catalog.patch(own, {"service_id": other["id"], "major": True, "assigned_team": "net", "assignee": "ada"})
    await catalog.patch(own, {"assignee": None, "title": "Other"})
    told_ = [
        (entry["to"], entry["details"]["field"], entry["details"]["before"], entry["details"]["after"])
        for entry in await catalog.timeline(incident, "handling")
    ]
    assert told_ == [
        ("changed", "service_id", incident["service_id"], other["id"]),
        ("changed", "major", False, True),
        ("changed", "assigned_team", incident["assigned_team"], "net"),
        ("changed", "assignee", incident["assignee"], "ada"),
        ("changed", "assignee", "ada", None),
    ]


async def test_a_parent_from_the_beginning_is_told(catalog: Catalog) -> None:
    service = await catalog.service(key="shop")
    first, second = await catalog.incident(service), await catalog.incident(service)
    item = {"external_source": "desk", "external_id": "1", "service_key": "shop", "title": "It is down"}
    (made,) = await catalog.batch("incidents", [item | {"parent_id": first["id"]}])
    begun = await catalog.timeline(made, "parent")
    assert [(entry["to"], entry["details"], entry["actor"]) for entry in begun] == [
        ("linked", {"parent_id": first["id"]}, "tester")
    ]
    for _ in range(2):
        await catalog.batch("incidents", [item | {"parent_id": second["id"]}])
    await catalog.batch("incidents", [item | {"parent_id": None}])
    entries = await catalog.timeline(made, "parent")
    assert entries[0] == begun[0]
    assert [(entry["to"], entry["details"]) for entry in entries[1:]] == [
        ("linked", {"parent_id": second["id"], "before": first["id"]}),
        ("unlinked", {"parent_id": second["id"]}),
    ]
    for parent in (first, second):
        own = await catalog.timeline(parent, "child")
        assert [(entry["to"], entry["details"]) for entry in own] == [
            ("linked", {"child_id": made["id"]}),
            ("unlinked", {"child_id": made["id"]}),
        ]


async def test_a_new_incident_may_be_part_of_another_one(catalog: Catalog) -> None:
    parent = await catalog.incident()
    child = await catalog.incident({"id": parent["service_id"]}, parent_id=parent["id"])
    (entry,) = await catalog.timeline(parent, "child")
    assert (entry["to"], entry["details"], entry["actor"]) == ("linked", {"child_id": child["id"]}, "tester")
    assert entry["at"] == child["created_at"]
    assert await catalog.timeline(parent, "parent") == []


@pytest.mark.parametrize(
    ("wrong", "told_at"),
    [
        ({"text": " \n"}, ("/text", "pattern")),
        ({"text": "x" * 10_001}, ("/text", "string-too-long")),
        ({"text": None}, ("/text", "string-type")),
        ({"internal": "yes"}, ("/internal", "bool-type")),
        ({"author": "bob"}, ("/author", "unknown-field")),
        ({"at": "2026-01-01T00:00:00Z"}, ("/at", "unknown-field")),
    ],
)
async def test_what_is_wrong_is_pointed_at(catalog: Catalog, wrong: dict[str, Any], told_at: tuple[str, str]) -> None:
    own = f"incidents/{(await catalog.incident())['id']}"
    assert pointers(await catalog.post(f"{own}/timeline", {"text": "x"} | wrong, status=422)) == [told_at]


async def test_a_note_is_never_edited_and_is_its_organisations(catalog: Catalog) -> None:
    incident = await catalog.incident()
    note = await noted(catalog, incident, "Called them.")
    assert note["internal"] is True
    own = f"incidents/{incident['id']}/work-notes/{note['id']}"
    for method in ("PATCH", "PUT", "DELETE"):
        assert (await catalog.send(method, own, headers=ANY_VERSION, json={"text": "x"})).status_code == 405
    stranger = catalog.of_another_organisation()
    for path in (own, f"incidents/{incident['id']}/work-notes", f"incidents/{incident['id']}/timeline"):
        await stranger.get(path, status=404)
    await stranger.post(f"incidents/{incident['id']}/timeline", {"text": "x"}, status=404)
    await catalog.get(f"incidents/{(await catalog.incident())['id']}/work-notes/{note['id']}", status=404)


async def test_notes_are_a_list_like_all_others(catalog: Catalog) -> None:
    incident = await catalog.incident()
    await catalog.move(f"incidents/{incident['id']}", "cancelled", reason="other")
    notes = [await noted(catalog, incident, f"Note {n}", internal=n != 1) for n in range(3)]
    path = f"incidents/{incident['id']}/work-notes"
    assert (await catalog.get(path))["items"] == notes
    assert (await catalog.get(path, internal="false"))["items"] == (await catalog.get(path, q="note 1"))["items"]
    assert (await catalog.get(path, limit=1, sort="-created_at"))["items"] == notes[2:]


async def test_a_note_sent_twice_with_one_key_is_one(catalog: Catalog) -> None:
    incident = await catalog.incident()
    path, body = f"incidents/{incident['id']}/timeline", {"text": "Called them."}
    answers = await asyncio.gather(
        *(catalog.send("POST", path, json=body, headers={"Idempotency-Key": '"n"'}) for _ in range(3))
    )
    assert 201 in {answer.status_code for answer in answers} <= {201, 409}
    assert len(await catalog.timeline(incident, "note")) == 1


async def test_the_notes_of_an_incident_are_bounded_even_at_once(catalog: Catalog, addresses: Addresses) -> None:
    incident = await catalog.incident()
    async with addresses.pools() as pools:
        connection = await pools.runtime.connect()
        try:
            await connection.execute(f"SET app.org = '{catalog.org}'")
            await connection.execute(
                "INSERT INTO work_note (org, id, created_at, updated_at, incident_id, text, internal, author)"
                " SELECT $1, uuidv7(), now(), now(), $2, 'x', true, 'tester' FROM generate_series(1, $3)",
                catalog.org,
                incident["id"],
                NOTES_MAX - 1,
            )
        finally:
            await connection.close()
    path = f"incidents/{incident['id']}/timeline"
    answers = await asyncio.gather(*(catalog.send("POST", path, json={"text": "One more"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "too-many-notes"}
    assert len(await catalog.timeline(incident, "note")) == NOTES_MAX
