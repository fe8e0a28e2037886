import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from chassis import clock
from chassis.caller import IdempotencyKey
from chassis.events.leases import Leases
from chassis.housekeeping import Housekeeping
from chassis.schema_version import SchemaTooOldError
from chassis.settings import ServiceSettings
from chassis.standing import Standing, TooManyRightsError
from chassis.testkit.databases import Addresses, Pools, Templates
from chassis.testkit.sample.notes import a_caller, add_note
from chassis.working import run_loops, shared_loops
from tandem_local.postgres import PostgresServer

PACKAGE = "chassis.testkit.sample"


class CloneSettings(ServiceSettings):
    """Settings of a cloned database, whose roles are those of its template."""

    addresses: Addresses

    def address(self, role: str) -> Any:
        return getattr(self.addresses, role)


def standing_on(addresses: Addresses) -> Standing:
    given: dict[str, Any] = {
        "service_name": "sample",
        "database_host": "given",
        "database_name": "given",
        "jwks_url": "file:///none",
        "issuer": "none",
        "cursor_secret": "none",
    }
    return Standing(CloneSettings(addresses=addresses, **given), PACKAGE)


async def test_a_service_starts_on_a_database_that_is_fit(notes_addresses: Addresses) -> None:
    standing = standing_on(notes_addresses)
    await standing.check_start()
    async with standing.lifespan(FastAPI()):
        await standing.watcher.listening.wait()
        for check in standing.ready_checks.values():
            await check()


async def test_each_purpose_has_a_key_of_its_own(notes_addresses: Addresses) -> None:
    standing, copy = standing_on(notes_addresses), standing_on(notes_addresses)
    assert standing.key_for("answers") == copy.key_for("answers") != standing.key_for("other")
    for one in (standing, copy):
        await one.close()


async def test_it_refuses_a_schema_that_is_too_old(templates: Templates) -> None:
    standing = standing_on(templates.empty("sample_without_tables"))
    with pytest.raises(SchemaTooOldError):
        await standing.check_start()
    await standing.close()


async def test_it_refuses_a_role_with_more_rights_than_it_needs(notes_addresses: Addresses) -> None:
    standing = standing_on(replace(notes_addresses, worker=notes_addresses.owner))
    with pytest.raises(TooManyRightsError, match="owner"):
        await standing.check_start()
    await standing.close()


async def test_it_refuses_a_role_that_may_become_another_with_more_rights(
    notes_addresses: Addresses, postgres_server: PostgresServer
) -> None:
    standing = standing_on(notes_addresses)
    member, owner = notes_addresses.runtime.role, notes_addresses.owner.role
    postgres_server.execute(f"GRANT {owner} TO {member} WITH INHERIT FALSE")
    try:
        with pytest.raises(TooManyRightsError, match="runtime"):
            await standing.check_start()
    finally:
        postgres_server.execute(f"REVOKE {owner} FROM {member}")
    await standing.check_start()
    await standing.close()


async def test_the_shared_loops_give_events_their_positions_and_stop_when_told(
    new_database: Callable[[str], Addresses],
) -> None:
    addresses = new_database(PACKAGE)
    standing, stop = standing_on(addresses), asyncio.Event()
    working = asyncio.ensure_future(run_loops(shared_loops(standing), stop))
    caller = a_caller()
    await add_note(standing.runtime, caller)
    async with asyncio.timeout(20):
        while not (await standing.feed.page(caller)).events:  # noqa: ASYNC110  (what is waited for is in a database)
            await asyncio.sleep(0.02)
        stop.set()
        await working
    await standing.close()


async def test_a_loop_that_fails_ends_the_others() -> None:
    ended = asyncio.Event()

    async def waits(stop: asyncio.Event) -> None:
        try:
            await stop.wait()
        finally:
            ended.set()

    async def fails(_: asyncio.Event) -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        await run_loops({"waits": waits, "fails": fails}, asyncio.Event())
    assert ended.is_set()


async def test_expired_keys_of_all_organisations_are_cleared_away(notes_pools: Pools) -> None:
    for name in ("one", "two"):
        await add_note(notes_pools.runtime, a_caller().idempotent(IdempotencyKey(name, "/v1/notes", b"")))
    assert await Housekeeping(notes_pools.worker).turn() == 0
    tomorrow = Housekeeping(notes_pools.worker, now=lambda: clock.now() + timedelta(hours=25))
    stop = asyncio.Event()
    running = asyncio.ensure_future(tomorrow.run(Leases(notes_pools.worker, seconds=1), stop))
    connection = await notes_pools.worker.connect()
    async with asyncio.timeout(20):
        while await connection.fetchval("SELECT count(expires_at) FROM idempotency_key"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        stop.set()
        await running
    await connection.close()


async def test_nobody_is_kept_waiting_when_the_server_is_about_to_stop(notes_addresses: Addresses) -> None:
    standing = standing_on(notes_addresses)
    async with standing.lifespan(FastAPI()):
        head = (await standing.feed.page(a_caller())).next
        waiting = asyncio.ensure_future(standing.feed.page(a_caller(), after=head, wait_seconds=20))
        standing.drain.begin()
        page = await asyncio.wait_for(waiting, 5)
    assert not page.events
