"""What an operation did or found, as a response."""

import json
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from chassis.http.conditions import etag, is_known
from chassis.http.links import header, own_path, prefix
from chassis.outcome import Found, Page, Written

JSON = "application/json"
Outcome = Written | Found | Page


def answer(request: Request, outcome: Outcome) -> Response:
    """Return the response for an outcome, its JSON passed through as it is."""
    match outcome:
        case Written():
            return _written(request, outcome)
        case Found():
            return _found(request, outcome)
        case Page():
            return _page(request, outcome)


def _written(request: Request, written: Written) -> Response:
    headers: dict[str, str] = {}
    if written.version is not None:
        headers["ETag"] = etag(written.version)
    if written.event_id is not None:
        headers["Event-Id"] = str(written.event_id)
    if written.location is not None:
        headers["Location"] = f"{prefix(request.scope)}/v1/{written.location}"
    if written.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(written.body, 201 if written.created else 200, headers, JSON)


def _found(request: Request, found: Found) -> Response:
    if found.version is None:
        return Response(found.body, media_type=JSON)
    headers = {"ETag": etag(found.version)}
    known = header(request.scope, b"if-none-match")
    if known is not None and is_known(known.decode("latin-1"), found.version):
        return Response(None, 304, headers)
    return Response(found.body, headers=headers, media_type=JSON)


def _page(request: Request, page: Page) -> Response:
    count = "" if page.count is None else f',"count":{page.count}'
    if page.next is None:
        return Response(f'{{"items":{page.items},"next":null{count}}}', media_type=JSON)
    body = f'{{"items":{page.items},"next":{json.dumps(page.next)}{count}}}'
    return Response(body, headers={"Link": f'<{_next(request, page.next)}>; rel="next"'}, media_type=JSON)


def _next(request: Request, cursor: str) -> str:
    asked = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name != "after"]
    return f"{own_path(request.scope)}?{urlencode([*kept, ('after', cursor)])}"
