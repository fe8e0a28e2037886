"""What import-linter cannot see: slices keep out of one another's tables, modules keep their size and purpose."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {
    path.name: path for path in REPOSITORY.glob("services/*/src/*") if path.is_dir() and (path / "__init__.py").exists()
}
SOURCES = sorted(
    path
    for folder in ("libs", "services", "gateway", "deploy", "tests")
    for path in (REPOSITORY / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
LINES_MAX = 400
TEST_LINES_MAX = 600
NOTHING_SAID = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "processor", "misc"})
AT_THE_ROOT = frozenset({"wiring", "migrations"})


def imports(source: str) -> Iterator[str]:
    """Yield the modules that a module imports, by their full names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def foreign_tables(package: str, slice_name: str, source: str) -> set[str]:
    """Return the table modules of other slices that a module of a slice imports."""
    found = set()
    for name in imports(source):
        parts = name.split(".")
        if parts[0] == package and parts[-1] == "tables" and parts[1] not in {slice_name, "tables"}:
            found.add(name)
    return found


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_slices_meet_through_operations_never_through_tables(package: str) -> None:
    root = PACKAGES[package]
    found = {
        f"{path.relative_to(root)} imports {name}"
        for path in root.rglob("*.py")
        if len(path.relative_to(root).parts) > 1 and path.relative_to(root).parts[0] not in AT_THE_ROOT
        for name in foreign_tables(package, path.relative_to(root).parts[0], path.read_text())
    }
    assert found == set()


def test_the_rule_sees_a_foreign_table() -> None:
    source = (
        "from service_catalog.outages.tables import OUTAGES\nfrom service_catalog.incidents.tables import INCIDENTS"
    )
    assert foreign_tables("service_catalog", "incidents", source) == {"service_catalog.outages.tables"}
    assert foreign_tables("service_catalog", "incidents", "import service_catalog.outages.tables") == {
        "service_catalog.outages.tables"
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_module_fits_its_size_and_has_a_name_that_says_something(path: Path) -> None:
    is_test = "tests" in path.relative_to(REPOSITORY).parts
    lines = len(path.read_text().splitlines())
    assert lines <= (TEST_LINES_MAX if is_test else LINES_MAX)
    assert path.stem not in NOTHING_SAID


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_constant_is_raised_as_it_is(path: Path) -> None:
    raised = [node.exc for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Raise)]
    names = [ast.unparse(one).rpartition(".")[2] for one in raised if isinstance(one, ast.Name | ast.Attribute)]
    assert [name for name in names if name.isupper()] == [], "it would keep the trace of each time: raise it anew()"
