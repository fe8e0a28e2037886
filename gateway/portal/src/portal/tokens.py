"""`/oauth/token` (RFC 6749, client credentials) and the public keys that verify what it hands out."""

import asyncio
import base64
import binascii
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import parse_qs, unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from portal.clients import Client, Clients
from portal.keys import SigningKeys

BODY_BYTES_MAX = 16_384
FORM = "application/x-www-form-urlencoded"
AT_ONCE = 2  # secrets being verified: each takes 19 MiB and a processor for a moment
WAITING_MAX = 50  # more than a second's worth of them is turned away, so that guesses do not pile up

ErrorCode = Literal[
    "invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "temporarily_unavailable"
]


class AccessToken(BaseModel):
    """An access token."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True, use_attribute_docstrings=True)

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the kind of token, not one
    expires_in: int
    """Seconds."""
    scope: str


class TokenError(BaseModel):
    """Why there is no token, in the words of RFC 6749."""

    error: ErrorCode
    error_description: str


class TokenRefusedError(Exception):
    """No token, and why."""

    def __init__(self, error: ErrorCode, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def token_routes(keys: SigningKeys, clients: Clients, issuer: str) -> APIRouter:
    """Return the routes of tokens and their keys."""
    router = APIRouter(tags=["tokens"])
    verify = _Verifying(clients)

    async def granted(request: Request) -> tuple[str, Client, list[str]]:
        form = await _form(request)
        if "grant_type" not in form:
            raise TokenRefusedError("invalid_request", "grant_type is missing.")
        if form["grant_type"] != "client_credentials":
            raise TokenRefusedError("unsupported_grant_type", "Only client_credentials is known.")
        client_id, secret = _credentials(request, form)
        client = clients.proven(client_id, secret) or await verify(client_id, secret)
        if client is None:
            raise TokenRefusedError("invalid_client", "There is no such client with this secret.")
        return client_id, client, _scopes(client, form.get("scope"))

    @router.get("/.well-known/jwks.json", operation_id="get_token_keys", responses=_KEY_SET, response_class=Response)
    async def get_keys() -> JSONResponse:
        """Return the public keys that access tokens are verified with (RFC 7517)."""
        headers = {"cache-control": "public, max-age=300"}
        return JSONResponse(keys.key_set(), media_type="application/jwk-set+json", headers=headers)

    @router.post(
        "/oauth/token",
        operation_id="create_token",
        response_model=AccessToken,
        responses={400: {"model": TokenError}, 401: {"model": TokenError}, 503: {"model": TokenError}},
        openapi_extra=_FORM_DESCRIPTION,
    )
    async def create_token(request: Request) -> JSONResponse:
        """Exchange a client's own secret for an access token (client credentials).

        The client names itself by HTTP Basic or in the form. `scope` may ask for less than the client may have.
        """
        try:
            client_id, client, scopes = await granted(request)
        except TokenRefusedError as refused:
            return _refusal(refused)
        token = keys.sign(
            issuer=issuer,
            subject=client_id,
            org=client.org,
            scopes=scopes,
            audiences=client.audiences,
            lifetime=timedelta(seconds=client.token_seconds),
            client_id=client_id,
        )
        answer = AccessToken(access_token=token, expires_in=client.token_seconds, scope=" ".join(scopes))
        return _unkept(answer, 200)

    return router


class _Verifying:
    """Verifies secrets, few at once; who was verified before does not wait behind those who were not."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __call__(self, client_id: str, secret: str) -> Client | None:
        """Return the client if the secret is its own; refuses when too many wait already."""
        if self._waiting >= WAITING_MAX:
            raise TokenRefusedError("temporarily_unavailable", "Too many ask for tokens at once.")
        self._waiting += 1
        try:
            async with self._places:
                return await asyncio.to_thread(self._clients.authenticate, client_id, secret)
        finally:
            self._waiting -= 1


async def _form(request: Request) -> dict[str, str]:
    """Read the form; a parameter sent twice is an error (RFC 6749, 3.2), an empty one counts as not sent."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        raise TokenRefusedError("invalid_request", f"The body must be {FORM}.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise TokenRefusedError("invalid_request", "The body is too long.")
    try:
        fields = parse_qs(body.decode(), max_num_fields=20, errors="strict")
    except ValueError:
        raise TokenRefusedError("invalid_request", "The body is not a form.") from None
    twice = [name for name, values in fields.items() if len(values) > 1]
    if twice:
        raise TokenRefusedError("invalid_request", "A parameter is sent twice.")
    return {name: values[0] for name, values in fields.items()}


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """Return who the client says it is, by HTTP Basic or in the form, never both."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if not kind:
        if "client_id" not in form or "client_secret" not in form:
            raise TokenRefusedError("invalid_client", "client_id and client_secret are missing.")
        return form["client_id"], form["client_secret"]
    if kind.lower() != "basic":
        raise TokenRefusedError("invalid_client", "Only HTTP Basic is known here.")
    if "client_secret" in form:
        raise TokenRefusedError("invalid_request", "A client names itself in one way only.")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon, client_id, secret = "", "", ""
    if not colon:
        raise TokenRefusedError("invalid_client", "The header Authorization is malformed.")
    return unquote_plus(client_id), unquote_plus(secret)


def _scopes(client: Client, asked: str | None) -> list[str]:
    """Return the scopes asked for, or all the client may have."""
    if asked is None:
        return list(client.scopes)
    scopes = list(dict.fromkeys(asked.split()))
    if not scopes or not set(scopes) <= set(client.scopes):
        raise TokenRefusedError("invalid_scope", "The client may not have every scope it asks for.")
    return scopes


def _refusal(refused: TokenRefusedError) -> JSONResponse:
    status = _STATUS.get(refused.error, 400)
    answer = _unkept(TokenError(error=refused.error, error_description=refused.description), status)
    if refused.error == "invalid_client":
        answer.headers["www-authenticate"] = 'Basic realm="tandem", charset="UTF-8"'
    if refused.error == "temporarily_unavailable":
        answer.headers["retry-after"] = "1"
    return answer


def _unkept(content: BaseModel, status: int) -> JSONResponse:
    headers = {"cache-control": "no-store", "pragma": "no-cache"}
    return JSONResponse(content.model_dump(), status_code=status, headers=headers)


_STATUS: dict[ErrorCode, int] = {"invalid_client": 401, "temporarily_unavailable": 503}
_KEY_SET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The key set.",
        "content": {
            "application/jwk-set+json": {
                "schema": {
                    "type": "object",
                    "required": ["keys"],
                    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
                }
            }
        },
    }
}
_FORM_DESCRIPTION = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "format": "password"},
                        "scope": {"type": "string", "description": "Scopes, separated by spaces."},
                    },
                }
            }
        },
    }
}
