import asyncio
import json
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chassis import ids
from chassis.batch import Upsert, identity_of, known_rows, write_batch, write_items
from chassis.caller import Caller
from chassis.database import Statement, Transaction
from chassis.keys import command, conclude
from chassis.outcome import Mode
from chassis.rejection import Fault, Overtaken, Rejection, invalid
from chassis.testkit.databases import Pools
from chassis.testkit.sample.notes import a_caller, add_note, note_values
from chassis.testkit.sample.tables import NOTES


def an_item(**given: Any) -> Upsert:
    return Upsert(values=note_values(**given), named=frozenset(given))


def external(number: int, **given: Any) -> Upsert:
    return an_item(external_source="desk", external_id=str(number), **given)


async def send(
    pools: Pools, caller: Caller, items: Sequence[Upsert | Rejection], mode: Mode = "atomic"
) -> list[dict[str, Any]]:
    async with command(pools.runtime, caller) as tx:
        written = await conclude(tx, await write_batch(tx, NOTES, items, mode=mode))
    answered: list[dict[str, Any]] = json.loads(written.body)["items"]
    return answered


async def count_events(pools: Pools, caller: Caller) -> int:
    async with pools.worker.begin(caller) as tx:
        found: int = await tx.connection.fetchval("SELECT count(*) FROM event_pending WHERE org = $1", caller.org)
    return found


async def test_a_batch_adds_changes_and_leaves(notes_pools: Pools) -> None:
    caller = a_caller()
    first = await send(notes_pools, caller, [external(number, title=f"n{number}") for number in range(50)])
    assert [item["status"] for item in first] == [201] * 50
    assert [item["index"] for item in first] == list(range(50))
    again = await send(notes_pools, caller, [external(number, title=f"n{number}") for number in range(50)])
    assert [(item["status"], item["version"]) for item in again] == [(200, 1)] * 50
    assert [item["id"] for item in again] == [item["id"] for item in first]
    assert await count_events(notes_pools, caller) == 50
    changed = await send(notes_pools, caller, [external(7, title="new"), external(8, title="n8"), external(99)])
    assert [(item["status"], item["version"]) for item in changed] == [(200, 2), (200, 1), (201, 1)]
    assert await count_events(notes_pools, caller) == 52


async def test_what_an_item_does_not_name_stays(notes_pools: Pools) -> None:
    caller = a_caller()
    await send(notes_pools, caller, [external(1, title="kept", tags=["a"])])
    await send(notes_pools, caller, [external(1, tags=["b"])])
    async with notes_pools.runtime.begin(caller) as tx:
        row = await tx.connection.fetchrow("SELECT title, tags FROM note")
    assert (row["title"], row["tags"]) == ("kept", ["b"])


async def test_items_without_external_id_are_found_by_their_natural_key(notes_pools: Pools) -> None:
    caller = a_caller()
    first = await send(notes_pools, caller, [an_item(key="k", title="a")])
    again = await send(notes_pools, caller, [an_item(key="k", title="b")])
    assert again == [{"index": 0, "status": 200, "id": first[0]["id"], "version": 2}]


async def test_atomic_writes_nothing_when_one_is_refused_and_says_which(notes_pools: Pools) -> None:
    caller = a_caller()
    await add_note(notes_pools.runtime, caller, key="taken")
    items = [external(1), external(2, key="taken"), external(3)]
    with pytest.raises(Rejection) as refused:
        await send(notes_pools, caller, items)
    assert refused.value.kind == "conflict"
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/items/1", "key-taken")]
    assert await count_events(notes_pools, caller) == 1


async def test_independent_writes_the_good_ones(notes_pools: Pools) -> None:
    caller = a_caller()
    await add_note(notes_pools.runtime, caller, key="taken")
    wrong = invalid(Fault("/title", "too-long", "The title is too long."))
    answered = await send(
        notes_pools, caller, [external(1), external(2, key="taken"), wrong, external(3)], "independent"
    )
    assert [item["status"] for item in answered] == [201, 409, 422, 201]
    assert answered[1]["problem"]["code"] == "key-taken"
    assert answered[2]["problem"]["errors"][0]["pointer"] == "/title"
    assert answered[2]["id"] is None


async def test_one_resource_twice_in_a_batch_is_refused(notes_pools: Pools) -> None:
    caller = a_caller()
    answered = await send(notes_pools, caller, [external(1), external(2), external(1)], "independent")
    assert [item["status"] for item in answered] == [422, 201, 422]
    with pytest.raises(Rejection) as refused:
        await send(notes_pools, caller, [external(5), external(5)])
    assert refused.value.kind == "invalid"


async def test_one_resource_named_in_two_ways_in_a_batch_is_refused(notes_pools: Pools) -> None:
    caller = a_caller()
    new = await send(notes_pools, caller, [external(1, key="k"), an_item(key="k"), external(2)], "independent")
    assert [item["status"] for item in new] == [422, 422, 201]
    await send(notes_pools, caller, [external(1, key="k")])
    known = [external(1, title="AAA"), an_item(key="k", title="BBB")]
    answered = await send(notes_pools, caller, known, "independent")
    assert [item["problem"]["errors"][0]["code"] for item in answered] == ["repeated-in-batch"] * 2
    assert await count_events(notes_pools, caller) == 2


async def test_who_is_overtaken_has_done_nothing(notes_pools: Pools) -> None:
    caller = a_caller()
    async with command(notes_pools.runtime, caller) as first:
        written = await write_batch(first, NOTES, [external(1, title="first")], mode="atomic")
        second = asyncio.ensure_future(
            send(notes_pools, caller, [external(2), external(1, title="second")], "independent")
        )
        await until_somebody_waits(first)
        await conclude(first, written)
    with pytest.raises(Overtaken) as overtaken:
        await second
    assert (overtaken.value.kind, overtaken.value.retry_after_seconds) == ("unavailable", 1)
    assert await count_events(notes_pools, caller) == 1
    changed = await send(notes_pools, caller, [external(2), external(1, title="second")], "independent")
    assert [(item["status"], item["version"]) for item in changed] == [(201, 1), (200, 2)]


async def test_batches_that_add_do_not_wait_for_one_another_in_a_circle(notes_pools: Pools) -> None:
    caller = a_caller()
    for first in range(0, 2400, 400):
        items = [external(number) for number in range(first, first + 400)]
        refusals = await refusals_of(send(notes_pools, caller, items), send(notes_pools, caller, items[::-1]))
        assert [one.code for one in refusals] in ([], ["added-meanwhile"])


async def test_batches_that_change_do_not_wait_for_one_another_in_a_circle(notes_pools: Pools) -> None:
    caller = a_caller()
    await send(notes_pools, caller, [external(number, key=f"k{number}") for number in range(400)])
    by_key = [an_item(key=f"k{number}", title="by key") for number in range(400)]
    mixed = by_key[:200] + [external(number, title="mixed") for number in range(200, 400)]
    for _ in range(6):
        assert await refusals_of(send(notes_pools, caller, by_key), send(notes_pools, caller, mixed)) == []


async def refusals_of(*batches: Awaitable[Any]) -> list[Rejection]:
    """Return how those of several batches at once are refused that are."""
    ended = await asyncio.gather(*batches, return_exceptions=True)
    assert all(isinstance(one, list | Rejection) for one in ended)
    return [one for one in ended if isinstance(one, Rejection)]


async def until_somebody_waits(tx: Transaction) -> None:
    """Return when another transaction waits for this one."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    async with asyncio.timeout(5):
        while not await tx.connection.fetchval(waiting):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def test_a_new_row_may_bring_its_id(notes_pools: Pools) -> None:
    caller, wanted = a_caller(), ids.new_id()
    item = Upsert(values=note_values(key="known"), named=frozenset({"key"}), id=wanted)
    (first,) = await send(notes_pools, caller, [item])
    (again,) = await send(notes_pools, caller, [replace(item, id=ids.new_id())])
    assert (first["id"], again["id"], again["version"]) == (str(wanted), str(wanted), 1)


async def test_a_report_tells_what_was_written_and_how_it_was_before(notes_pools: Pools) -> None:
    caller = a_caller()
    await send(notes_pools, caller, [external(1, title="a"), external(2, title="b")])
    async with notes_pools.runtime.begin(caller) as tx:
        items = [external(1, title="new"), external(2, title="b"), external(3)]
        known = await known_rows(tx, NOTES, [identity_of(NOTES, item.values) for item in items])
        assert sorted(row["title"] for row in known.values()) == ["a", "b"]
        report = await write_items(tx, NOTES, items, mode="atomic")
    told = [(result.status, result.written, result.before and result.before["title"]) for result in report.results]
    assert told == [(200, True, "a"), (200, False, "b"), (201, True, None)]


async def test_what_is_known_is_found_along_the_index_of_its_keys(
    notes_pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = a_caller()
    identities = [identity_of(NOTES, external(number).values) for number in range(1000)]
    for first in range(0, 3000, 1000):
        await send(notes_pools, caller, [external(first + number) for number in range(1000)])
    asked: list[list[Any]] = []
    ask = Transaction._asked

    def noted(tx: Transaction, statement: Statement, values: dict[str, Any]) -> list[Any]:
        asked.append(ask(tx, statement, values))
        return asked[-1]

    monkeypatch.setattr(Transaction, "_asked", noted)
    async with notes_pools.runtime.begin(caller) as tx:
        assert len(await known_rows(tx, NOTES, identities)) == 1000
        (text, *arguments), *_ = asked
        plan = await tx.connection.fetch(f"EXPLAIN {text}", *arguments)
    assert not [line[0] for line in plan if "Seq Scan" in line[0]]
