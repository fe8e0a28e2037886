from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

import project_tracker
from chassis.testkit.examples import accept_example, models_with_examples


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


async def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


@pytest.mark.parametrize("model", models_with_examples(project_tracker), ids=lambda model: str(model.__name__))
def test_what_is_shown_as_an_example_is_accepted(model: type[BaseModel]) -> None:
    accept_example(model)


async def test_every_operation_is_described_and_named(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all(operation["description"] for operation in operations)
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)


async def test_an_item_of_a_batch_tells_a_problem_only_where_there_is_one(document: dict[str, Any]) -> None:
    assert "problem" not in document["components"]["schemas"]["ItemResult"]["required"]
