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
