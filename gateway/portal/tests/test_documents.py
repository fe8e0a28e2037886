import copy

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.merging import merged


async def test_the_documents_of_all_services_are_one_valid_document(
    portal: httpx.AsyncClient, services: list[str]
) -> None:
    document = (await portal.get("/openapi.json")).json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": "/"}]
    assert document["x-unavailable-services"] == ["kpi-engine"]
    assert {"/service-catalog/v1/incidents", "/project-tracker/v1/events", "/oauth/token"} <= document["paths"].keys()
    assert len(services) == 3


async def test_names_keep_unless_two_services_mean_different_things_by_them(
    portal: httpx.AsyncClient, services: list[str]
) -> None:
    document = (await portal.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert "Money" in schemas
    assert schemas["ServiceCatalogPerson"] == {"type": "string"}
    assert schemas["ProjectTrackerPerson"] == {"type": "object"}
    assert not {"Person", "Cost", "Bill"} & schemas.keys()
    bill = schemas["ProjectTrackerBill"]["items"]["$ref"]
    assert bill == "#/components/schemas/ProjectTrackerCost"
    assert schemas["ServiceCatalogCost"]["properties"]["by"]["$ref"] == "#/components/schemas/ServiceCatalogPerson"
    events = document["paths"]["/project-tracker/v1/events"]["get"]
    assert events["operationId"] == "project_tracker_list_events"
    assert events["tags"] == ["events (project-tracker)"]
    assert document["paths"]["/service-catalog/v1/incidents"]["get"]["operationId"] == "list_incidents"
    assert services


async def test_there_is_one_way_to_sign_in(portal: httpx.AsyncClient, services: list[str]) -> None:
    document = (await portal.get("/openapi.json")).json()
    assert list(document["components"]["securitySchemes"]) == ["bearer"]
    paths = document["paths"]
    assert paths["/service-catalog/v1/incidents"]["get"]["security"] == [{"bearer": []}]
    assert paths["/project-tracker/v1/events"]["get"]["security"] == [{"bearer": []}]
    assert not paths["/service-catalog/healthz"]["get"].get("security")
    assert services


async def test_documents_are_fetched_once_for_a_while(portal: httpx.AsyncClient, services: list[str]) -> None:
    await portal.get("/openapi.json")
    await portal.get("/openapi.json")
    assert len(services) == 3


@pytest.mark.parametrize(
    ("prefix", "server"), [("/tandem", "/tandem"), ("/a/b/", "/a/b"), ("//evil.example", "/"), ("", "/")]
)
async def test_the_server_is_where_the_caller_found_it(
    portal: httpx.AsyncClient, services: list[str], prefix: str, server: str
) -> None:
    document = (await portal.get("/openapi.json", headers={"x-forwarded-prefix": prefix})).json()
    assert document["servers"] == [{"url": server}]
    assert services


def test_merging_leaves_its_sources_as_they_are() -> None:
    own = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}}
    part = {"paths": {"/x": {"get": {"operationId": "x", "responses": {"200": {"$ref": "#/components/responses/R"}}}}}}
    before = copy.deepcopy(part)
    merged({"a": part, "b": part}, own, server="/")
    assert part == before
