import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel

from service_catalog.acceptance import schemas as acceptance
from service_catalog.catalogue_items import schemas as catalogue_items
from service_catalog.changes import schemas as changes
from service_catalog.costs import schemas as costs
from service_catalog.dependencies import schemas as dependencies
from service_catalog.handovers import schemas as handovers
from service_catalog.improvements import schemas as improvements
from service_catalog.incidents import schemas as incidents
from service_catalog.levels import schemas as levels
from service_catalog.main import create_app
from service_catalog.maintenance_windows import schemas as windows
from service_catalog.outages import schemas as outages
from service_catalog.problems import schemas as problems
from service_catalog.requests import schemas as requests
from service_catalog.satisfaction import schemas as satisfaction
from service_catalog.services import schemas as services
from service_catalog.settings import Settings
from service_catalog.timelines import schemas as timelines

SETTINGS: dict[str, Any] = {
    "database_host": "localhost",
    "database_name": "none",
    "jwks_url": Path("/nowhere/jwks.json").as_uri(),
    "issuer": "https://localhost",
    "cursor_secret": "none",
    "runtime_password": "none",
    "worker_password": "none",
}
WITH_EXAMPLES = [
    model
    for slice_ in (
        *(services, acceptance, dependencies, levels, incidents, problems, timelines, outages, windows, changes),
        *(costs, improvements, satisfaction, handovers, catalogue_items, requests),
    )
    for model in vars(slice_).values()
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
