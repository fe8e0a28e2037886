from typing import Any

import pytest
from catalog_api import Catalog


async def cancelled_window(catalog: Catalog) -> str:
    own = f"maintenance-windows/{(await catalog.window())['id']}"
    await catalog.move(own, "cancelled", reason="Not needed.")
    return own


async def cancelled_incident(catalog: Catalog) -> str:
    own = f"incidents/{(await catalog.incident())['id']}"
    await catalog.move(own, "cancelled", reason="duplicate")
    return own


async def designed_service(catalog: Catalog) -> str:
    own = f"services/{(await catalog.complete_service())['id']}"
    await catalog.move(own, "designing")
    return own


@pytest.mark.parametrize(
    ("made", "change"),
    [
        (cancelled_window, {"title": "Other"}),
        (cancelled_window, {"planned_end": "2020-01-01T00:00:00Z"}),
        (cancelled_incident, {"impact": "high"}),
        (designed_service, {"owner": None}),
    ],
)
async def test_a_stale_version_is_told_before_a_rule(catalog: Catalog, made: Any, change: dict[str, Any]) -> None:
    own = await made(catalog)
    stale = await catalog.send("PATCH", own, json=change, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    refused = await catalog.send("PATCH", own, json=change, headers={"If-Match": stale.headers["ETag"]})
    assert refused.status_code in {409, 422}
