import asyncio
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import delete, func, select

from chassis import ids
from chassis.caller import Caller
from chassis.database import Database, Statement, Transaction, connect_arguments
from chassis.migrating import (
    as_sql,
    differences,
    migrate,
)
from chassis.migrating.rights import RENEW_POLICIES
from chassis.schema_version import SchemaTooOldError, newest_revision, schema_at_least
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.sample.tables import METADATA, thing

SAMPLE = "chassis.testkit.sample"
ACME = Caller(org="acme", subject="ada")
OTHER = Caller(org="other", subject="eve")
NOBODY = Caller(org="", subject="nobody")


async def add_thing(tx: Transaction, org: str) -> UUID:
    id_ = ids.new_id()
    await tx.connection.execute(
        "INSERT INTO thing (org, id, created_at, updated_at, name) VALUES ($1, $2, now(), now(), 'thing')",
        org,
        id_,
    )
    return id_


async def test_an_organisation_sees_its_own_rows_also_when_the_query_forgets_to_ask(pools: Pools) -> None:
    for caller in (ACME, OTHER):
        async with pools.runtime.begin(caller) as tx:
            await add_thing(tx, caller.org)
    for pool in (pools.runtime, pools.worker):
        async with pool.begin(ACME) as tx:
            assert [row["org"] for row in await tx.connection.fetch("SELECT org FROM thing")] == ["acme"]
            assert await tx.connection.execute("UPDATE thing SET name = 'changed'") == "UPDATE 1"
            assert await tx.connection.execute("DELETE FROM thing WHERE org = 'other'") == "DELETE 0"
        async with pool.begin(NOBODY) as tx:
            assert await tx.connection.fetch("SELECT org FROM thing") == []


async def test_nobody_writes_into_another_organisation(pools: Pools) -> None:
    for pool in (pools.runtime, pools.worker):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with pool.begin(ACME) as tx:
                await add_thing(tx, "other")


async def test_a_connection_given_back_belongs_to_nobody(pools: Pools) -> None:
    async with pools.runtime.begin(ACME) as tx:
        await add_thing(tx, "acme")
    connection = await asyncpg.connect(**connect_arguments(pools.runtime.address))
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL app.org = 'acme'")
            assert await connection.fetchval("SELECT count(*) FROM thing") == 1
        assert await connection.fetchval("SELECT current_setting('app.org', true)") == ""
        assert await connection.fetchval("SELECT count(*) FROM thing") == 0
    finally:
        await connection.close()


_NAMES = Statement(select(func.string_agg(thing.c.org, ",")))


async def test_a_read_carries_its_organisation_and_leaves_nothing_behind(pools: Pools, addresses: Addresses) -> None:
    for caller in (ACME, OTHER):
        async with pools.runtime.begin(caller) as tx:
            await add_thing(tx, caller.org)
    alone = Database(addresses.runtime, size=1)
    try:
        for caller, seen in 6 * [(ACME, "acme"), (OTHER, "other"), (NOBODY, None)]:  # until the plan is a general one
            async with alone.read(caller) as reading:
                assert await reading.value(_NAMES) == seen
                assert await reading.connection.fetchval("SELECT current_setting('app.org', true)") == ""
                assert await reading.connection.fetchval("SELECT count(*) FROM thing") == 0
                assert await reading.value(_NAMES) == seen
    finally:
        await alone.close()


async def test_a_read_cannot_write(pools: Pools) -> None:
    async with pools.runtime.begin(ACME) as tx:
        await add_thing(tx, "acme")
    with pytest.raises(asyncpg.PostgresSyntaxError):
        async with pools.runtime.read(ACME) as reading:
            await reading.all(Statement(delete(thing).returning(thing.c.id)))
    for clause in (select(thing.c.id).with_for_update(), select(thing.c.id).with_for_update(key_share=True, read=True)):
        with pytest.raises(RuntimeError, match="lock"):
            async with pools.runtime.read(ACME) as reading:
                await reading.all(Statement(clause))
    async with pools.runtime.read(ACME) as reading:
        assert await reading.value(_NAMES) == "acme"


async def test_policies_of_an_earlier_release_are_renewed(pools: Pools, addresses: Addresses) -> None:
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    asked = "SELECT qual FROM pg_policies WHERE tablename = 'thing' AND policyname = 'runtime_rows'"
    try:
        newest = await owner.fetchval(asked)
        former = "org = nullif(current_setting('app.org', true), '')"
        await owner.execute(f"ALTER POLICY runtime_rows ON thing USING ({former}) WITH CHECK ({former})")
        assert await owner.fetchval(asked) != newest
        async with pools.runtime.begin(ACME) as tx:
            await add_thing(tx, "acme")
        async with pools.runtime.read(ACME) as reading:  # the release before a migration and after it see the same
            assert await reading.value(_NAMES) == "acme"
        await owner.execute(RENEW_POLICIES)
        assert await owner.fetchval(asked) == newest
    finally:
        await owner.close()


async def test_a_connection_that_is_still_at_work_is_not_lent_again(addresses: Addresses) -> None:
    alone = Database(addresses.runtime, size=1)
    slow = Statement(select(func.pg_sleep(0.3)))
    try:
        with pytest.raises(asyncpg.InterfaceError):
            async with alone.read(ACME) as reading:
                await asyncio.gather(reading.one(slow), reading.one(slow))
        async with alone.read(ACME) as reading:
            assert await reading.value(Statement(select(func.count()).select_from(thing))) == 0
    finally:
        await alone.close()


async def test_a_worker_serves_one_organisation_after_the_other(pools: Pools) -> None:
    async with pools.worker.begin(NOBODY) as tx:
        for org in ("acme", "other"):
            await tx.act_for(org)
            await add_thing(tx, org)
            assert await tx.connection.fetchval("SELECT string_agg(org, ',') FROM thing") == org


@pytest.mark.parametrize("duty", ["owner", "runtime", "worker"])
async def test_no_role_has_more_rights_than_its_duty(addresses: Addresses, duty: str) -> None:
    connection = await asyncpg.connect(**connect_arguments(getattr(addresses, duty)))
    try:
        role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        rights = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
        assert not any(role[right] for right in rights)
        unguarded = await connection.fetch(
            """SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'org'
            WHERE relkind IN ('r', 'p') AND NOT relispartition AND NOT (relrowsecurity AND relforcerowsecurity)"""
        )
        assert unguarded == []
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_log SET org = 'acme'",
        "DELETE FROM event_log",
        "INSERT INTO event_log DEFAULT VALUES",
        "DELETE FROM event_pending",
        "UPDATE event_pending SET org = 'acme'",
        "UPDATE event_head SET epoch = 9",
        "UPDATE event_cursor SET position = 0",
        "DELETE FROM quarantine",
        "SELECT * FROM lease",
        "SELECT ensure_event_partitions()",
        "SELECT drop_event_partitions(1)",
        "SELECT raise_event_epoch()",
        "SELECT * FROM event_log_0000000000",
        "ALTER TABLE thing DISABLE ROW LEVEL SECURITY",
        "DROP POLICY runtime_rows ON thing",
        "CREATE TABLE mine (id int)",
        "TRUNCATE thing",
    ],
)
async def test_runtime_cannot(pools: Pools, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pools.runtime.begin(ACME) as tx:
            await tx.connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event_log SET org = 'acme'",
        "DELETE FROM event_log",
        "UPDATE event_head SET epoch = 9",
        "SELECT raise_event_epoch()",
        "SELECT answer FROM idempotency_key",
        "SELECT * FROM event_log_0000000000",
    ],
)
async def test_the_worker_cannot(pools: Pools, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pools.worker.begin(NOBODY) as tx:
            await tx.connection.execute(statement)


async def test_the_migrated_database_is_what_the_tables_say(addresses: Addresses) -> None:
    assert await differences(addresses.owner, [METADATA]) == []


async def test_migrating_down_leaves_nothing_and_up_again_works(addresses: Addresses) -> None:
    await migrate(addresses.owner, SAMPLE, to="base")
    connection = await asyncpg.connect(**connect_arguments(addresses.owner))
    try:
        tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r','p')"
        assert [row["relname"] for row in await connection.fetch(tables)] == ["alembic_version"]
    finally:
        await connection.close()
    await migrate(addresses.owner, SAMPLE)
    assert await differences(addresses.owner, [METADATA]) == []


async def test_a_schema_must_be_as_new_as_the_release_and_may_be_newer(addresses: Addresses, pools: Pools) -> None:
    newest = newest_revision(SAMPLE)
    for pool in (pools.runtime, pools.worker):
        async with pool.begin(NOBODY) as tx:
            await schema_at_least(tx.connection, newest)
            await schema_at_least(tx.connection, "20251231_09")
            with pytest.raises(SchemaTooOldError):
                await schema_at_least(tx.connection, "20990101_01")
    await migrate(addresses.owner, SAMPLE, to="base")
    with pytest.raises(SchemaTooOldError):
        async with pools.runtime.begin(NOBODY) as tx:
            await schema_at_least(tx.connection, newest)


def test_the_revisions_can_be_written_out_for_a_linter() -> None:
    script = as_sql(SAMPLE)
    assert 'TO "sample_runtime"' in script
    assert "CREATE TABLE thing" in script
