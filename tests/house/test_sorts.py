"""What a list can be sorted by has an index, so that a page of a long list is found and not sorted for."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import Table, UniqueConstraint

from chassis.resource import Resource

REPOSITORY = Path(__file__).parents[2]
TABLES = sorted(REPOSITORY.glob("services/*/src/**/tables.py"))


def resources(path: Path) -> list[Resource]:
    """Return the resources whose tables a module declares."""
    parts = path.with_suffix("").parts
    module = import_module(".".join(parts[parts.index("src") + 1 :]))
    return [one for one in vars(module).values() if isinstance(one, Resource)]


def found_by(table: Table) -> Iterator[list[str]]:
    """Yield the columns of each index of all rows, those of unique constraints among them."""
    for index in table.indexes:
        if index.dialect_options["postgresql"]["where"] is None:
            yield [column.name for column in index.columns]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [column.name for column in constraint.columns]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_is_sorted_by_has_an_index(path: Path) -> None:
    missing = []
    for one in resources(path):
        key = ["org"] if one.under is None else ["org", one.under[1]]
        indexes = list(found_by(one.table))
        for column in (name.removeprefix("-") for name in one.sorts):
            wanted = [*key, column]
            if not any(columns[: len(wanted)] == wanted for columns in indexes):
                missing.append(f"{one.collection}: an index that begins with {', '.join(wanted)}")
    assert missing == []


@pytest.mark.parametrize("service", ["service-catalog", "project-tracker", "kpi-engine"])
def test_every_list_tells_what_it_can_be_sorted_by(service: str) -> None:
    document = json.loads((REPOSITORY / "docs" / "openapi" / f"{service}.json").read_text(encoding="utf-8"))
    told = {
        path: parameter["schema"].get("enum")
        for path, ways in document["paths"].items()
        for parameter in ways.get("get", {}).get("parameters", ())
        if parameter["name"] == "sort"
    }
    assert told
    assert [path for path, names in told.items() if not names] == []
