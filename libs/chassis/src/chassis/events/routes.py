"""The paths of events: `/v1/events`, `/v1/events/{id}`, `/v1/quarantine` and its retries."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.caller import Caller
from chassis.events.envelope import BATCH_JSON, SHOWN, STRUCTURED_JSON, Event, read_message
from chassis.events.feed import PAGE_MAX, PAGE_USUAL, WAIT_SECONDS_MAX, Feed
from chassis.events.position import Position
from chassis.events.preference import wait_preferred
from chassis.events.quarantine import Quarantine
from chassis.events.receiving import EVENTS_MAX, Receiving
from chassis.events.schemas import LoggedEvent, QuarantinedEvent, QuarantinePage, Received, Whereabouts
from chassis.http.answers import answer
from chassis.http.idempotency import needs
from chassis.http.links import own_path
from chassis.http.problems import problems
from chassis.http.routes import Router
from chassis.rejection import Fault, Rejection, invalid

TYPES_MAX = 200
_TYPE = re.compile(r"[A-Za-z0-9._-]{1,200}\*?", re.ASCII)

Reader = Annotated[Caller, Depends(needs("events:read"))]
Deliverer = Annotated[Caller, Depends(needs("events:deliver"))]
Broker = Annotated[Caller, Depends(needs("events:deliver", keyed=False))]
After = Annotated[
    str | None,
    Query(max_length=32, description="Only events after this position, `<epoch>.<position>`; else from the start."),
]
Types = Annotated[
    str | None,
    Query(
        max_length=20_000,
        description="Only events of these types, separated by commas; `tandem.outage.*` stands for all that begin so.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many events a page holds at most.")]


class _BatchResponse(JSONResponse):
    media_type = BATCH_JSON


def event_routes(feed: Feed) -> Router:
    """Return the routes that read a service's log."""
    router = Router("/events", tags=["events"])

    @router.get(
        "",
        response_model=list[LoggedEvent],
        response_class=_BatchResponse,
        responses={
            200: {
                "description": "A batch of CloudEvents, oldest first.",
                "headers": {
                    "Link": {
                        "description": 'Where to go on: `rel="next"`, on an empty page too.',
                        "schema": {"type": "string"},
                    },
                    "Events-Head": {"description": "The last position given out.", "schema": {"type": "string"}},
                },
            },
            **problems(409, 410),
        },
    )
    async def list_events(
        request: Request, caller: Reader, after: After = None, types: Types = None, limit: Limit = PAGE_USUAL
    ) -> Response:
        """Read the events of your organisation after a position, in order.

        Go on at the `next` link, which stands on an empty page too. With `Prefer: wait=20` an answer waits up to
        that long (at most 30 seconds) for the first event. 409 `epoch-changed`: the database was restored to an
        earlier moment, compare what you know with the lists and go on after `head`. 410 `not-kept`: events this old
        are gone; `start` is where the log begins now.
        """
        preferred = wait_preferred(request.headers.getlist("prefer"), seconds_max=WAIT_SECONDS_MAX)
        try:
            page = await feed.page(
                caller,
                after=_position(after),
                types=_type_names(types),
                limit=limit,
                wait_seconds=preferred or 0.0,
            )
        except Rejection as refusal:
            if refusal.code == "not-kept":
                refusal.extra["start"] = _link(request, refusal.extra["start"])
            raise
        headers = {"Link": f'<{_link(request, str(page.next))}>; rel="next"', "Events-Head": str(page.head)}
        if preferred is not None:
            headers["Preference-Applied"] = f"wait={preferred:.0f}"
        return Response(page.body, headers=headers, media_type=BATCH_JSON)

    @router.get("/{event_id}", responses=problems(404, 410))
    async def find_event(event_id: UUID, caller: Reader) -> Whereabouts:
        """Say where an event stands in the log, so that one can wait until a sibling has read that far."""
        return await feed.whereabouts(caller, event_id)

    return router


def receiving_routes(receiving: Receiving) -> Router:
    """Return the route by which events are delivered."""
    router = Router("/events", tags=["events"])

    @router.post(
        "",
        status_code=202,
        response_model=Received,
        responses={
            202: {"description": "Some took effect or were put away."},
            204: {"description": "Nothing that is news: known, older than what is known, or of an unknown type."},
        },
        openapi_extra={"requestBody": {"required": True, "content": _delivered()}},
    )
    async def deliver_events(request: Request, caller: Broker) -> Response:
        """Deliver CloudEvents of other services: one (structured), many (batched), or one in headers (binary).

        The Content-Type tells the mode. In binary mode the attributes are headers (`ce-id`, `ce-source`, `ce-type`,
        `ce-specversion`, …), percent-encoded, and the body is `data`; what is no JSON is kept as `data_base64`. An
        event takes effect once, however often it is delivered or read from its service's log. One without `orgid` is
        of the token's organisation; one of another organisation is refused. One that can never apply as it is waits in
        `quarantine` with the reason; it is not refused.
        """
        received = await receiving.receive(caller, read_message(dict(request.headers), await request.body()))
        if not received.applied and not received.quarantined:
            return Response(status_code=204)
        return Response(received.model_dump_json(), 202, media_type="application/json")

    return router


def quarantine_routes(quarantine: Quarantine) -> Router:
    """Return the routes that list the events put away and try them again."""
    router = Router("/quarantine", tags=["events"])

    @router.get("", response_model=QuarantinePage)
    async def list_quarantine(
        request: Request,
        caller: Reader,
        *,
        applied: Annotated[bool, Query(description="Those that were applied later, instead of those waiting.")] = False,
        after: Annotated[UUID | None, Query(description="The `next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="How many a page holds at most.")] = 50,
    ) -> Response:
        """List the events of siblings that could not be applied, oldest first, each with the reason."""
        return answer(request, await quarantine.page(caller, applied=applied, after=after, limit=limit))

    @router.post("/{quarantine_id}/retry", response_model=QuarantinedEvent, responses=problems(404, 409))
    async def retry_quarantined(request: Request, quarantine_id: UUID, caller: Deliverer) -> Response:
        """Apply an event again, after what stood against it was put right."""
        return answer(request, await quarantine.retry(caller, quarantine_id))

    return router


def _position(after: str | None) -> Position | None:
    if after is None:
        return None
    try:
        return Position.parse(after)
    except ValueError:
        raise invalid(Fault("after", "position-malformed", "A position is written <epoch>.<position>.")) from None


def _type_names(types: str | None) -> list[str]:
    if types is None:
        return []
    names = list(dict.fromkeys(name.strip() for name in types.split(",")))
    if len(names) > TYPES_MAX or not all(_TYPE.fullmatch(name) for name in names):
        raise invalid(Fault("types", "types-malformed", f"These are at most {TYPES_MAX} types, between commas."))
    return names


def _link(request: Request, after: str) -> str:
    asked = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name != "after"]
    return f"{own_path(request.scope)}?{urlencode([*kept, ('after', after)])}"


def _delivered() -> dict[str, Any]:
    """Return what a delivery may be, for the API document."""
    event = Event.model_json_schema() | {"description": "A CloudEvent 1.0; what else it carries are its extensions."}
    event["propertyNames"] = {"pattern": "^[a-z0-9]{1,64}$"}
    event["additionalProperties"] = {"type": ["string", "integer", "boolean", "null"], "pattern": SHOWN}
    return {
        STRUCTURED_JSON: {"schema": event},
        BATCH_JSON: {"schema": {"type": "array", "maxItems": EVENTS_MAX, "items": event}},
    }
