"""Several OpenAPI documents made one: pure functions on their JSON.

Paths get their service's prefix. Components keep their names, except where two services mean different things by
one name: then each gets its service's name in front. Operation ids and tags likewise, since a client generator needs
the first to be unique and a reader the second.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, TypeVar

Document = dict[str, Any]
Name = TypeVar("Name")
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of /oauth/token, or of `make token` on one's own machine.",
}
REFERENCE = "#/components/"


def merged(parts: Mapping[str, Document], own: Document, *, server: str, missing: Iterable[str] = ()) -> Document:
    """Return one document of the services' (by name) and the portal's own; `missing` names those left out."""
    everyone = {"": own, **parts}
    clashes = _clashing_components(everyone)
    operations = _more_than_once(_operation_ids(document) for document in everyone.values())
    tags = _more_than_once(_tags(document) for document in everyone.values())
    result: Document = {
        "openapi": "3.1.0",
        "info": own["info"],
        "servers": [{"url": server}],
        "paths": {},
        "components": {},
        "tags": [],
    }
    for service, document in everyone.items():
        _add(result, _Part(service, document, clashes, operations, tags))
    result["components"].setdefault("securitySchemes", {})["bearer"] = BEARER
    result["tags"] = list({tag["name"]: tag for tag in result["tags"]}.values())
    if left_out := sorted(missing):
        result["x-unavailable-services"] = left_out
    return result


class _Part:
    """One service's document, and how its names read in the whole."""

    def __init__(
        self,
        service: str,
        document: Document,
        clashes: set[tuple[str, str]],
        operations: set[str],
        tags: set[str],
    ) -> None:
        self.service = service
        self.document = document
        self._clashes = clashes
        self._operations = operations
        self._tags = tags
        schemes = document.get("components", {}).get("securitySchemes", {})
        self._bearers = {
            name
            for name, scheme in schemes.items()
            if scheme.get("type") == "http" and scheme.get("scheme", "").lower() == "bearer"
        }

    def component(self, section: str, name: str) -> str:
        if section == "securitySchemes" and name in self._bearers:
            return "bearer"
        if not self.service or (section, name) not in self._clashes:
            return name
        return "".join(word.capitalize() for word in self.service.split("-")) + name

    def operation(self, operation_id: str) -> str:
        if not self.service or operation_id not in self._operations:
            return operation_id
        return f"{self.service.replace('-', '_')}_{operation_id}"

    def tag(self, name: str) -> str:
        return f"{name} ({self.service})" if self.service and name in self._tags else name

    def rewritten(self, value: Any) -> Any:
        """Return a copy in which every reference leads to the component's new name."""
        if isinstance(value, list):
            return [self.rewritten(item) for item in value]
        if not isinstance(value, dict):
            return value
        result = {name: self.rewritten(item) for name, item in value.items()}
        if isinstance(reference := value.get("$ref"), str):
            result["$ref"] = self._reference(reference)
        mapping = value.get("mapping")
        if "propertyName" in value and isinstance(mapping, dict):
            result["mapping"] = {name: self._reference(target) for name, target in mapping.items()}
        if "operationId" in value and isinstance(value["operationId"], str):
            result["operationId"] = self.operation(value["operationId"])
        return result

    def security(self, requirements: list[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
        return [
            {self.component("securitySchemes", name): scopes for name, scopes in requirement.items()}
            for requirement in requirements
        ]

    def _reference(self, reference: str) -> str:
        section, slash, name = reference.removeprefix(REFERENCE).partition("/")
        if not reference.startswith(REFERENCE) or not slash:
            return reference
        return f"{REFERENCE}{section}/{self.component(section, name)}"


def _add(result: Document, part: _Part) -> None:
    document = part.document
    everywhere = document.get("security", [])
    for path, item in document.get("paths", {}).items():
        copy = part.rewritten(item)
        for operation in (copy[method] for method in METHODS & copy.keys()):
            operation["tags"] = [part.tag(name) for name in operation.get("tags", [part.service or "portal"])]
            if security := part.security(operation.get("security", everywhere)):
                operation["security"] = security
        result["paths"][f"/{part.service}{path}" if part.service else path] = copy
    for section, components in document.get("components", {}).items():
        target = result["components"].setdefault(section, {})
        for name, component in components.items():
            target[part.component(section, name)] = part.rewritten(component)
    for name, hook in document.get("webhooks", {}).items():
        result.setdefault("webhooks", {})[part.tag(name)] = part.rewritten(hook)
    result["tags"].extend({**tag, "name": part.tag(tag["name"])} for tag in document.get("tags", []))


def _clashing_components(documents: Mapping[str, Document]) -> set[tuple[str, str]]:
    """Return the names that mean different things, and those that mean the same only until these are renamed."""
    components = [
        {
            (section, name): json.dumps(component, sort_keys=True)
            for section, named in document.get("components", {}).items()
            if section != "securitySchemes"
            for name, component in named.items()
        }
        for document in documents.values()
    ]
    shared = _more_than_once(components)
    clashes = {key for key in shared if len({known[key] for known in components if key in known}) > 1}
    while True:
        marks = [f'"{REFERENCE}{section}/{name}"' for section, name in clashes]
        reached = {
            key
            for known in components
            for key in shared - clashes
            if key in known and any(mark in known[key] for mark in marks)
        }
        if not reached:
            return clashes
        clashes |= reached


def _operation_ids(document: Document) -> set[str]:
    return {
        item[method]["operationId"]
        for item in document.get("paths", {}).values()
        for method in METHODS & item.keys()
        if "operationId" in item[method]
    }


def _tags(document: Document) -> set[str]:
    used = (
        item[method].get("tags", []) for item in document.get("paths", {}).values() for method in METHODS & item.keys()
    )
    return set(chain.from_iterable(used)) | {tag["name"] for tag in document.get("tags", [])}


def _more_than_once(sets: Iterable[Iterable[Name]]) -> set[Name]:
    counts = Counter(chain.from_iterable(set(names) for names in sets))
    return {name for name, count in counts.items() if count > 1}
