import json

import asyncpg

from chassis import ids
from chassis.database import connect_arguments
from chassis.history import HISTORY_METADATA
from chassis.migrating import differences, migrate
from chassis.testkit.databases import Addresses, Templates
from service_catalog.metadata import METADATA
from service_catalog.wiring import PACKAGE

OURS = [HISTORY_METADATA, METADATA]
_SERVICE = """INSERT INTO service (org, id, created_at, updated_at, key, name, type, criticality, owner, state,
    boundaries)
    VALUES ('acme', $1, now(), now(), 'shop', 'Shop', 'business', 'tier1', 'ada', 'supporting', '[]')"""
_INCIDENT = """INSERT INTO incident (org, id, service_id, parent_id, created_at, updated_at, occurred_at, state_since,
    title, state, impact, urgency, priority, major, reported_by, reopened_count, resolved_before_reopening_seconds)
    VALUES ('acme', $1, $2, $3, now(), now(), now(), now(), 'Down', 'new', 'low', 'low', 'P5', false, 'ada', 0, 0)"""
_STEP = """INSERT INTO history_entry (org, collection, resource_id, at, recorded_at, to_state, actor, details)
    VALUES ('acme', 'incident-parents', $1, now(), now(), $2, 'ada', $3)"""
_CHILDREN = """SELECT resource_id, to_state, details ->> 'child_id' FROM history_entry
    WHERE collection = 'incident-children'"""


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


async def test_parents_of_before_are_told_of_their_children(templates: Templates) -> None:
    empty = templates.empty("service_catalog_children")
    await migrate(empty.owner, PACKAGE, to="20261128_03")
    owner = await asyncpg.connect(**connect_arguments(empty.owner))
    try:
        parents, children = [ids.new_id() for _ in range(2)], [ids.new_id() for _ in range(3)]
        await owner.execute(_SERVICE, service := ids.new_id())
        for id_, parent in (*((one, None) for one in parents), *zip(children, [parents[0], None, None], strict=True)):
            await owner.execute(_INCIDENT, id_, service, parent)
        for child, to, details in (
            (children[1], "linked", {"parent_id": str(parents[0])}),
            (children[1], "linked", {"parent_id": str(parents[1]), "before": str(parents[0])}),
            (children[1], "unlinked", {"parent_id": str(parents[1])}),
            (children[2], "unlinked", {"parent_id": str(parents[1])}),
        ):
            await owner.execute(_STEP, child, to, json.dumps(details))
        await migrate(empty.owner, PACKAGE)
        told = await owner.fetch(_CHILDREN)
    finally:
        await owner.close()
    assert sorted(map(tuple, told)) == sorted(
        [
            (parents[0], "linked", str(children[0])),
            (parents[0], "linked", str(children[1])),
            (parents[0], "unlinked", str(children[1])),
            (parents[1], "linked", str(children[1])),
            (parents[1], "unlinked", str(children[1])),
            (parents[1], "linked", str(children[2])),
            (parents[1], "unlinked", str(children[2])),
        ]
    )
