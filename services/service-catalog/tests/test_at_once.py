"""Two or many at once: each effect happens once."""

import asyncio
from typing import Any

from catalog_api import Catalog, ready_service

from chassis.testkit.applications import ANY_VERSION


async def statuses(*calls: Any) -> list[int]:
    return sorted(response.status_code for response in await asyncio.gather(*calls))


async def test_fifty_reports_of_the_same_are_one_incident(catalog: Catalog) -> None:
    service = await catalog.service()
    body = {"service_id": service["id"], "title": "Disk full", "dedup_key": "disk"}
    answers = await asyncio.gather(*(catalog.send("POST", "incidents", json=body) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await catalog.get("incidents", count="true"))["count"] == 1


async def test_of_two_equal_commands_one_wins(catalog: Catalog) -> None:
    for collection, made, target in (
        ("services", await catalog.service(**ready_service()), "designing"),
        ("incidents", await catalog.incident(), "acknowledged"),
        ("problems", await catalog.problem(), "investigating"),
        ("outages", await catalog.outage(), "ended"),
        ("maintenance-windows", await catalog.window(), "in_progress"),
        ("changes", await catalog.change(), "requested"),
        ("catalogue-items", await catalog.item(published=False), "published"),
        ("service-requests", await catalog.request(), "in_fulfilment"),
    ):
        path = f"{collection}/{made['id']}/transitions"
        assert await statuses(*(catalog.send("POST", path, json={"to": target}) for _ in range(2))) == [200, 409]


async def test_of_two_changes_of_one_version_one_wins(catalog: Catalog) -> None:
    made = await catalog.incident()
    change: dict[str, Any] = {"method": "PATCH", "path": f"incidents/{made['id']}", "headers": {"If-Match": '"1"'}}
    assert await statuses(*(catalog.send(**change, json={"title": f"Title {n}"}) for n in range(2))) == [200, 412]


async def test_of_two_that_create_one_key_one_wins(catalog: Catalog) -> None:
    body = {"key": "shop", "name": "Shop"}
    assert await statuses(*(catalog.send("POST", "services", json=body) for _ in range(2))) == [201, 409]
    new = {"If-None-Match": "*"}
    puts = (catalog.send("PUT", "services/by-key/bank", json={"name": "Bank"}, headers=new) for _ in range(2))
    assert await statuses(*puts) == [201, 412]
    puts = (catalog.send("PUT", "services/by-key/wiki", json={"name": "Wiki"}) for _ in range(4))
    assert await statuses(*puts) == [200, 200, 200, 201]


async def test_of_two_deletions_one_wins(catalog: Catalog) -> None:
    made = await catalog.service()
    deletions = (catalog.send("DELETE", f"services/{made['id']}", headers=ANY_VERSION) for _ in range(2))
    assert await statuses(*deletions) == [200, 404]


async def test_two_equal_batches_create_each_resource_once(catalog: Catalog) -> None:
    service = await catalog.service()
    items = [
        {"external_source": "x", "external_id": str(n), "service_id": service["id"], "title": "T"} for n in range(40)
    ]
    answers = await asyncio.gather(*(catalog.batch("incidents", items) for _ in range(3)))
    assert len({tuple(item["id"] for item in answer) for answer in answers}) == 1


async def test_a_request_with_a_key_takes_effect_once(catalog: Catalog) -> None:
    service = await catalog.service()
    body = {"service_id": service["id"], "title": "It is down"}
    key = {"Idempotency-Key": '"abc"'}
    first = await catalog.send("POST", "incidents", json=body, headers=key)
    again = await catalog.send("POST", "incidents", json=body, headers=key)
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert again.headers["Event-Id"] == first.headers["Event-Id"]
    other = await catalog.send("POST", "incidents", json=body | {"title": "Other"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    command: dict[str, Any] = {"path": f"incidents/{first.json()['id']}/transitions", "json": {"to": "acknowledged"}}
    moved = await catalog.send("POST", **command, headers=key)
    assert (await catalog.send("POST", **command, headers=key)).json() == moved.json()
    assert (await catalog.get("incidents", count="true"))["count"] == 1


async def test_incidents_that_become_part_of_one_another_at_once_make_no_circle(catalog: Catalog) -> None:
    service = await catalog.service()
    made = [await catalog.incident(service) for _ in range(4)]
    for _ in range(5):
        links: list[Any] = [
            {"method": "PATCH", "path": f"incidents/{child['id']}", "headers": ANY_VERSION, "json": {"parent_id": top}}
            for child, top in zip(made, [one["id"] for one in (*made[1:], made[0])], strict=True)
        ]
        assert await statuses(*(catalog.send(**link) for link in links)) == [200, 200, 200, 422]
        for one in made:
            await catalog.patch(f"incidents/{one['id']}", {"parent_id": None})


async def test_services_that_succeed_one_another_at_once_do_not_wait_for_one_another(catalog: Catalog) -> None:
    one, two = [(await catalog.service())["id"] for _ in range(2)]
    links: list[Any] = [
        {"method": "PATCH", "path": f"services/{id_}", "headers": ANY_VERSION, "json": {"successor_service_id": other}}
        for id_, other in ((one, two), (two, one))
    ]
    for _ in range(5):
        assert await statuses(*(catalog.send(**link) for link in links)) == [200, 200]
        for id_ in (one, two):
            await catalog.patch(f"services/{id_}", {"successor_service_id": None})
