from chassis.history import HISTORY_METADATA
from chassis.migrating import differences, migrate
from chassis.testkit.databases import Addresses, Templates
from service_catalog.metadata import METADATA
from service_catalog.wiring import PACKAGE

OURS = [HISTORY_METADATA, METADATA]


async def test_the_migrated_database_is_what_the_tables_declare(addresses: Addresses) -> None:
    assert await differences(addresses.owner, OURS) == []


async def test_every_revision_can_be_undone(templates: Templates) -> None:
    empty = templates.empty("service_catalog_undone")
    await migrate(empty.owner, PACKAGE)
    await migrate(empty.owner, PACKAGE, to="base")
    await migrate(empty.owner, PACKAGE)
    assert await differences(empty.owner, OURS) == []


async def test_every_table_of_tenants_is_under_row_level_security(addresses: Addresses) -> None:
    names = [name for metadata in OURS for name in metadata.tables]
    async with addresses.pools() as pools:
        connection = await pools.runtime.connect()
        try:
            open_tables = await connection.fetch(
                "SELECT relname FROM pg_class WHERE relname = ANY ($1)"
                " AND NOT (relrowsecurity AND relforcerowsecurity)",
                names,
            )
        finally:
            await connection.close()
    assert open_tables == []
