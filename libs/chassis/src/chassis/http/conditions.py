"""Conditions on versions: If-Match and If-None-Match."""

import re
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from chassis.putting import Precondition
from chassis.rejection import Rejection

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_ONE_TAG = {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*")$'}
_ANY = {"type": "string", "enum": ["*"]}
NEVER = 0  # the version no resource ever has: a tag that is none of ours matches nothing


class _ExpectedVersion:
    """A dependency that gives the version a client says it has seen; None stands for `*`."""

    async def __call__(self, request: Request) -> int | None:
        sent = request.headers.getlist("if-match")
        if not sent:
            raise Rejection("precondition_required", "if-match-missing", "Send the ETag you have read as If-Match.")
        return _version(sent, "If-Match")

    def describe(self, operation: dict[str, Any], _: str) -> None:
        description = "The ETag of the version this changes, or `*` for whichever is current."
        operation.setdefault("parameters", []).append(_parameter("If-Match", description, _ONE_TAG, required=True))
        operation["x-conditions"] = ["412", "428"]


class _OptionalVersion:
    """A dependency that gives the version a command is for, if the client says it; None is any."""

    async def __call__(self, request: Request) -> int | None:
        sent = request.headers.getlist("if-match")
        return _version(sent, "If-Match") if sent else None

    def describe(self, operation: dict[str, Any], _: str) -> None:
        description = "The ETag of the version this is for; without it, whichever is current."
        operation.setdefault("parameters", []).append(_parameter("If-Match", description, _ONE_TAG))
        operation["x-conditions"] = ["412"]


class _PutCondition:
    """A dependency that gives the condition of a PUT that may create or replace."""

    async def __call__(self, request: Request) -> Precondition:
        match, none_match = request.headers.getlist("if-match"), request.headers.getlist("if-none-match")
        if match and none_match:
            raise _malformed("Send If-Match or If-None-Match, not both.")
        if match:
            return Precondition(must_exist=True, expected=_version(match, "If-Match"))
        if none_match:
            if [tag.strip() for tag in none_match] != ["*"]:
                raise _malformed("If-None-Match of a PUT is `*`.")
            return Precondition(must_be_new=True)
        return Precondition()

    def describe(self, operation: dict[str, Any], _: str) -> None:
        parameters = operation.setdefault("parameters", [])
        parameters.append(_parameter("If-Match", "Only replaces, and only the version with this ETag.", _ONE_TAG))
        parameters.append(_parameter("If-None-Match", "`*`: only creates; not together with If-Match.", _ANY))
        operation["x-conditions"] = ["412"]
        operation["x-creates"] = True


ExpectedVersion = Annotated[int | None, Depends(_ExpectedVersion())]
OptionalVersion = Annotated[int | None, Depends(_OptionalVersion())]
PutCondition = Annotated[Precondition, Depends(_PutCondition())]


def etag(version: int) -> str:
    """Write a version as an entity tag."""
    return f'"{version}"'


def is_known(if_none_match: str, version: int) -> bool:
    """Whether one of the tags a client already has is this version."""
    return if_none_match.strip() == "*" or str(version) in _TAG.findall(if_none_match)


def _version(sent: list[str], name: str) -> int | None:
    tag = sent[0].strip()
    if len(sent) == 1 and tag == "*":
        return None
    found = _TAG.fullmatch(tag)
    if len(sent) > 1 or found is None:
        raise _malformed(f"{name} is one entity tag in double quotes, or `*`.")
    return int(found[1]) if _VERSION.fullmatch(found[1]) else NEVER


def _malformed(detail: str) -> Rejection:
    return Rejection("malformed", "condition-malformed", detail)


def _parameter(name: str, description: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": schema,
    }
