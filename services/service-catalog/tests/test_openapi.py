from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel

import service_catalog
from chassis.testkit.examples import accept_example, models_with_examples
from service_catalog.main import create_app
from service_catalog.settings import Settings

SETTINGS: dict[str, Any] = {
    "database_host": "localhost",
    "database_name": "none",
    "jwks_url": Path("/nowhere/jwks.json").as_uri(),
    "issuer": "https://localhost",
    "cursor_secret": "none",
    "runtime_password": "none",
    "worker_password": "none",
}


def test_the_document_is_valid() -> None:
    document = create_app(Settings.model_validate(SETTINGS)).openapi()
    validate(document)
    assert document["openapi"].startswith("3.1")


@pytest.mark.parametrize("model", models_with_examples(service_catalog), ids=lambda model: str(model.__name__))
def test_examples_are_good_ones(model: type[BaseModel]) -> None:
    accept_example(model)
