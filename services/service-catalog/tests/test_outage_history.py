"""What outages went through, in order: ends before a reopening, and starts and ends that are told otherwise."""

from typing import Any

import pytest
from catalog_api import Catalog, ago

from chassis.schemas import parse_instant
from chassis.testkit.applications import pointers

TEN, ELEVEN, NOON, ONE = (f"2026-01-05T{hour}:00:00Z" for hour in (10, 11, 12, 13))


async def steps_of(catalog: Catalog, own: str) -> list[tuple[Any, str, str]]:
    told = [(step["from"], step["to"], step["at"]) for step in (await catalog.get(f"{own}/transitions"))["history"]]
    assert [source for source, _, _ in told] == [None, *(target for _, target, _ in told[:-1])]
    return told


async def actors_of(catalog: Catalog, own: str) -> list[str]:
    return [step["actor"] for step in (await catalog.get(f"{own}/transitions"))["history"]]


async def superseded(catalog: Catalog, own: str) -> list[tuple[Any, ...]]:
    """Return what was told before: to which state, when, by whom, and who corrected it."""
    steps = (await catalog.get(f"{own}/transitions"))["superseded"]
    superseded = [parse_instant(step["superseded_at"]) for step in steps]
    assert superseded == sorted(superseded)
    return [tuple(step[name] for name in ("to", "at", "actor", "superseded_by")) for step in steps]


async def reopened(catalog: Catalog) -> tuple[str, str]:
    """Add an outage that ended and was reopened; returns its path and when that was."""
    own = f"outages/{(await catalog.outage(started_at=TEN, ended_at=ELEVEN))['id']}"
    await catalog.move(own, "open")
    return own, (await steps_of(catalog, own))[-1][2]


async def test_a_command_tells_no_end_before_the_reopening(catalog: Catalog) -> None:
    own, at = await reopened(catalog)
    assert pointers(await catalog.move(own, "ended", at=NOON, status=422)) == [("/at", "before-last")]
    assert pointers(await catalog.patch(own, {"ended_at": NOON}, status=422)) == [("/ended_at", "before-last")]
    ended = await catalog.move(own, "ended", at=at)
    assert ended["ended_at"] == at
    assert await steps_of(catalog, own) == [
        (None, "open", TEN),
        ("open", "ended", ELEVEN),
        ("ended", "open", at),
        ("open", "ended", at),
    ]


async def test_what_was_reopened_by_mistake_is_set_right_by_its_end(catalog: Catalog) -> None:
    own, _ = await reopened(catalog)
    await catalog.move(own, "ended")
    assert (await catalog.patch(own, {"ended_at": NOON}))["ended_at"] == NOON
    assert await steps_of(catalog, own) == [(None, "open", TEN), ("open", "ended", NOON)]


async def test_a_corrected_span_corrects_its_steps_and_nobody_else_s(catalog: Catalog) -> None:
    own = f"outages/{(await catalog.outage(started_at=NOON))['id']}"
    await catalog.patch(own, {"started_at": TEN, "ended_at": ELEVEN})
    assert await steps_of(catalog, own) == [(None, "open", TEN), ("open", "ended", ELEVEN)]
    await catalog.by("ada").patch(own, {"started_at": ELEVEN})
    assert await steps_of(catalog, own) == [(None, "open", ELEVEN), ("open", "ended", ELEVEN)]
    await catalog.patch(own, {"started_at": TEN})
    await catalog.by("grace").patch(own, {"ended_at": ONE})
    assert await steps_of(catalog, own) == [(None, "open", TEN), ("open", "ended", ONE)]
    assert await actors_of(catalog, own) == ["tester", "grace"]
    await catalog.patch(own, {"cause": "a switch"})
    assert await actors_of(catalog, own) == ["tester", "grace"]


async def test_a_correction_loses_nothing_of_what_was_told_before(catalog: Catalog) -> None:
    made = await catalog.by("ada").outage(started_at=TEN, ended_at=ELEVEN)
    own = f"outages/{made['id']}"
    before = await catalog.get(f"{own}/transitions")
    assert before["superseded"] == []
    await catalog.by("grace").patch(own, {"ended_at": NOON})
    await catalog.by("joan").patch(own, {"started_at": "2026-01-05T09:00:00Z", "ended_at": ONE})
    after = await catalog.get(f"{own}/transitions")
    assert [(step["to"], step["at"], step["actor"]) for step in after["history"]] == [
        ("open", "2026-01-05T09:00:00Z", "joan"),
        ("ended", ONE, "joan"),
    ]
    assert await superseded(catalog, own) == [
        ("ended", ELEVEN, "ada", "grace"),
        ("open", TEN, "ada", "joan"),
        ("ended", NOON, "grace", "joan"),
    ]
    told = {name: after["superseded"][0][name] for name in before["history"][1]}
    assert told == before["history"][1]
    await catalog.of_another_organisation().get(f"{own}/transitions", status=404)


async def test_who_takes_a_reopening_back_is_told(catalog: Catalog) -> None:
    own, at = await reopened(catalog)
    await catalog.move(own, "ended")
    first, second, _, last = (await catalog.get(f"{own}/transitions"))["history"]
    await catalog.by("ada").patch(own, {"ended_at": ELEVEN})
    assert (await catalog.get(f"{own}/transitions"))["history"] == [
        first,
        second | {"actor": "ada", "recorded_at": (await catalog.get(own))["updated_at"]},
    ]
    assert await superseded(catalog, own) == [
        ("ended", ELEVEN, "tester", "ada"),
        ("open", at, "tester", "ada"),
        ("ended", last["at"], "tester", "ada"),
    ]


@pytest.mark.parametrize(("start", "kept"), [(ELEVEN, True), ("2026-01-05T11:30:00Z", False)])
async def test_what_lies_before_a_corrected_start_did_not_happen(catalog: Catalog, start: str, *, kept: bool) -> None:
    own, at = await reopened(catalog)
    await catalog.patch(own, {"started_at": start})
    between = [("open", "ended", ELEVEN), ("ended", "open", at)] if kept else []
    assert await steps_of(catalog, own) == [(None, "open", start), *between]


def imported(**given: Any) -> dict[str, Any]:
    blank = {"external_source": "cmdb", "external_id": "1", "service_key": "shop", "severity": "major"}
    return blank | {"started_at": TEN, "ended_at": ELEVEN} | given


async def test_a_batch_that_reopens_says_so_now(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("outages", [imported()])
    own, before = f"outages/{made['id']}", ago(seconds=5)
    await catalog.batch("outages", [imported(ended_at=None)])
    steps = await steps_of(catalog, own)
    assert [(source, target) for source, target, _ in steps] == [(None, "open"), ("open", "ended"), ("ended", "open")]
    assert steps[1][2] == ELEVEN
    assert steps[2][2] > before


async def test_a_batch_that_corrects_a_span_corrects_its_steps(catalog: Catalog) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("outages", [imported(started_at=NOON, ended_at=None)])
    own = f"outages/{made['id']}"
    (moved,) = await catalog.batch("outages", [imported()])
    assert await steps_of(catalog, own) == [(None, "open", TEN), ("open", "ended", ELEVEN)]
    (same,) = await catalog.batch("outages", [imported()])
    assert same["version"] == moved["version"] == 2
    await catalog.batch("outages", [imported(started_at=NOON, ended_at=ONE)])
    assert await steps_of(catalog, own) == [(None, "open", NOON), ("open", "ended", ONE)]


@pytest.mark.parametrize("end", [ELEVEN, NOON])
async def test_the_end_that_a_batch_tells_undoes_a_later_reopening(catalog: Catalog, end: str) -> None:
    await catalog.service(key="shop")
    (made,) = await catalog.batch("outages", [imported()])
    own = f"outages/{made['id']}"
    await catalog.move(own, "open")
    await catalog.batch("outages", [imported(ended_at=end)])
    assert await steps_of(catalog, own) == [(None, "open", TEN), ("open", "ended", end)]
    assert (await catalog.get(own))["state"] == "ended"
