from catalog_api import Catalog

OFFICE = {
    "name": "office",
    "timezone": "Europe/Berlin",
    "weekly": [{"weekday": "monday", "intervals": [["08:00", "12:00"], ["13:00", "17:00"]]}],
    "holiday_country": "DE",
}


async def test_a_calendar_is_kept_and_changed(catalog: Catalog) -> None:
    made = await catalog.post("calendars", OFFICE)
    assert (made["hours_per_day"], made["hours_per_week"]) == ("8", "8")
    changed = await catalog.patch(f"calendars/{made['id']}", {"name": "shop"})
    assert (changed["name"], changed["version"]) == ("shop", 2)


async def test_a_calendar_read_and_sent_back_is_the_same(catalog: Catalog) -> None:
    own = [{"date": "2026-07-01", "name": "Fair"}]
    weekly = [{"weekday": "friday", "intervals": [["04:05", "05:10"]]}]
    made = await catalog.post("calendars", OFFICE | {"holidays": own, "weekly": weekly})
    path = f"calendars/{made['id']}"
    form = {name: made[name] for name in ("name", "weekly", "holidays", "hours_per_day", "hours_per_week")}
    assert await catalog.patch(path, form) == made
    moved = await catalog.patch(path, form | {"holiday_country": "FR", "weekly": OFFICE["weekly"]})
    french = await catalog.post("calendars", OFFICE | {"holidays": own, "holiday_country": "FR"})
    assert moved["holidays"] == french["holidays"]
    assert (moved["hours_per_day"], moved["hours_per_week"]) == ("8", "8")
    said = await catalog.patch(path, {"hours_per_day": "7.5"})
    assert (await catalog.patch(path, {"weekly": weekly}))["hours_per_day"] == said["hours_per_day"] == "7.5"
    assert (await catalog.patch(path, {"hours_per_day": None}))["hours_per_day"] == "1.0833333333"


async def test_hours_that_come_out_uneven_are_told_with_ten_places(catalog: Catalog) -> None:
    weekly = [{"weekday": "friday", "intervals": [["04:05", "05:10"]]}]
    made = await catalog.post("calendars", OFFICE | {"weekly": weekly})
    assert (made["hours_per_day"], made["hours_per_week"]) == ("1.0833333333", "1.0833333333")


async def test_a_calendar_in_use_stays(catalog: Catalog) -> None:
    calendar = await catalog.post("calendars", OFFICE)
    service = await catalog.service(calendar_id=calendar["id"])
    refused = await catalog.delete(f"calendars/{calendar['id']}", status=409)
    assert refused["code"] == "calendar-in-use"
    await catalog.patch(f"services/{service['id']}", {"calendar_id": None})
    await catalog.delete(f"calendars/{calendar['id']}")


async def test_a_service_names_only_calendars_that_exist(catalog: Catalog) -> None:
    foreign = await catalog.of_another_organisation().post("calendars", OFFICE)
    refused = await catalog.post("services", {"key": "s", "name": "S", "calendar_id": foreign["id"]}, status=422)
    assert refused["errors"][0]["pointer"] == "/calendar_id"
