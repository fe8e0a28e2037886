"""What a database's first script makes in a cluster is what deploy/local makes: roles, limits, rights to enter."""

import json
from typing import Any

from manifests.objects import Object, called

from tandem_local.databases import create_databases, drop_database
from tandem_local.postgres import PostgresServer

HERE, THERE = "roles_here", "roles_there"
STATE = """\\connect {name}
SELECT json_build_object(
    'roles', (SELECT json_agg(json_build_array(
            replace(rolname, current_database(), ''), rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,
            rolreplication, rolconfig
        ) ORDER BY rolname) FROM pg_roles WHERE rolname LIKE current_database() || '_%'),
    'database', (SELECT json_agg(replace(entry::text, current_database(), '') ORDER BY entry::text)
        FROM pg_database, unnest(datacl) AS entry WHERE datname = current_database()),
    'schema', (SELECT json_build_array(replace(nspowner::regrole::text, current_database(), ''),
            (SELECT json_agg(split_part(replace(entry::text, current_database(), ''), '/', 1) ORDER BY entry::text)
             FROM unnest(nspacl) AS entry))
        FROM pg_namespace WHERE nspname = 'public')
);
"""


def state(server: PostgresServer, name: str) -> Any:
    return json.loads(server.execute(STATE.format(name=name)).strip().splitlines()[-1])


def test_roles_are_those_of_the_local_platform(postgres_server: PostgresServer, objects: list[Object]) -> None:
    script = called(objects, "ConfigMap", "database-roles")
    assert script is not None
    create_databases(postgres_server, [HERE])
    try:
        # What CloudNativePG has done when it runs the script.
        postgres_server.execute(f"CREATE ROLE {THERE}_owner LOGIN;\nCREATE DATABASE {THERE} OWNER {THERE}_owner;")
        postgres_server.execute(f"\\connect {THERE}\n{script['data']['roles.sql']}")

        there, here = state(postgres_server, THERE), state(postgres_server, HERE)
        there["database"].remove("pg_monitor=c/_owner")  # the operator's exporter, which a local server has not
        assert there == here
        assert len(there["roles"]) == 3
    finally:
        drop_database(postgres_server, HERE)
        drop_database(postgres_server, THERE)
