import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY

from chassis import ids
from chassis.caller import Caller
from chassis.database import Transaction, connect_arguments
from chassis.events.consumer import Consumer
from chassis.events.envelope import BATCH_JSON, STRUCTURED_JSON, Event
from chassis.events.handling import Handlers, data_of, effect, projection
from chassis.events.receiving import EVENTS_MAX
from chassis.rejection import Rejection
from chassis.schemas import Name, Output
from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import EventService, service_on
from chassis.testkit.sample.notes import add_note

CREATED, RENAMED = "tandem.note.created.v1", "tandem.note.renamed.v1"
ACME = Caller(org="acme", subject="ada")
ADD = """INSERT INTO thing (org, id, created_at, updated_at, name, external_source)
    VALUES ($1, gen_random_uuid(), clock_timestamp(), now(), $2, $3)"""
PUT = """INSERT INTO thing AS known (org, id, version, created_at, updated_at, name)
    VALUES ($1, $2, $3, now(), now(), $4)
    ON CONFLICT (org, id) DO UPDATE SET version = excluded.version, name = excluded.name
    WHERE known.version < excluded.version"""


class Note(Output):
    title: Name


async def write_down(tx: Transaction, events: list[Event]) -> int:
    title = data_of(events[0], Note).title
    if title == "stale":
        return 0
    if title == "forbidden":
        raise Rejection("conflict", "title-forbidden", "This title is not wanted here.")
    if title == "unreadable":
        raise ValueError("this holds a \0")
    await tx.connection.execute(ADD, tx.caller.org, title, tx.caller.causation_id)
    return 1


async def project(tx: Transaction, events: list[Event]) -> int:
    touched = [
        await tx.connection.execute(
            PUT, tx.caller.org, event.partitionkey, event.aggregateversion, data_of(event, Note).title
        )
        for event in events
    ]
    return touched.count("INSERT 0 1")


HANDLERS: Handlers = {CREATED: effect(write_down), RENAMED: projection(project)}


@pytest.fixture
async def receiver(addresses: Addresses) -> AsyncIterator[EventService]:
    async with service_on(addresses, HANDLERS) as one:
        yield one


def an_event(title: str = "a", **attributes: Any) -> dict[str, Any]:
    made = {"specversion": "1.0", "id": str(ids.new_id()), "source": "/producer", "type": CREATED, "orgid": "acme"}
    return made | {"data": {"title": title}} | attributes


async def deliver(service: EventService, *events: Any, org: str = "acme") -> httpx.Response:
    """Deliver one event as it is, several as a batch."""
    kind = STRUCTURED_JSON if len(events) == 1 else BATCH_JSON
    content = json.dumps(events[0] if len(events) == 1 else events)
    headers = {"Content-Type": kind, "Authorization": f"Bearer {org}"}
    return await service.client.post("/v1/events", content=content, headers=headers)


async def names(service: EventService, org: str = "acme") -> list[str]:
    async with service.pools.worker.begin(Caller(org=org, subject="test")) as tx:
        return [row["name"] for row in await tx.connection.fetch("SELECT name FROM thing ORDER BY created_at")]


async def held(service: EventService) -> list[Any]:
    items: list[Any] = (await service.client.get("/v1/quarantine")).json()["items"]
    return items


async def retry(service: EventService, id_: str, org: str = "acme") -> httpx.Response:
    return await service.client.post(f"/v1/quarantine/{id_}/retry", headers={"Authorization": f"Bearer {org}"})


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("tandem_events_received_total", {"outcome": outcome}) or 0


async def test_an_event_takes_effect_once_in_whichever_mode_it_comes(receiver: EventService) -> None:
    event = an_event()
    first = await deliver(receiver, event)
    assert first.status_code == 202
    assert first.json() == {"applied": 1, "known": 0, "unknown": 0, "quarantined": 0}
    assert (await deliver(receiver, event)).status_code == 204
    assert (await deliver(receiver, event, event)).status_code == 204
    headers = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    headers["Content-Type"] = "application/json"
    assert (await receiver.client.post("/v1/events", json=event["data"], headers=headers)).status_code == 204
    other = await receiver.client.post("/v1/events", json={"title": "b"}, headers=headers | {"ce-id": "another"})
    assert other.status_code == 202
    assert await names(receiver) == ["a", "b"]


async def test_what_was_delivered_is_not_read_again_and_the_other_way_round(
    producer: EventService, receiver: EventService
) -> None:
    written = [(await add_note(producer.pools.runtime, ACME, title=title)).event_id for title in ("a", "b")]
    await producer.sequence()
    reader = Consumer(receiver.pools.worker, producer.as_sibling(), HANDLERS)
    assert (await deliver(receiver, an_event(id=str(written[0])))).status_code == 202
    await reader.read_to_head()
    assert (await deliver(receiver, an_event("b", id=str(written[1])))).status_code == 204
    assert await names(receiver) == ["a", "b"]


async def test_a_version_older_than_what_is_known_is_no_news(receiver: EventService) -> None:
    key = str(ids.new_id())
    told = [
        an_event(title, type=RENAMED, subject="notes/1", partitionkey=key, aggregateversion=f"{version:019d}")
        for version, title in ((1, "old"), (2, "new"))
    ]
    assert (await deliver(receiver, told[1])).status_code == 202
    assert (await deliver(receiver, told[0])).status_code == 204
    assert (await deliver(receiver, told[1])).status_code == 204
    assert (await deliver(receiver, an_event("stale"))).status_code == 204
    assert await names(receiver) == ["new"]


async def test_an_unknown_type_is_passed_over_and_counted(receiver: EventService) -> None:
    before = counted("unknown")
    assert (await deliver(receiver, an_event(type="org.example.alarm"))).status_code == 204
    mixed = await deliver(receiver, an_event(type="org.example.alarm"), an_event())
    assert (mixed.status_code, mixed.json()["unknown"], mixed.json()["applied"]) == (202, 1, 1)
    assert counted("unknown") == before + 2


async def test_what_will_never_apply_is_taken_and_put_away(receiver: EventService) -> None:
    received = await deliver(
        receiver, an_event(data={"title": 7}), an_event(), an_event("forbidden"), an_event(data={"title": "\0"})
    )
    assert (received.status_code, received.json()["quarantined"]) == (202, 3)
    assert await names(receiver) == ["a"]
    reasons = [(item["source"], item["code"]) for item in await held(receiver)]
    assert reasons == [("producer", "invalid-input"), ("producer", "title-forbidden"), ("producer", "invalid-input")]
    assert "/title" in (await held(receiver))[0]["reason"]


async def test_whatever_the_reason_says_it_is_kept(receiver: EventService) -> None:
    assert (await deliver(receiver, an_event("unreadable", id="not a UUID"))).json()["quarantined"] == 1
    (one,) = await held(receiver)
    assert (one["event_id"], one["reason"]) == ("not a UUID", "ValueError: this holds a ")
    refused = await retry(receiver, one["id"])
    assert (refused.status_code, refused.json()["detail"]) == (409, one["reason"])
    assert (await held(receiver))[0]["attempts"] == 2


async def test_an_id_is_remembered_however_it_is_written(receiver: EventService) -> None:
    dense = "".join(chr(0x20000 + 7919 * place % 0xA000) for place in range(513))
    for event in (an_event(id=dense[:512]), an_event(id=dense[:512], data={}, type=RENAMED)):
        assert (await deliver(receiver, event)).status_code == 202
    refused = await deliver(receiver, an_event(id=dense))
    assert (refused.status_code, refused.json()["code"]) == (400, "not-a-cloudevent")


async def test_data_that_is_no_json_waits_in_quarantine_or_is_passed_over(receiver: EventService) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/producer", "Content-Type": "text/plain"}
    unknown = await receiver.client.post("/v1/events", content=b"a", headers=headers | {"ce-type": "else"})
    assert unknown.status_code == 204
    known = await receiver.client.post("/v1/events", content=b"a", headers=headers | {"ce-type": CREATED})
    assert (known.status_code, known.json()["quarantined"]) == (202, 1)
    assert (await held(receiver))[0]["event"]["data_base64"] == "YQ=="


async def test_an_event_is_of_the_tokens_organisation(receiver: EventService) -> None:
    foreign = await deliver(receiver, an_event(), an_event(orgid="other"))
    assert (foreign.status_code, foreign.json()["code"]) == (403, "organisation-foreign")
    unnamed = an_event("mine")
    del unnamed["orgid"]
    assert (await deliver(receiver, unnamed)).status_code == 202
    assert await names(receiver) == ["mine"]


async def test_a_token_of_every_organisation_delivers_for_any(receiver: EventService) -> None:
    both = an_event("a"), an_event("b", orgid="other"), an_event(data={}, orgid="other")
    assert (await deliver(receiver, *both, org="*")).json()["applied"] == 2
    assert (await names(receiver), await names(receiver, "other")) == (["a"], ["b"])
    theirs = await receiver.client.get("/v1/quarantine", headers={"Authorization": "Bearer other"})
    (one,) = theirs.json()["items"]
    tried = {org: await retry(receiver, one["id"], org=org) for org in ("*", "other", "acme")}
    assert {org: answer.status_code for org, answer in tried.items()} == {"*": 409, "other": 409, "acme": 404}
    for nobody in (None, "*", "No Slug"):
        refused = await deliver(receiver, an_event(orgid=nobody), org="*")
        assert (refused.status_code, refused.json()["code"]) == (400, "organisation-missing")


@pytest.mark.parametrize(
    ("kind", "content", "status", "code"),
    [
        (STRUCTURED_JSON, "{", 400, "not-a-cloudevent"),
        (STRUCTURED_JSON, "[]", 400, "not-a-cloudevent"),
        (BATCH_JSON, "{}", 400, "not-a-cloudevent"),
        (STRUCTURED_JSON, json.dumps(an_event(subject="a\0")), 400, "not-a-cloudevent"),
        (STRUCTURED_JSON, json.dumps(an_event(extension="a\n")), 400, "not-a-cloudevent"),
        ("application/json", json.dumps(an_event()), 415, "not-a-cloudevent"),
        ("text/plain", "x", 415, "not-a-cloudevent"),
        (BATCH_JSON, json.dumps([an_event()] * (EVENTS_MAX + 1)), 413, "batch-too-large"),
    ],
)
async def test_what_is_no_cloudevent_is_refused(
    receiver: EventService, kind: str, content: str, status: int, code: str
) -> None:
    refused = await receiver.client.post("/v1/events", content=content, headers={"Content-Type": kind})
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await names(receiver) == []


async def test_what_is_being_applied_at_this_moment_is_refused(receiver: EventService) -> None:
    event = an_event()
    async with receiver.pools.worker.begin(ACME) as tx:
        await tx.connection.execute(
            "INSERT INTO event_effect (source, event_id, org) VALUES ('producer', $1, 'acme')", event["id"]
        )
        refused = await deliver(receiver, event)
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (409, "busy", "1")
    assert (await deliver(receiver, event)).status_code == 204


async def test_delivered_many_times_at_once_it_takes_effect_once(receiver: EventService) -> None:
    event = an_event()
    answers = await asyncio.gather(*(deliver(receiver, event) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 204, 204, 204, 204]
    assert await names(receiver) == ["a"]


async def test_what_cannot_be_applied_now_is_refused_as_passing(addresses: Addresses) -> None:
    async def away(_tx: Transaction, _events: list[Event]) -> None:
        raise asyncpg.ConnectionDoesNotExistError("gone")

    async with service_on(addresses, {CREATED: effect(away)}) as service:
        refused = await deliver(service, an_event())
    assert (refused.status_code, refused.json()["code"]) == (503, "database-unavailable")
    connection = await asyncpg.connect(**connect_arguments(addresses.owner))
    try:
        assert await connection.fetchval("SELECT count(*) FROM event_effect") == 0
    finally:
        await connection.close()
