"""What import-linter cannot see: slices keep out of one another's tables, modules keep their size and purpose."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
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
MODULES = {
    ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): path
    for source in (path for path in REPOSITORY.glob("*/**/src") if "node_modules" not in path.parts)
    for path in source.rglob("*.py")
}
LINES_MAX = 400
TEST_LINES_MAX = 600
NOTHING_SAID = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "processor", "misc"})
AT_THE_ROOT = frozenset({"wiring", "migrations"})


def imports(source: str, *, at_once: bool = False) -> Iterator[str]:
    """Yield the modules that a module imports, by their full names; `at_once` are those it needs to be loaded."""
    module = ast.parse(source)
    for node in module.body if at_once else ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def needed(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return which of these modules each of them has loaded before it, the packages they lie in among them."""
    found: dict[str, set[str]] = {}
    for name, source in sources.items():
        own = set(_and_packages(name))
        found[name] = {one for wanted in imports(source, at_once=True) for one in _and_packages(wanted)} - own
    return {name: wanted & sources.keys() for name, wanted in found.items()}


def _and_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:count]) for count in range(len(parts), 0, -1))


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


def test_any_module_can_be_loaded_first() -> None:
    order = TopologicalSorter(needed({name: path.read_text() for name, path in MODULES.items()}))
    assert len(list(order.static_order())) > 300


def test_the_rule_sees_a_circle_through_a_package() -> None:
    sources = {
        "a": "",
        "a.patches": "from a.http.faults import told",
        "a.schemas": "from a import patches",
        "a.http": "from a.http.queries import read",
        "a.http.queries": "import a.schemas",
        "a.http.faults": "",
    }
    with pytest.raises(CycleError):
        TopologicalSorter(needed(sources)).prepare()
