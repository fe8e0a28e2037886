"""Every request that the documents show is accepted, once the ids in it are of something that exists."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_documents import SERVED, Served
from api_lint import Operation, examples_of, operations

from chassis.testkit.applications import settings_on
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses
from chassis.testkit.tokens import Signer

Document = dict[str, Any]
VARIABLE = re.compile(r"\{(\w+)\}")
# Operations whose example is refused however good it is, and why.
REFUSED = {
    "decide_handover": "a handover comes by an event, not by a request that is shown",
    "answer_survey": "the token of an invitation is told once and cannot be shown",
    "approve_change_afterwards": "it is for an emergency change under way, and a normal one is shown",
    "transition_improvement": "it shows the end of a way, not its first step",
}
# What links lead to: who creates it, what tells each from the one that is shown, and what the first is called there.
OTHERS: dict[str, tuple[str, list[dict[str, str]], dict[str, str]]] = {
    "service-catalog": ("create_service", [{"key": "payments"}, {"key": "identity"}], {"depends_on_id": "id"}),
    "project-tracker": ("create_task", [{"wbs": "1.1.1"}], {}),
}


@pytest.fixture(params=SERVED)
async def service(
    request: pytest.FixtureRequest, new_database: Callable[[str], Addresses], signer: Signer, jwks_file: Path
) -> AsyncIterator[tuple[Served, httpx.AsyncClient]]:
    served = SERVED[request.param]
    settings = settings_on(new_database(served.package), served.settings, jwks_file=jwks_file, signer=signer)
    token = signer.token(*served.scopes, aud=served.name)
    async with client_of(served.create_app(settings), token, as_documented=True) as client:
        yield served, client


@pytest.fixture
def elsewhere(service: tuple[Served, httpx.AsyncClient], signer: Signer) -> dict[str, str]:
    """Give what authorises in an organisation that has nothing: there an example's key is not taken."""
    served, _ = service
    return {"Authorization": f"Bearer {signer.token(*served.scopes, org='elsewhere', aud=served.name)}"}


async def test_every_request_shown_is_accepted(
    service: tuple[Served, httpx.AsyncClient], every_document: dict[str, Document], elsewhere: dict[str, str]
) -> None:
    served, client = service
    document = every_document[served.name]
    waiting = [operation for operation in operations(document) if operation.body() is not None]
    known: dict[str, str] = {}
    refusals: dict[str, str] = {}
    # What refers to something waits until that exists, whatever the order; the rest is refused for good.
    while waiting:
        accepted = [one for one in waiting if await is_accepted(one, document, client, known, refusals)]
        others = [one for one in waiting if one not in accepted]
        accepted += [one for one in others if await is_accepted_in(elsewhere, one, document, client)]
        for one in accepted:
            await add_others(served.name, one, document, client, known)
        if not accepted:
            break
        waiting = [one for one in waiting if one not in accepted]
    left = {one.told["operationId"] for one in waiting}
    assert left == REFUSED.keys() & {one.told["operationId"] for one in operations(document)}, refusals


async def is_accepted(
    operation: Operation, document: Document, client: httpx.AsyncClient, known: dict[str, str], refusals: dict[str, str]
) -> bool:
    """Send the example of an operation; what it creates is known by the name that paths call it."""
    name = operation.told["operationId"]
    if not {*VARIABLE.findall(operation.path)} <= known.keys():
        refusals[name] = f"needs {VARIABLE.findall(operation.path)}"
        return False
    example = named(examples_of(document, operation.body() or {})[0], known)
    headers = {"If-Match": "*"} if operation.method == "patch" else {}
    path = VARIABLE.sub(lambda found: known[found[1]], operation.path)
    response = await client.request(operation.method, path, json=example, headers=headers)
    if not response.is_success:
        refusals[name] = response.text
        return False
    refusals.pop(name, None)
    if response.status_code == httpx.codes.CREATED:
        keep(operation.path, response.json(), document, known)
    return True


async def is_accepted_in(
    headers: dict[str, str], operation: Operation, document: Document, client: httpx.AsyncClient
) -> bool:
    """Send a batch that stands alone to an organisation of its own."""
    if not operation.path.endswith(":batch") or "{" in operation.path:
        return False
    example = examples_of(document, operation.body() or {})[0]
    return (await client.post(operation.path, json=example, headers=headers)).is_success


async def add_others(
    service: str, operation: Operation, document: Document, client: httpx.AsyncClient, known: dict[str, str]
) -> None:
    """Create others of what was just created, where something shown links two."""
    name, differences, called = OTHERS.get(service, ("", [], {}))
    if operation.told["operationId"] == name:
        example = named(examples_of(document, operation.body() or {})[0], known)
        path = VARIABLE.sub(lambda found: known[found[1]], operation.path)
        made = [(await client.post(path, json=example | one)).raise_for_status().json() for one in differences]
        known.update({field: made[0][source] for field, source in called.items()})


def keep(path: str, made: Any, document: Document, known: dict[str, str]) -> None:
    """Remember what was created under the variables of the paths that lead to it."""
    for other in document["paths"]:
        beyond = re.fullmatch(rf"{re.escape(path)}/(?:by-key/)?\{{(\w+)\}}", other)
        if beyond and beyond[1] in {"key", "code"}:
            known.setdefault(beyond[1], made[beyond[1]])
        elif beyond:
            known.setdefault(beyond[1], made["id"])


def named(value: Any, known: dict[str, str]) -> Any:
    """Return an example that names what exists."""
    if isinstance(value, list):
        return [named(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    shown = {name: named(one, known) for name, one in value.items()}
    for name, one in shown.items():
        if name in known and isinstance(one, str):
            shown[name] = known[name]
        elif name.removesuffix("s") in known and name.endswith("_ids"):
            shown[name] = [known[name.removesuffix("s")]]
    return shown
