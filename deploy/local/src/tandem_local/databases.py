"""The services' databases and their three roles each: who may do what before any migration has run.

The owner migrates, the runtime role answers requests, the worker role runs the loops. Rights on tables come
from the migrations, which derive the role names from `current_database()`: `<database>_owner`, `_runtime` and
`_worker`.
"""

import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tandem_local.postgres import PostgresServer, write_secret

DATABASE_OF_SERVICE = {
    "service-catalog": "service_catalog",
    "project-tracker": "project_tracker",
    "kpi-engine": "kpi_engine",
}
NAME = re.compile(r"[a-z][a-z0-9_]{0,50}")

# statement_timeout, lock_timeout, idle_in_transaction_session_timeout of each role
TIMEOUTS = {
    "owner": ("0", "2s", "5min"),
    "runtime": ("30s", "2s", "30s"),
    "worker": ("2min", "5s", "1min"),
}


@dataclass(frozen=True)
class Database:
    """A database and the passwords of its roles."""

    name: str
    owner_password: str
    runtime_password: str
    worker_password: str

    def role(self, duty: str) -> str:
        """Return the role's name for `owner`, `runtime` or `worker`."""
        return f"{self.name}_{duty}"

    def password(self, duty: str) -> str:
        """Return the role's password for `owner`, `runtime` or `worker`."""
        return str(asdict(self)[f"{duty}_password"])


def create_databases(
    server: PostgresServer, names: Iterable[str] = tuple(DATABASE_OF_SERVICE.values())
) -> dict[str, Database]:
    """Create what is missing of the databases and their roles; to be repeated at will.

    The passwords are made once and kept in `databases.json` in the server's folder.
    """
    databases = known_databases(server, names)
    server.execute("\n".join([PREAMBLE, *(_script(database) for database in databases.values())]))
    return databases


def known_databases(
    server: PostgresServer, names: Iterable[str] = tuple(DATABASE_OF_SERVICE.values())
) -> dict[str, Database]:
    """Return the databases with their passwords, which are made if they are missing; the server need not run."""
    wanted = list(names)
    _refuse_other_names(wanted)
    path = server.home / "databases.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [name for name in wanted if name not in kept]
    for name in missing:
        kept[name] = {f"{duty}_password": secrets.token_urlsafe(24) for duty in TIMEOUTS}
    if missing:
        write_secret(path, json.dumps(kept, indent=2))
    return {name: Database(name, **kept[name]) for name in wanted}


def drop_database(server: PostgresServer, name: str) -> None:
    """Drop a database with its roles, ending the sessions in it."""
    _refuse_other_names([name])
    roles = ", ".join(f"{name}_{duty}" for duty in TIMEOUTS)
    server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\nDROP ROLE IF EXISTS {roles};")


def _refuse_other_names(names: list[str]) -> None:
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"Not the name of a database: {', '.join(wrong)}.")


PREAMBLE = """\
SET log_min_error_statement = panic;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
"""


def _script(database: Database) -> str:
    """Return the statements for psql: a database cannot be created in a transaction or a function."""
    name = database.name
    owner, runtime, worker = (database.role(duty) for duty in ("owner", "runtime", "worker"))
    return "\n".join(
        [
            r"\connect postgres",
            "SET log_min_error_statement = panic;",
            "SET client_min_messages = warning;",
            *(_role(database, duty) for duty in TIMEOUTS),
            _unless_found(f"CREATE DATABASE {name} OWNER {owner}", "pg_database", f"datname = '{name}'"),
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;",
            f"GRANT CONNECT ON DATABASE {name} TO {runtime}, {worker};",
            rf"\connect {name}",
            f"ALTER SCHEMA public OWNER TO {owner};",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
            f"GRANT USAGE ON SCHEMA public TO {runtime}, {worker};",
        ]
    )


def _role(database: Database, duty: str) -> str:
    role = database.role(duty)
    statement, lock, idle = TIMEOUTS[duty]
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    return "\n".join(
        [
            _unless_found(f"CREATE ROLE {role}", "pg_roles", f"rolname = '{role}'"),
            f"ALTER ROLE {role} WITH {rights} PASSWORD '{database.password(duty)}';",
            f"ALTER ROLE {role} SET statement_timeout = '{statement}';",
            f"ALTER ROLE {role} SET lock_timeout = '{lock}';",
            f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '{idle}';",
        ]
    )


def _unless_found(statement: str, catalogue: str, condition: str) -> str:
    """Return a statement that psql runs only if the catalogue has no such row; names are checked before."""
    return f"SELECT '{statement}' WHERE NOT EXISTS (SELECT FROM {catalogue} WHERE {condition}) \\gexec"  # noqa: S608
