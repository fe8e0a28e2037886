"""Calendars, the same resource in two services: what makes one, and which working time follows from it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from api_documents import SERVED

from chassis.testkit.applications import OrganisationClient, settings_on
from chassis.testkit.clients import client_of
from chassis.testkit.databases import Addresses
from chassis.testkit.tokens import Signer

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BERLIN: dict[str, Any] = {
    "name": "office",
    "timezone": "Europe/Berlin",
    "weekly": [{"weekday": day, "intervals": [["08:00", "12:00"], ["13:00", "17:00"]]} for day in WEEK[:5]],
}
AROUND_THE_CLOCK = [{"weekday": day, "intervals": [["00:00", "24:00"]]} for day in WEEK]
HOUR = 3600


@dataclass(frozen=True)
class Caller(OrganisationClient):
    """One organisation's client of one of the services."""

    AUDIENCE: ClassVar[str] = ""
    EVERYTHING: ClassVar[tuple[str, ...]] = ()

    async def working(self, calendar: Any, start: str, end: str) -> tuple[int, list[tuple[str, str]]]:
        """Return the working seconds between two instants, and the intervals."""
        asked: dict[str, Any] = {"from": start, "to": end}
        told = await self.get(f"calendars/{calendar['id']}/working-time", **asked)
        assert (told["calendar_id"], told["from"], told["to"]) == (calendar["id"], start, end)
        return told["working_seconds"], [(one["start_at"], one["end_at"]) for one in told["intervals"]]

    async def faults(self, **given: Any) -> list[tuple[str, str]]:
        """Return what a calendar is refused for."""
        refused = await self.post("calendars", BERLIN | given, status=422)
        return [(error["pointer"], error["code"]) for error in refused["errors"]]


class CatalogCaller(Caller):
    """A client of service-catalog."""

    AUDIENCE = "service-catalog"
    EVERYTHING = ("catalog:read", "catalog:write")


class TrackerCaller(Caller):
    """A client of project-tracker."""

    AUDIENCE = "project-tracker"
    EVERYTHING = ("projects:read", "projects:write")


@pytest.fixture(scope="module", params=[CatalogCaller, TrackerCaller], ids=lambda kind: str(kind.AUDIENCE))
async def app(
    request: pytest.FixtureRequest, new_database: Callable[[str], Addresses], signer: Signer, jwks_file: Path
) -> AsyncIterator[tuple[type[Caller], httpx.AsyncClient]]:
    kind: type[Caller] = request.param
    served = SERVED[kind.AUDIENCE]
    settings = settings_on(new_database(served.package), served.settings, jwks_file=jwks_file, signer=signer)
    async with client_of(served.create_app(settings), as_documented=True) as client:
        yield kind, client


@pytest.fixture
def caller(app: tuple[type[Caller], httpx.AsyncClient], signer: Signer) -> Caller:
    kind, client = app
    return kind(client, signer)


def intervals(*spans: list[str]) -> list[dict[str, Any]]:
    return [{"weekday": "monday", "intervals": list(spans)}]


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        ({"timezone": "Europe/Atlantis"}, [("/timezone", "timezone-unknown")]),
        ({"timezone": "../../etc/passwd"}, [("/timezone", "timezone-unknown")]),
        ({"timezone": "Europe"}, [("/timezone", "timezone-unknown")]),
        ({"timezone": "localtime"}, [("/timezone", "timezone-unknown")]),
        ({"timezone": "CEST"}, [("/timezone", "timezone-unknown")]),
        ({"holiday_country": "XX"}, [("/holiday_country", "country-unknown")]),
        ({"holiday_country": "de"}, [("/holiday_country", "pattern")]),
        (
            {"holiday_country": "DE", "holiday_subdivision": "ZZ"},
            [("/holiday_subdivision", "subdivision-unknown")],
        ),
        ({"holiday_subdivision": "BY"}, [("/holiday_subdivision", "country-missing")]),
        ({"weekly": []}, [("/weekly", "no-working-time")]),
        ({"weekly": [{"weekday": "monday", "intervals": []}]}, [("/weekly", "no-working-time")]),
        ({"weekly": [], "exceptions": [{"date": "2026-12-24", "intervals": []}]}, [("/weekly", "no-working-time")]),
        ({"weekly": intervals(["22:00", "06:00"])}, [("/weekly/0/intervals/0", "before-start")]),
        ({"weekly": intervals(["08:00", "08:00"])}, [("/weekly/0/intervals/0", "before-start")]),
        ({"weekly": intervals(["24:00", "24:00"])}, [("/weekly/0/intervals/0", "before-start")]),
        ({"weekly": intervals(["08:00", "24:01"])}, [("/weekly/0/intervals/0/1", "pattern")]),
        ({"weekly": intervals(["8:00", "12:00"])}, [("/weekly/0/intervals/0/0", "pattern")]),
        ({"weekly": intervals(["08:00", "12:00", "13:00"])}, [("/weekly/0/intervals/0", "too-long")]),
        (
            {"weekly": intervals(["08:00", "12:00"], ["11:59", "13:00"])},
            [("/weekly/0/intervals/1", "overlapping")],
        ),
        (
            {"weekly": intervals(["08:00", "12:00"]) + intervals(["07:00", "09:00"])},
            [("/weekly/1/intervals/0", "overlapping")],
        ),
        (
            {"exceptions": [{"date": "2026-12-24", "intervals": [["09:00", "08:00"]]}]},
            [("/exceptions/0/intervals/0", "before-start")],
        ),
        (
            {"exceptions": [{"date": "2026-12-24", "intervals": []}] * 2},
            [("/exceptions/1/date", "repeated")],
        ),
        ({"hours_per_day": "0"}, [("/hours_per_day", "out-of-range")]),
        ({"hours_per_week": "169"}, [("/hours_per_week", "out-of-range")]),
        (
            {"timezone": "Nowhere", "weekly": intervals(["12:00", "08:00"])},
            [("/timezone", "timezone-unknown"), ("/weekly/0/intervals/0", "before-start")],
        ),
    ],
)
async def test_what_makes_no_calendar_is_pointed_at(
    caller: Caller, wrong: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    assert await caller.faults(**wrong) == faults


async def test_a_change_is_checked_like_a_new_one_and_has_a_version(caller: Caller) -> None:
    made = await caller.post("calendars", BERLIN | {"labels": {"a": "1", "b": "2"}})
    own = f"calendars/{made['id']}"
    assert made["version"] == 1
    changed = await caller.patch(own, {"timezone": "America/New_York", "labels": {"a": None, "c": "3"}})
    assert (changed["version"], changed["labels"]) == (2, {"b": "2", "c": "3"})
    assert (await caller.patch(own, {"timezone": "America/New_York"}))["version"] == 2
    wrongs: list[dict[str, Any]] = [
        {"timezone": "Nowhere"},
        {"weekly": []},
        {"holiday_subdivision": "BY"},
        {"weekly": None},
    ]
    for wrong in wrongs:
        await caller.patch(own, wrong, status=422)
    stale = await caller.send("PATCH", own, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 2)
    assert await caller.get(own) == changed


async def test_holidays_are_those_of_the_country_and_of_its_part(caller: Caller) -> None:
    own = [{"date": "2026-07-01", "name": "Fair"}]
    germany = await caller.post("calendars", BERLIN | {"holiday_country": "DE", "holidays": own})
    bavaria = await caller.post("calendars", BERLIN | {"holiday_country": "DE", "holiday_subdivision": "BY"})
    dates = [{day["date"] for day in one["holidays"]} for one in (germany, bavaria)]
    assert ["2026-01-06" in each for each in dates] == [False, True]  # Epiphany
    assert ["2026-07-01" in each for each in dates] == [True, False]
    assert all({"2000-12-25", "2026-10-03", "2050-12-25"} <= each for each in dates)
    epiphany = ("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z")
    assert [(await caller.working(one, *epiphany))[0] for one in (germany, bavaria)] == [8 * HOUR, 0]
    without = await caller.patch(f"calendars/{germany['id']}", {"holiday_country": None})
    assert without["holidays"] == own
    assert (await caller.working(without, "2026-12-25T00:00:00Z", "2026-12-26T00:00:00Z"))[0] == 8 * HOUR
    opened = {"exceptions": [{"date": "2026-12-25", "intervals": [["10:00", "12:00"]]}]}
    bavaria = await caller.patch(f"calendars/{bavaria['id']}", opened)
    assert (await caller.working(bavaria, "2026-12-25T00:00:00Z", "2026-12-26T00:00:00Z"))[0] == 2 * HOUR


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),  # the clocks go forward
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),  # and back
        ("2026-06-01T22:00:00Z", "2026-06-02T22:00:00Z", 24),
    ],
)
async def test_a_day_is_as_long_as_it_really_is(caller: Caller, start: str, end: str, hours: int) -> None:
    made = await caller.post("calendars", BERLIN | {"weekly": AROUND_THE_CLOCK})
    assert await caller.working(made, start, end) == (hours * HOUR, [(start, end)])
    assert (made["hours_per_day"], made["hours_per_week"]) == ("24", "168")


async def test_working_time_across_the_night_the_clocks_are_moved(caller: Caller) -> None:
    night = [
        {"weekday": "saturday", "intervals": [["22:00", "24:00"]]},
        {"weekday": "sunday", "intervals": [["00:00", "06:00"]]},
    ]
    made = await caller.post("calendars", BERLIN | {"weekly": night})
    forward = await caller.working(made, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z")
    assert forward == (7 * HOUR, [("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z")])
    back = await caller.working(made, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z")
    assert back == (9 * HOUR, [("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z")])


async def test_an_hour_that_there_is_not_or_twice(caller: Caller) -> None:
    made = await caller.post(
        "calendars", BERLIN | {"weekly": [{"weekday": "sunday", "intervals": [["02:00", "03:00"]]}]}
    )
    assert await caller.working(made, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z") == (0, [])
    twice = await caller.working(made, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")
    assert twice == (2 * HOUR, [("2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z")])


async def test_working_time_is_cut_off_at_both_ends(caller: Caller) -> None:
    made = await caller.post("calendars", BERLIN)
    told = await caller.working(made, "2026-03-02T09:30:00Z", "2026-03-03T07:15:00Z")
    spans = [
        ("2026-03-02T09:30:00Z", "2026-03-02T11:00:00Z"),
        ("2026-03-02T12:00:00Z", "2026-03-02T16:00:00Z"),
        ("2026-03-03T07:00:00Z", "2026-03-03T07:15:00Z"),
    ]
    assert told == (5 * HOUR + 45 * 60, spans)
    year = await caller.working(made, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    assert (year[0], len(year[1])) == (261 * 8 * HOUR, 261 * 2)


async def test_working_time_is_asked_for_a_span(caller: Caller) -> None:
    own = f"calendars/{(await caller.post('calendars', BERLIN))['id']}/working-time"
    start = "2026-03-02T00:00:00Z"
    for asked, named in (
        ({"from": start}, "to"),
        ({"to": start}, "from"),
        ({"from": start, "to": start}, "to"),
        ({"from": start, "to": "2026-03-01T00:00:00Z"}, "to"),
        ({"from": start, "to": "2027-03-04T00:00:00Z"}, "to"),
        ({"from": "today", "to": start}, "from"),
        ({"from": start, "to": "2026-03-03T00:00:00Z", "timezone": "UTC"}, "timezone"),
    ):
        refused = await caller.get(own, status=422, **asked)
        assert [error["pointer"] for error in refused["errors"]] == [named]
    span: dict[str, Any] = {"from": start, "to": "2026-03-03T00:00:00Z"}
    await caller.of_another_organisation().get(own, status=404, **span)
    await caller.limited_to("events:read").get(own, status=403, **span)
    last: dict[str, Any] = {"from": "2199-12-31T00:00:00Z", "to": "2199-12-31T23:59:59Z"}
    assert (await caller.get(own, **last))["working_seconds"] == 8 * HOUR
