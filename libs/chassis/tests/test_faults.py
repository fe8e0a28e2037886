import json
from typing import Annotated

import pytest
from fastapi import FastAPI
from pydantic import Field

from chassis.faults import ERRORS_MAX, UNCOUNTED_BYTES, VALUES_MAX, holds_too_many
from chassis.http.routes import Router
from chassis.rejection import Rejection
from chassis.schemas import Input
from chassis.testkit.clients import client_of

JSON = {"Content-Type": "application/json"}


class Sums(Input):
    numbers: Annotated[list[int], Field(max_length=5)]


@pytest.mark.parametrize(
    ("raw", "is_too_many"),
    [
        (b"", False),
        (b"[" + b"1," * (VALUES_MAX - 2) + b"1]", False),
        (b"[" + b"1," * (VALUES_MAX - 1) + b"1]", True),
        (b"[" * (VALUES_MAX + 1), True),
        (b"[" + b"{}," * VALUES_MAX + b"{}]", True),
        (json.dumps({"text": "[1," * VALUES_MAX}).encode(), False),
        (json.dumps({'"[{,\\' * VALUES_MAX: '\\",[' * VALUES_MAX}).encode(), False),
        (b'{"a": "' + b'\\",' * VALUES_MAX, False),
        (b'"' + b',"' * VALUES_MAX, False),
        (json.dumps(["a,", "\\", '"'] * VALUES_MAX).encode(), True),
        (b'"\\', False),
    ],
)
def test_what_is_a_value_is_told_from_what_is_text(raw: bytes, *, is_too_many: bool) -> None:
    assert holds_too_many(raw.ljust(UNCOUNTED_BYTES + 1)) == is_too_many
    assert not holds_too_many(raw[:UNCOUNTED_BYTES])


async def test_nobody_waits_for_a_body_that_is_nothing_but_wrong() -> None:
    app, router = FastAPI(), Router("/sums")

    @router.post("")
    async def add(sums: Sums) -> int:
        """Add numbers."""
        return sum(sums.numbers)

    app.include_router(router)
    unknown = {f"u{number}": 1 for number in range(ERRORS_MAX + 1)}
    async with client_of(app) as client:
        for body, kind, code in (
            (b'{"numbers": [' + b"1   ," * VALUES_MAX + b"1]}", "too_large", "too-many-values"),
            (json.dumps({"numbers": [1], **unknown}).encode(), "invalid", "invalid-input"),
        ):
            with pytest.raises(Rejection) as refused:
                await client.post("/v1/sums", content=body, headers=JSON)
            assert (refused.value.kind, refused.value.code) == (kind, code)
            assert [fault.code for fault in refused.value.faults] == ["too-many-faults"] * (kind == "invalid")
        assert (await client.post("/v1/sums", json={"numbers": [1, 2]})).json() == 3
