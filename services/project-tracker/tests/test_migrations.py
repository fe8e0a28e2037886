import asyncio

import asyncpg

from chassis.database import connect_arguments
from chassis.migrating import differences, migrate
from chassis.testkit.databases import Addresses, Templates
from project_tracker.metadata import METADATA
from project_tracker.wiring import PACKAGE


async def test_the_migrated_database_is_what_the_tables_declare(addresses: Addresses) -> None:
    assert await differences(addresses.owner, [METADATA]) == []


async def test_every_revision_can_be_undone(templates: Templates) -> None:
    empty = templates.empty("project_tracker_undone")
    await migrate(empty.owner, PACKAGE)
    await migrate(empty.owner, PACKAGE, to="base")
    await migrate(empty.owner, PACKAGE)
    assert await differences(empty.owner, [METADATA]) == []


async def test_every_table_of_tenants_is_under_row_level_security(addresses: Addresses) -> None:
    async with addresses.pools() as pools:
        connection = await pools.runtime.connect()
        try:
            open_tables = await connection.fetch(
                "SELECT relname FROM pg_class WHERE relname = ANY ($1)"
                " AND NOT (relrowsecurity AND relforcerowsecurity)",
                list(METADATA.tables),
            )
        finally:
            await connection.close()
    assert open_tables == []


async def test_policies_of_an_earlier_release_are_renewed_table_by_table(templates: Templates) -> None:
    former = "org = nullif(current_setting('app.org', true), '')"
    qualifiers = "SELECT tablename, policyname, qual, with_check FROM pg_policies ORDER BY tablename, policyname"
    database = templates.empty("project_tracker_renewed")
    await migrate(database.owner, PACKAGE, to="20261125_20")
    owner = await asyncpg.connect(**connect_arguments(database.owner))
    try:
        renewed = await owner.fetch(qualifiers)
        ours = [row for row in renewed if "current_setting" in row["qual"]]
        for row in ours:
            await owner.execute(
                f"ALTER POLICY {row['policyname']} ON {row['tablename']} USING ({former}) WITH CHECK ({former})"
            )
        await owner.execute("UPDATE alembic_version SET version_num = '20260301_05'")
        async with owner.transaction():  # what goes on holds the last table and then wants the first
            await owner.execute(f"LOCK TABLE {ours[-1]['tablename']} IN ROW EXCLUSIVE MODE")
            upgrade = asyncio.create_task(migrate(database.owner, PACKAGE, to="20261125_20"))
            await asyncio.sleep(0.5)
            await owner.execute(f"LOCK TABLE {ours[0]['tablename']} IN ROW EXCLUSIVE MODE")
        await asyncio.wait_for(upgrade, 60)
        assert len({row["tablename"] for row in ours}) > 1
        assert await owner.fetch(qualifiers) == renewed
    finally:
        await owner.close()
