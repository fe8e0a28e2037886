import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel

import service_catalog
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
SCHEMAS = [
    import_module(f"service_catalog.{path.parent.name}.schemas")
    for path in sorted(Path(service_catalog.__file__).parent.glob("*/schemas.py"))
]
WITH_EXAMPLES = [
    model
    for schemas in SCHEMAS
    for model in vars(schemas).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and "json_schema_extra" in model.model_config
]


def test_the_document_is_valid() -> None:
    document = create_app(Settings.model_validate(SETTINGS)).openapi()
    validate(document)
    assert document["openapi"].startswith("3.1")


@pytest.mark.parametrize("model", WITH_EXAMPLES, ids=lambda model: str(model.__name__))
def test_examples_are_good_ones(model: type[BaseModel]) -> None:
    extra: Any = model.model_config["json_schema_extra"]
    if isinstance(extra, dict) and "example" in extra:
        model.model_validate_json(json.dumps(extra["example"]), strict=True)
