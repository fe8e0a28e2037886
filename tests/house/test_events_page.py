"""docs/events.md lists what the services tell: each resource with its verbs, and what is told beside them."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.resource import Resource
from service_catalog.lifecycles import LIFECYCLES

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "events.md").read_text(encoding="utf-8")
SERVICES = ["service-catalog", "project-tracker", "kpi-engine"]
FIRST = {"work_note": "added"}
VERBS = {"update": "updated", "put": "updated", "batch": "updated", "delete": "deleted"}
ROW = re.compile(r"^\| `tandem\.(\w+)\.…\.v1` \| `([\w-]+)/…` \| (.+) \|$", re.MULTILINE)
NOTICE = re.compile(r'Notice\(\s*noun="(\w+)"')


def listed(service: str) -> list[tuple[str, str, str]]:
    """Return noun, collection and verbs of each row of a service's section."""
    return ROW.findall(PAGE.partition(f"\n## {service}\n")[2].partition("\n## ")[0])


def modules_of(service: str) -> Iterator[Any]:
    name = service.replace("-", "_")
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
        if ".migrations" not in module.name:
            yield importlib.import_module(module.name)


def resources_of(service: str) -> dict[str, str]:
    """Return the collection of each noun, as its first declaration has it: those made of it are other views."""
    found: dict[str, str] = {}
    for module in modules_of(service):
        for value in vars(module).values():
            if isinstance(value, Resource):
                found.setdefault(value.noun, value.collection)
    return found


def verbs_of(service: str, noun: str, collection: str) -> str:
    """Return the verbs as the page writes them: those of the operations on the resource, and of its lifecycle."""
    document = json.loads((REPOSITORY / "docs" / "openapi" / f"{service}.json").read_text(encoding="utf-8"))
    own = re.compile(rf"/{collection}(:batch|/by-key/{{key}}|/{{\w+}})?$")
    found = {
        VERBS.get(operation["operationId"].partition("_")[0])
        for path, operations in document["paths"].items()
        if own.search(path)
        for operation in operations.values()
        if isinstance(operation, dict)
    }
    verbs = [FIRST.get(noun, "created"), *(verb for verb in ("updated", "deleted") if verb in found)]
    told = ", ".join(f"`{verb}`" for verb in verbs)
    return f"{told}; [lifecycle](lifecycles.md)" if noun.replace("_", " ").capitalize() in LIFECYCLES else told


@pytest.mark.parametrize("service", SERVICES)
def test_each_resource_is_listed_with_its_verbs(service: str) -> None:
    resources = resources_of(service)
    expected = {(noun, kept, verbs_of(service, noun, kept)) for noun, kept in resources.items()}
    assert {row for row in listed(service) if row[0] in resources} == expected


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_else_is_listed_but_what_is_told_beside(service: str) -> None:
    sources = (REPOSITORY / "services" / service / "src").rglob("*.py")
    notices = {noun for path in sources for noun in NOTICE.findall(path.read_text(encoding="utf-8"))}
    assert [noun for noun, *_ in listed(service) if noun not in resources_of(service)] == sorted(notices)
