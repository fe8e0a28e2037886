import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from api_documents import SERVED, Served
from contract_resources import RESOURCES
from contract_run import ORGANISATION, run_schemathesis, serving

from chassis.testkit.applications import settings_on
from chassis.testkit.databases import Addresses
from chassis.testkit.eventing import service_on
from chassis.testkit.tokens import Signer

WIDE = "TANDEM_CONTRACT_WIDE"
MODEL_OPERATIONS = {
    "service-catalog": "_incidents?$|_incident_",
    "project-tracker": "_tasks?$",
    "kpi-engine": "_kpi",
}


@dataclass(frozen=True)
class Running:
    """A service that answers: where, to which token, and what it has."""

    url: str
    token: str
    known: Mapping[str, str]


def first_event(client: httpx.Client, database: Addresses) -> dict[str, str]:
    """Give all events their positions, as a worker does; return the id of the first, where there is one."""

    async def sequence() -> None:
        async with service_on(database) as service:
            await service.sequence()

    asyncio.run(sequence())
    events = client.get("/v1/events").raise_for_status().json()
    return {"event_id": events[0]["id"]} if events else {}


@pytest.fixture(params=SERVED)
def running(
    request: pytest.FixtureRequest, new_database: Callable[[str], Addresses], signer: Signer, jwks_file: Path
) -> Iterator[Running]:
    served: Served = SERVED[request.param]
    database = new_database(served.package)
    settings = settings_on(database, served.settings, jwks_file=jwks_file, signer=signer)
    token = signer.token(*served.scopes, org=ORGANISATION, aud=served.name)
    with serving(served.create_app(settings)) as url:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
            known = RESOURCES[served.name](client)
            known |= first_event(client, database)
        yield Running(url, token, known)


def test_whatever_a_path_names_is_there(running: Running) -> None:
    with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {running.token}"}) as client:
        paths = client.get("/openapi.json").json()["paths"]
        parameters = {name for path in paths for name in re.findall(r"{(\w+)}", path)}
        assert parameters - running.known.keys() == set(), "add it to tests/kit/contract_resources.py"
        named = {path: path.format_map(running.known) for path in paths}
        answers = {path: client.get(named[path]) for path, operations in paths.items() if "get" in operations}
    assert [path for path, answer in answers.items() if answer.status_code == 404] == []


def test_the_model_slices_answer_as_documented(
    running: Running, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    service = request.node.callspec.params["running"]
    ended = run_schemathesis(
        tmp_path,
        running.url,
        running.token,
        known=running.known,
        examples=4,
        phases="examples,coverage,fuzzing",
        operations=MODEL_OPERATIONS[service],
        seconds_max=120,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]


@pytest.mark.skipif(WIDE not in os.environ, reason=f"takes minutes; `make contract` sets {WIDE}")
def test_every_operation_answers_as_documented(running: Running, tmp_path: Path) -> None:
    ended = run_schemathesis(
        tmp_path,
        running.url,
        running.token,
        known=running.known,
        examples=int(os.environ[WIDE]),
        phases="examples,coverage,fuzzing,stateful",
        seconds_max=1800,
    )
    assert ended.returncode == 0, ended.stdout[-20000:] + ended.stderr[-2000:]
