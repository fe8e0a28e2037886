"""What a migration may do to a table that is in use: nothing that keeps its writers waiting while it is read whole."""

import re
from collections.abc import Iterator

import pytest

from chassis.migrating import as_sql

PACKAGES = ["service_catalog", "project_tracker", "kpi_engine"]
REVISION = re.compile(r"^-- Running upgrade .*-> (\S+)$", re.MULTILINE)
CREATED = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
BLOCKING = {
    "an index is created CONCURRENTLY": re.compile(r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\w+\s+ON (\w+)"),
    "a constraint is added NOT VALID and validated later": re.compile(
        r"ALTER TABLE (?:ONLY )?(\w+)\s+ADD (?:CONSTRAINT \w+\s+)?(?:CHECK|FOREIGN KEY|UNIQUE|PRIMARY KEY|EXCLUDE)"
        r"(?![^;]*(?:NOT VALID|USING INDEX))"
    ),
    "a column keeps its type": re.compile(r"ALTER TABLE (\w+)\s+ALTER (?:COLUMN )?\w+\s+(?:SET DATA )?TYPE"),
    "a column becomes NOT NULL by a constraint that was validated": re.compile(
        r"ALTER TABLE (\w+)\s+ALTER (?:COLUMN )?\w+\s+SET NOT NULL"
    ),
}


def standing_in_the_way(script: str) -> Iterator[str]:
    """Yield what each revision does to tables that it has not created itself."""
    _, *parts = REVISION.split(script)
    for revision, statements in zip(parts[::2], parts[1::2], strict=True):
        own = set(CREATED.findall(statements))
        for rule, pattern in BLOCKING.items():
            yield from (f"{revision}: {table}: {rule}" for table in pattern.findall(statements) if table not in own)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_migration_keeps_writers_waiting(package: str) -> None:
    assert list(standing_in_the_way(as_sql(package))) == []


def test_the_rule_sees_what_would() -> None:
    script = """
-- Running upgrade  -> 1
CREATE TABLE task (id int);
CREATE INDEX task_id ON task (id);
-- Running upgrade 1 -> 2
CREATE INDEX CONCURRENTLY task_org ON task (org);
CREATE UNIQUE INDEX task_key ON task (key);
ALTER TABLE task ADD CONSTRAINT task_positive CHECK (id > 0);
ALTER TABLE task ADD CONSTRAINT task_small CHECK (id < 9) NOT VALID;
ALTER TABLE task ALTER COLUMN id TYPE bigint;
ALTER TABLE task ALTER COLUMN id SET NOT NULL;
"""
    assert len(list(standing_in_the_way(script))) == len(BLOCKING) == 4
