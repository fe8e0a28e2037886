import asyncio

import pytest

from chassis.caller import Caller
from chassis.events.leases import Lease, LeaseLostError, Leases
from chassis.testkit.databases import Pools
from chassis.testkit.eventing import running

WORKER = Caller(org="", subject="test")


async def test_a_lease_is_one_holder_s_until_it_is_given_back(pools: Pools) -> None:
    one, other = Leases(pools.worker), Leases(pools.worker)
    held = await one.take("work")
    assert held is not None
    assert await other.take("work") is None
    assert await one.take("work") is None
    assert await one.renew(held)
    await one.give_back(held)
    assert await other.take("work") is not None
    assert not await one.renew(held)


async def test_the_token_fences_a_former_holder_off(pools: Pools) -> None:
    one, other = Leases(pools.worker, seconds=0.01), Leases(pools.worker)
    former = await one.take("work")
    assert former is not None
    await asyncio.sleep(0.02)
    present = await other.take("work")
    assert present is not None
    assert present.token > former.token
    async with pools.worker.begin(WORKER) as tx:
        await present.fence(tx)
        with pytest.raises(LeaseLostError):
            await former.fence(tx)


async def test_one_process_works_and_the_next_takes_over(pools: Pools) -> None:
    at_work: list[str] = []
    most_at_once = 0

    def worker(name: str) -> Leases:
        return Leases(pools.worker, holder=name, seconds=0.3)

    async def work(lease: Lease) -> None:
        nonlocal most_at_once
        at_work.append(lease.holder)
        most_at_once = max(most_at_once, len(at_work))
        try:
            await asyncio.Event().wait()
        finally:
            at_work.remove(lease.holder)

    async def works(holder: str) -> None:
        async with asyncio.timeout(5):
            while at_work != [holder]:  # noqa: ASYNC110  (the loop under test has no event to wait for)
                await asyncio.sleep(0.01)

    async with running(lambda stop: worker("one").run("work", work, stop)) as stop_one:
        await works("one")
        async with running(lambda stop: worker("two").run("work", work, stop)):
            await asyncio.sleep(0.7)
            assert at_work == ["one"]
            stop_one.set()
            await works("two")
    assert most_at_once == 1


async def test_work_that_fails_is_not_hidden(pools: Pools) -> None:
    async def work(_lease: Lease) -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await Leases(pools.worker).run("work", work, asyncio.Event())
