import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends

from chassis import tracing
from chassis.caller import Caller
from chassis.database import Transaction
from chassis.events.consumer import Consumer
from chassis.events.envelope import Event, read_batch
from chassis.events.handling import Handling, effect, in_order, projection
from chassis.http import Router, needs
from chassis.http.app import create_api
from chassis.rejection import Rejection
from chassis.settings import ServiceSettings
from chassis.testkit.clients import client_of
from chassis.testkit.collector import Collector, collecting
from chassis.testkit.eventing import EventService
from chassis.testkit.sample.notes import add_note, note_values
from chassis.testkit.sample.tables import NOTES
from chassis.testkit.tokens import Signer
from chassis.tracing import CURRENT
from chassis.writing import insert_one

CREATED = "tandem.note.created.v1"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
GIVEN = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
Writer = Annotated[Caller, Depends(needs("notes:write"))]


@pytest.fixture
async def client(producer: EventService, signer: Signer, jwks_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A service of which a request writes a note."""
    routes = Router("/notes")

    @routes.post("", status_code=201)
    async def create_note(caller: Writer, title: str) -> str:
        written = await add_note(producer.pools.runtime, caller, title=title)
        return str(written.event_id)

    settings = ServiceSettings(
        service_name="producer",
        database_host="nowhere",
        database_name="nothing",
        jwks_url=jwks_file.as_uri(),
        issuer=signer.issuer,
        cursor_secret="secret",  # type: ignore[arg-type]  # pydantic makes it one
    )
    api = create_api(settings, title="Notes", routers=[routes])
    async with client_of(api, signer.token("notes:write", org="acme", aud="producer")) as talking:
        yield talking


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as one:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", one.endpoint)
        assert tracing.switch_on("sample", os.environ) == []
        try:
            yield one
        finally:
            tracing.switch_off()


async def read(reader: EventService, producer: EventService, handling: Handling, source: str = "producer") -> None:
    await producer.sequence()
    await Consumer(reader.pools.worker, producer.as_sibling(source), {CREATED: handling}).read_to_head()


async def events_of(service: EventService) -> list[Event]:
    await service.sequence()
    return read_batch((await service.client.get("/v1/events")).content)


async def copy(tx: Transaction, events: list[Event]) -> None:
    for event in events:
        await insert_one(tx, NOTES, note_values(title=f"copy of {event.id}"))


async def test_one_trace_from_a_request_over_an_event_to_what_follows_from_it(
    collector: Collector, client: httpx.AsyncClient, producer: EventService, service: EventService
) -> None:
    seen: list[str] = []

    async def note_seen(_: Transaction, events: list[Event]) -> None:
        seen.extend(event.id for event in events)

    event_id = (await client.post("/v1/notes?title=a", headers=GIVEN)).json()
    await read(service, producer, effect(copy))
    [origin], [consequence] = await events_of(producer), await events_of(service)
    await read(producer, service, projection(note_seen), source="second")
    tracing.switch_off()

    request = collector.named("POST /v1/notes")
    [write] = [span for span in collector.spans if span.kind == "producer"]
    applied = {span.attributes["cloudevents.event_id"]: span for span in collector.spans if span.kind == "consumer"}
    assert {span.trace for span in collector.spans} == {TRACE}
    assert (request.parent, write.parent) == (SPAN, request.id)
    assert write.name == f"write {producer.pools.runtime.address.name}"
    assert origin.traceparent == f"00-{TRACE}-{write.id}-01"
    first, second = applied[event_id], applied[consequence.id]
    assert first.name == second.name == f"process {CREATED}"
    assert first.parent == write.id
    assert consequence.traceparent == f"00-{TRACE}-{first.id}-01"
    assert consequence.causationid == event_id
    assert second.parent == first.id
    assert seen == [consequence.id]
    assert len(collector.spans) == 4
    assert first.attributes == {
        "messaging.system": "tandem",
        "messaging.operation.type": "process",
        "messaging.operation.name": "apply",
        "messaging.destination.name": "producer",
        "messaging.message.id": event_id,
        "cloudevents.event_id": event_id,
        "cloudevents.event_source": "producer",
        "cloudevents.event_type": CREATED,
        "cloudevents.event_subject": origin.subject,
    }


async def test_of_a_batch_each_sampled_event_has_a_span_in_its_own_trace(
    collector: Collector, client: httpx.AsyncClient, producer: EventService, service: EventService
) -> None:
    traces = [f"{number:032x}" for number in (1, 2, 3)]
    for trace, flags in zip(traces, ("01", "00", "01"), strict=True):
        await client.post("/v1/notes?title=a", headers={"traceparent": f"00-{trace}-{SPAN}-{flags}"})
    await read(service, producer, in_order(copy))
    tracing.switch_off()
    applied = [span for span in collector.spans if span.kind == "consumer"]
    assert [span.trace for span in applied] == [traces[0], traces[2]]
    assert {span.attributes["messaging.batch.message_count"] for span in applied} == {3}


async def test_events_are_not_applied_in_silence(
    collector: Collector, client: httpx.AsyncClient, producer: EventService, service: EventService
) -> None:
    async def refuse(_: Transaction, events: list[Event]) -> None:
        raise Rejection("conflict", "not-wanted", f"{len(events)} too many")

    async def fail(_: Transaction, __: list[Event]) -> None:
        raise ValueError("a secret of ours")

    await client.post("/v1/notes?title=a", headers=GIVEN)
    await read(service, producer, effect(refuse))
    await read(service, producer, in_order(fail), source="second")
    tracing.switch_off()
    outcomes = {(span.attributes["error.type"], span.failed) for span in collector.spans if span.kind == "consumer"}
    assert outcomes == {("not-wanted", False), ("ValueError", True)}
    assert "a secret of ours" not in repr(collector.spans)


async def test_without_spans_what_follows_names_the_same_origin(
    client: httpx.AsyncClient, producer: EventService, service: EventService
) -> None:
    logged = []

    async def copy_and_tell(tx: Transaction, events: list[Event]) -> None:
        trace = CURRENT.get()
        assert trace is not None
        logged.append((trace.trace_id, trace.org))
        await copy(tx, events)

    event_id = (await client.post("/v1/notes?title=a", headers=GIVEN)).json()
    await read(service, producer, effect(copy_and_tell))
    assert CURRENT.get() is None
    [origin], [consequence] = await events_of(producer), await events_of(service)
    assert (origin.id, consequence.causationid) == (event_id, event_id)
    assert origin.traceparent is not None
    assert origin.traceparent.split("-")[1] == TRACE
    assert consequence.traceparent == origin.traceparent
    assert logged == [(TRACE, "acme")]
