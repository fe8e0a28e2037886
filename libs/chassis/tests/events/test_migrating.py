import asyncio

import asyncpg
import pytest

from chassis.database import connect_arguments
from chassis.migrating import checked_revisions, differences, migrate
from chassis.migrating.running import LOCK_TIMEOUT_MS
from chassis.schema_version import newest_revision
from chassis.testkit.databases import Addresses, Templates
from chassis.testkit.sample.tables import METADATA

SAMPLE = "chassis.testkit.sample"


async def test_many_migrators_at_once_migrate_once_and_say_that_they_wait(
    templates: Templates, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = templates.empty("migrators")
    await asyncio.gather(*(migrate(addresses.owner, SAMPLE) for _ in range(4)))
    assert await differences(addresses.owner, [METADATA]) == []
    assert [record.message for record in caplog.records] == ["migration waits for another one"] * 3


async def test_a_migration_gives_way_to_a_reader_and_comes_again(addresses: Addresses) -> None:
    reader = await asyncpg.connect(**connect_arguments(addresses.runtime))
    try:
        await reader.execute("BEGIN; SET LOCAL app.org = 'acme'")
        await reader.execute("SELECT FROM thing")
        migrating = asyncio.ensure_future(migrate(addresses.owner, SAMPLE, to="base"))
        await asyncio.sleep(LOCK_TIMEOUT_MS / 1000 + 0.3)
        assert not migrating.done()
        await reader.execute("COMMIT")
        await migrating
    finally:
        await reader.close()
    await migrate(addresses.owner, SAMPLE)
    assert await differences(addresses.owner, [METADATA]) == []


async def test_a_former_release_leaves_a_later_schema_as_it_is(templates: Templates) -> None:
    addresses = templates.empty("later")
    await migrate(addresses.owner, SAMPLE)
    owner = await asyncpg.connect(**connect_arguments(addresses.owner))
    try:
        await owner.execute("UPDATE alembic_version SET version_num = '29991231_01'")
        await migrate(addresses.owner, SAMPLE)
        assert await owner.fetchval("SELECT version_num FROM alembic_version") == "29991231_01"
    finally:
        await owner.close()


async def test_only_an_owner_migrates(templates: Templates) -> None:
    addresses = templates.empty("not_owned")
    with pytest.raises(Exception, match="permission denied"):
        await migrate(addresses.runtime, SAMPLE)


def test_revisions_are_one_ascending_line() -> None:
    assert newest_revision(SAMPLE) == checked_revisions(SAMPLE)[0] >= "20260101_03"
