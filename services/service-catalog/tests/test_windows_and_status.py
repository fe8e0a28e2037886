"""Maintenance as the status of a service tells it, and of what cannot work without it."""

from typing import Any

import pytest
from catalog_api import Catalog, ago, codes


async def shop_on_bank(catalog: Catalog) -> tuple[str, Any]:
    """Return the status path of a service, and another that it cannot work without."""
    shop, bank = await catalog.service(key="shop"), await catalog.service(key="bank")
    await catalog.post(f"services/{shop['id']}/dependencies", {"depends_on_key": "bank", "type": "hard"})
    return f"services/{shop['id']}/status", bank


async def impaired(catalog: Catalog, path: str) -> list[tuple[str, str]]:
    told = await catalog.get(path)
    assert told["operational_status"] == "operational"
    found = [(one["key"], one["operational_status"]) for one in told["impaired_dependencies"]]
    assert told["status_with_dependencies"] == (found[0][1] if found else "operational")
    return found


async def statuses(catalog: Catalog, service: Any) -> tuple[str, list[bool]]:
    told = await catalog.get(f"services/{service['id']}/status")
    return told["operational_status"], [one["overrun"] for one in told["maintenance_windows"]]


async def test_a_window_counts_from_its_start_to_its_end(catalog: Catalog) -> None:
    above, bank = await shop_on_bank(catalog)
    window = await catalog.window(
        bank, planned_start=ago(minutes=5), planned_end=ago(hours=-1), announced_at=ago(days=7)
    )
    own = f"maintenance-windows/{window['id']}"
    assert await statuses(catalog, bank) == ("operational", [])
    await catalog.move(own, "in_progress")
    assert await statuses(catalog, bank) == ("maintenance", [False])
    assert await impaired(catalog, above) == [("bank", "maintenance")]
    await catalog.move(own, "completed")
    assert await statuses(catalog, bank) == ("operational", [])
    assert await impaired(catalog, above) == []


async def test_a_window_that_goes_on_past_its_planned_end_is_an_overrun(catalog: Catalog) -> None:
    above, bank = await shop_on_bank(catalog)
    window = await catalog.window(
        bank, planned_start=ago(hours=3), planned_end=ago(hours=1), announced_at=ago(days=7), actual_start=ago(hours=3)
    )
    own = f"maintenance-windows/{window['id']}"
    assert await statuses(catalog, bank) == ("maintenance", [True])
    assert await impaired(catalog, above) == [("bank", "maintenance")]
    assert (await catalog.get(own)) == window  # what nobody commands changes no resource
    await catalog.patch(own, {"planned_end": ago(hours=-1)})
    assert await statuses(catalog, bank) == ("maintenance", [False])
    await catalog.outage(bank, severity="degraded")
    assert await statuses(catalog, bank) == ("degraded", [False])
    ended = await catalog.move(own, "completed", at=ago(minutes=1))
    assert ended["actual_end"] > ended["actual_start"]


@pytest.mark.parametrize("before", ["scheduled", "in_progress"])
async def test_a_cancelled_window_counts_no_more(catalog: Catalog, before: str) -> None:
    above, bank = await shop_on_bank(catalog)
    own = f"maintenance-windows/{(await catalog.window(bank))['id']}"
    begun = before == "in_progress"
    if begun:
        await catalog.move(own, "in_progress")
        assert await impaired(catalog, above) == [("bank", "maintenance")]
    assert codes(await catalog.move(own, "cancelled", status=409, reason=" ")) == ["reason_given"]
    cancelled = await catalog.move(own, "cancelled", reason="The vendor is ill.")
    assert (cancelled["state"], cancelled["actual_start"] is not None) == ("cancelled", begun)
    assert await statuses(catalog, bank) == ("operational", [])
    assert await impaired(catalog, above) == []


async def test_when_users_were_told_may_be_corrected_and_is_found(catalog: Catalog) -> None:
    window = await catalog.window(announced_at="2026-01-01T00:00:00Z")
    own = f"maintenance-windows/{window['id']}"
    assert (await catalog.patch(own, {"announced_at": "2025-12-20T00:00:00Z"}))["version"] == 2
    await catalog.patch(own, {"announced_at": ago(hours=-1)}, status=422)
    late: Any = await catalog.get("maintenance-windows", announced_at_from="2025-12-21T00:00:00Z")
    assert late["items"] == []
    found: Any = await catalog.get("maintenance-windows", announced_at_to="2025-12-21T00:00:00Z")
    assert [one["id"] for one in found["items"]] == [window["id"]]
