"""No event is larger than 64 KiB: a change that would be told in a larger one is refused."""

import json
from typing import Any

import pytest

from chassis.batch import Upsert, write_batch
from chassis.calendars.holidays_of import BYTES_MAX, country_holidays
from chassis.caller import Caller
from chassis.database import Transaction
from chassis.events.envelope import event_as_json
from chassis.events.sizes import DATA_MAX, ENVELOPE_MAX, EVENT_MAX, LIGHT_MAX, ROOM, too_large
from chassis.keys import command, conclude
from chassis.rejection import Rejection
from chassis.testkit.databases import Pools
from chassis.testkit.sample.notes import a_caller, add_note, id_of, note_values
from chassis.testkit.sample.tables import NOTES
from chassis.writing import delete_one, update_one

WIDE = "\U0001d11e"  # four bytes of UTF-8
LONG = WIDE * ((ROOM + 2000) // 4)


def pointers(refusal: Rejection | None) -> list[tuple[str, str]]:
    return [] if refusal is None else [(fault.pointer, fault.code) for fault in refusal.faults]


@pytest.mark.parametrize(
    ("values", "change", "size", "expected"),
    [
        ({"title": "x" * 60_000}, None, ROOM, []),
        ({"title": "x" * 40_000, "body": "y" * 50_000}, None, ROOM + 1, [("/body", "too-large")]),
        ({"title": "x"}, None, ROOM + 1, []),
        ({"title": "x"}, None, DATA_MAX, []),
        ({"title": "x"}, None, DATA_MAX + 1, [("/title", "too-large")]),
        ({"title": "x" * (LIGHT_MAX - 2)}, None, DATA_MAX, []),
        ({"title": "x" * (LIGHT_MAX - 1)}, None, DATA_MAX, [("/title", "too-large")]),
        ({"state": "over"}, {"from": "x" * 9000, "reason": "x" * 3000}, ROOM + 1, [("/reason", "too-large")]),
        ({"why": "x" * 3000}, {"to": "over", "reason": "x" * 3000}, ROOM + 1, [("/reason", "too-large")]),
        ({}, None, DATA_MAX + 1, [("", "too-large")]),
    ],
)
def test_the_largest_part_of_what_is_too_large_is_named(values: Any, change: Any, size: int, expected: Any) -> None:
    assert pointers(too_large("note", values, change, size, ROOM)) == expected


async def kept(notes_pools: Pools, caller: Caller) -> list[int]:
    """Return how many bytes the data of each event has that was kept."""
    async with notes_pools.worker.begin(caller) as tx:
        rows = await tx.connection.fetch(
            "SELECT octet_length(data::text) AS size FROM event_pending WHERE org = $1 ORDER BY seq", caller.org
        )
    return [row["size"] for row in rows]


async def retitle(notes_pools: Pools, caller: Caller, id_: Any, title: str, **given: Any) -> None:
    async with command(notes_pools.runtime, caller) as tx:
        await conclude(tx, await update_one(tx, NOTES, id_, {"title": title}, **given))


async def test_what_is_too_large_is_refused_and_nothing_is_kept(notes_pools: Pools) -> None:
    caller = a_caller()
    with pytest.raises(Rejection) as refused:
        await add_note(notes_pools.runtime, caller, title=LONG, tags=["a"])
    assert (refused.value.kind, pointers(refused.value)) == ("invalid", [("/title", "too-large")])
    assert await kept(notes_pools, caller) == []
    note = id_of(await add_note(notes_pools.runtime, caller, title="short"))
    with pytest.raises(Rejection):
        await retitle(notes_pools, caller, note, LONG)
    assert len(await kept(notes_pools, caller)) == 1


async def test_a_small_step_still_fits_on_what_is_as_large_as_may_be(notes_pools: Pools) -> None:
    caller = a_caller()
    blank = len((await add_note(notes_pools.runtime, caller, title="")).body.encode())
    length = ROOM - blank - 20  # an instant has as many digits as it needs
    note = id_of(await add_note(notes_pools.runtime, caller, title="x" * length))
    change = {"from": "a", "to": "b", "reason": "y" * 500, "actor": WIDE * 255}
    async with command(notes_pools.runtime, caller) as tx:
        await conclude(tx, await update_one(tx, NOTES, note, {"tags": ["z" * 500]}, change=change))
    before, after = (await kept(notes_pools, caller))[1:]
    assert ROOM - 40 < before <= ROOM < after <= DATA_MAX
    with pytest.raises(Rejection) as refused:
        await retitle(notes_pools, caller, note, "x" * length, change=change | {"reason": "y" * 3000})
    assert pointers(refused.value) == [("/title", "too-large")]
    async with command(notes_pools.runtime, caller) as tx:
        await conclude(tx, await delete_one(tx, NOTES, note))


async def test_in_a_batch_only_the_item_that_is_too_large_is_refused(notes_pools: Pools) -> None:
    caller = a_caller()
    items = [
        Upsert(values=note_values(key=str(number), title=title), named=frozenset({"title"}))
        for number, title in enumerate(("a", LONG, "c"))
    ]
    async with command(notes_pools.runtime, caller) as tx:
        written = await conclude(tx, await write_batch(tx, NOTES, items, mode="independent"))
    answered = json.loads(written.body)["items"]
    assert [item["status"] for item in answered] == [201, 422, 201]
    assert [error["pointer"] for error in answered[1]["problem"]["errors"]] == ["/title"]
    with pytest.raises(Rejection) as refused:
        async with command(notes_pools.runtime, a_caller()) as tx:
            await write_batch(tx, NOTES, items, mode="atomic")
    assert pointers(refused.value) == [("/items/1/title", "too-large")]


async def logged(tx: Transaction) -> tuple[str, str]:
    """Return an event as the feed will tell it at the last position there is, and its data."""
    numbered = "(SELECT *, 9223372036854775807 AS position FROM event_pending WHERE org = $1 LIMIT 1) AS one"
    told = event_as_json("/service-catalog", "one", "2147483647")
    query = f"SELECT {told} AS event, one.data::text AS data FROM {numbered}"  # noqa: S608  (constants of the code)
    row = await tx.connection.fetchrow(query, tx.caller.org)
    assert row is not None
    return row["event"], row["data"]


async def test_an_envelope_is_never_larger_than_what_is_kept_for_it(notes_pools: Pools) -> None:
    caller = Caller(
        org="o" * 64,
        subject=WIDE * 255,
        correlation_id="c" * 128,
        causation_id="e" * 36,
        traceparent=f"00-{'0' * 32}-{'0' * 16}-01",
    )
    await add_note(notes_pools.runtime, caller, title="x" * 50_000)
    async with notes_pools.worker.begin(caller) as tx:
        event, data = await logged(tx)
    assert len(event.encode()) - len(data.encode()) <= ENVELOPE_MAX - 200  # types and subjects are no longer than that
    assert DATA_MAX + ENVELOPE_MAX == EVENT_MAX == 65_536


@pytest.mark.parametrize("country", ["IR", "VA", "TH"])  # those with the most holidays
def test_the_holidays_of_any_country_fit_and_are_those_around_today(country: str) -> None:
    days = country_holidays(country, None)
    assert BYTES_MAX - 4096 < len(json.dumps(days, ensure_ascii=False).encode()) <= BYTES_MAX
    assert days[0]["date"][:4] <= "2013"
    assert days[-1]["date"][:4] >= "2037"


def test_holidays_are_called_the_same_in_any_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {}
    for language in ("de", "uk", ""):
        monkeypatch.setenv("LANGUAGE", language)
        names[language] = [day["name"] for country in ("AT", "IR", "UA") for day in country_holidays(country, None)]
    assert names["de"] == names["uk"] == names[""]
    assert {"Easter Monday", "Nowruz"} <= set(names[""])
