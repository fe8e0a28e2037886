"""What another organisation has does not exist; what a token lacks is refused before anything is looked at."""

import re
from typing import Any

import pytest
from catalog_api import Catalog

from chassis.testkit.applications import ANY_VERSION
from service_catalog.main import create_app
from service_catalog.settings import Settings
from service_catalog.wiring import OPEN_PATHS


async def everything(catalog: Catalog) -> dict[str, str]:
    service = await catalog.service(key="shop")
    return {
        "services": service["id"],
        "incidents": (await catalog.incident(service))["id"],
        "problems": (await catalog.problem(service))["id"],
        "outages": (await catalog.outage(service))["id"],
        "maintenance-windows": (await catalog.window(service))["id"],
        "changes": (await catalog.change(service))["id"],
        "catalogue-items": (item := await catalog.item(service, published=False, key="laptop"))["id"],
        "service-requests": (await asked_for(catalog, item))["id"],
    }


async def asked_for(catalog: Catalog, item: Any) -> Any:
    past = {"catalogue_item_id": item["id"], "form": {}, "state": "awaiting_approval"}
    (made,) = await catalog.batch("service-requests", [past])
    return made


async def test_nothing_of_another_organisation_is_seen_or_changed(catalog: Catalog) -> None:
    stranger = catalog.of_another_organisation()
    for collection, id_ in (await everything(catalog)).items():
        own = f"{collection}/{id_}"
        await stranger.get(own, status=404)
        await stranger.get(f"{own}/transitions", status=404)
        await stranger.patch(own, {"labels": {"a": "b"}}, status=404)
        assert (await stranger.send("POST", f"{own}/transitions", json={"to": "cancelled"})).status_code in {404, 422}
        assert (await stranger.get(collection))["items"] == []
        assert (await catalog.get(own))["version"] == 1
    await stranger.get("services/by-key/shop", status=404)
    await stranger.get("catalogue-items/by-key/laptop", status=404)


async def test_nothing_of_another_organisation_is_referred_to(catalog: Catalog) -> None:
    foreign = await everything(catalog.of_another_organisation())
    incident = {"service_id": foreign["services"], "title": "It is down"}
    await catalog.post("incidents", incident, status=422)
    await catalog.batch("incidents", [incident], status=422)
    await catalog.batch("incidents", [{"service_key": "shop", "title": "It is down"}], status=422)
    await catalog.post("problems", incident, status=422)
    for named in ({"catalogue_item_id": foreign["catalogue-items"]}, {"catalogue_item_key": "laptop"}):
        await catalog.post("service-requests", {"form": {}} | named, status=422)
        await catalog.batch("service-requests", [{"form": {}} | named], status=422)
    item = {"key": "laptop", "service_id": foreign["services"], "name": "A laptop"}
    await catalog.post("catalogue-items", item, status=422)
    service = await catalog.service()
    mine = {"service_id": service["id"], "severity": "major", "started_at": "2026-01-05T10:00:00Z"}
    await catalog.post("outages", mine | {"incident_id": foreign["incidents"]}, status=422)
    window = {"planned_start": "2026-01-05T22:00:00Z", "planned_end": "2026-01-06T02:00:00Z"}
    await catalog.post("maintenance-windows", window | {"service_ids": [foreign["services"]]}, status=422)
    change = {"title": "Move", "service_ids": [service["id"]]}
    await catalog.post("changes", change | {"service_ids": [foreign["services"]]}, status=422)
    await catalog.post("changes", change | {"incident_id": foreign["incidents"]}, status=422)
    own = await catalog.incident(service)
    await catalog.patch(f"incidents/{own['id']}", {"problem_id": foreign["problems"]}, status=422)
    await catalog.link({"id": foreign["problems"]}, own, status=404)
    await catalog.link(await catalog.problem(service), {"id": foreign["incidents"]}, status=404)
    await catalog.patch(f"services/{service['id']}", {"successor_service_id": foreign["services"]}, status=422)


NOWHERE: dict[str, Any] = {
    "database_host": "localhost",
    "database_name": "none",
    "jwks_url": "https://localhost/jwks.json",
    "issuer": "https://localhost",
    "cursor_secret": "none",
    "runtime_password": "none",
    "worker_password": "none",
}


def operations() -> list[Any]:
    document = create_app(Settings.model_validate(NOWHERE)).openapi()
    return [
        pytest.param(path, method, operation, id=operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in OPEN_PATHS
    ]


@pytest.mark.parametrize(("path", "method", "operation"), operations())
async def test_every_path_needs_its_scope(catalog: Catalog, path: str, method: str, operation: Any) -> None:
    (scope,) = operation["security"][0]["bearer"]
    others = [one for one in catalog.EVERYTHING if one != scope]
    concrete = path.removeprefix("/v1/").replace("{key}", "shop")
    concrete = re.sub(r"\{\w+\}", "01890a5d-ac96-774b-bcce-b302099a8057", concrete)
    body: dict[str, Any] = {} if method in {"get", "delete"} else {"json": {}}
    refused = await catalog.limited_to(*others).send(method.upper(), concrete, headers=ANY_VERSION, **body)
    assert (refused.status_code, refused.json()["scope"]) == (403, scope)
    anonymous = await catalog.client.request(method.upper(), path)
    assert (anonymous.status_code, anonymous.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
