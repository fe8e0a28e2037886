import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis import clock
from chassis.caller import Caller, IdempotencyKey
from chassis.database import Database
from chassis.outcome import Replayed, Written
from chassis.rejection import Rejection
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.sample.notes import a_caller, add_note
from chassis.testkit.sample.tables import NOTES


def asking(caller: Caller, request: str = "one", key: str = "key-1") -> Caller:
    return caller.idempotent(IdempotencyKey(key, "/v1/notes", hashlib.sha256(request.encode()).digest()))


async def count(pools: Pools, caller: Caller) -> int:
    async with pools.runtime.begin(caller) as tx:
        found: int = await tx.connection.fetchval(f"SELECT count(*) FROM {NOTES.table.name}")  # noqa: S608
    return found


async def test_the_same_request_again_gets_the_first_answer(notes_pools: Pools) -> None:
    caller = a_caller()
    first = await add_note(notes_pools.runtime, asking(caller))
    with pytest.raises(Replayed) as replayed:
        await add_note(notes_pools.runtime, asking(caller))
    assert replayed.value.outcome == replace(first, replayed=True)
    assert await count(notes_pools, caller) == 1


async def test_a_repetition_that_is_refused_because_it_happened_gets_the_first_answer(notes_pools: Pools) -> None:
    caller = a_caller()
    first = await add_note(notes_pools.runtime, asking(caller), key="only-once")
    with pytest.raises(Replayed) as replayed:
        await add_note(notes_pools.runtime, asking(caller), key="only-once")
    assert replayed.value.outcome.id == first.id


async def test_the_key_of_another_request_is_refused(notes_pools: Pools) -> None:
    caller = a_caller()
    await add_note(notes_pools.runtime, asking(caller))
    with pytest.raises(Rejection) as refused:
        await add_note(notes_pools.runtime, asking(caller, "another"))
    assert (refused.value.kind, refused.value.code) == ("invalid", "idempotency-key-reused")


async def test_a_refusal_is_not_kept(notes_pools: Pools) -> None:
    caller = a_caller()
    await add_note(notes_pools.runtime, caller, key="k")
    with pytest.raises(Rejection):
        await add_note(notes_pools.runtime, asking(caller), key="k")
    await add_note(notes_pools.runtime, asking(caller), key="free")


async def test_a_key_belongs_to_its_caller_and_organisation(notes_pools: Pools) -> None:
    one = a_caller()
    await add_note(notes_pools.runtime, asking(one))
    await add_note(notes_pools.runtime, asking(replace(one, subject="bob"), "another"))
    await add_note(notes_pools.runtime, asking(a_caller(), "another"))


async def test_many_at_once_have_one_effect(notes_pools: Pools) -> None:
    caller = a_caller()

    async def try_once() -> Written | Rejection:
        try:
            return await add_note(notes_pools.runtime, asking(caller))
        except Replayed as replayed:
            return replayed.outcome
        except Rejection as rejection:
            return rejection

    outcomes = await asyncio.gather(*(try_once() for _ in range(12)))
    written = [outcome for outcome in outcomes if isinstance(outcome, Written)]
    assert len({outcome.id for outcome in written}) == 1
    assert all(outcome.kind == "conflict" for outcome in outcomes if isinstance(outcome, Rejection))
    assert await count(notes_pools, caller) == 1


async def test_a_request_still_under_way_is_a_conflict(notes_pools: Pools) -> None:
    caller = a_caller()
    async with notes_pools.runtime.begin(caller) as tx:
        await tx.connection.execute(
            "INSERT INTO idempotency_key (org, caller, path, key, fingerprint, answer, expires_at)"
            " VALUES ($1, $2, '/v1/notes', 'key-1', '', '{}', now() + interval '1 day')",
            caller.org,
            caller.subject,
        )
        with pytest.raises(Rejection) as refused:
            await add_note(notes_pools.runtime, asking(caller))
    assert refused.value.kind == "conflict"


async def test_after_a_day_the_key_is_free_again(notes_addresses: Addresses, notes_pools: Pools) -> None:
    caller = a_caller()
    await add_note(notes_pools.runtime, asking(caller))
    tomorrow = Database(notes_addresses.runtime, size=1, now=lambda: clock.now() + timedelta(hours=25))
    try:
        await add_note(tomorrow, asking(caller, "another"))
    finally:
        await tomorrow.close()
    assert await count(notes_pools, caller) == 2
