"""What stands in rendered objects, in a form that rules read easily."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]
UNITS = {"": 1.0, "m": 0.001, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
WORKLOADS = ("Deployment", "Job")


def of_kind(objects: Iterable[Object], *kinds: str) -> Iterator[Object]:
    """Return the objects of some kinds."""
    return (each for each in objects if each["kind"] in kinds)


def called(objects: Iterable[Object], kind: str, name: str) -> Object | None:
    """Return the object of a kind and a name, or None."""
    return next((each for each in of_kind(objects, kind) if each["metadata"]["name"] == name), None)


def title(each: Object) -> str:
    """Return what a fault calls an object."""
    return f"{each['kind']} {each['metadata']['name']}"


@dataclass(frozen=True)
class Workload:
    """A Deployment or Job and the one container of its pods."""

    owner: Object

    @property
    def title(self) -> str:
        """What a fault calls it."""
        return title(self.owner)

    @property
    def labels(self) -> dict[str, str]:
        """Return its pods' labels."""
        found: dict[str, str] = self.owner["spec"]["template"]["metadata"]["labels"]
        return found

    @property
    def pod(self) -> Object:
        """Return its pods' specification."""
        found: Object = self.owner["spec"]["template"]["spec"]
        return found

    @property
    def container(self) -> Object:
        """Return the container."""
        found: Object = self.pod["containers"][0]
        return found

    @property
    def ports(self) -> dict[str, int]:
        """Return the container's ports by name."""
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", ())}

    def environment(self, objects: Sequence[Object]) -> dict[str, str | None]:
        """Return the container's environment; None stands for what a Secret holds."""
        told: dict[str, str | None] = {}
        for source in self.container.get("envFrom", ()):
            configuration = called(objects, "ConfigMap", source["configMapRef"]["name"])
            told |= configuration["data"] if configuration else {}
        return told | {entry["name"]: entry.get("value") for entry in self.container.get("env", ())}


def workloads(objects: Iterable[Object], *kinds: str) -> list[Workload]:
    """Return the workloads, or those of some kinds."""
    return [Workload(each) for each in of_kind(objects, *(kinds or WORKLOADS))]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a label selector (`matchLabels`, `matchExpressions`) picks these labels; an empty one picks all."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions", ()))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "Exists":
            return value is not None
        case "In":
            return value in expression["values"]
        case other:
            raise ValueError(f"operator {other} is used nowhere yet")


def quantity(text: object) -> float:
    """Return a quantity (`250m`, `64Mi`) as a number."""
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    if found is None:
        raise ValueError(f"{text} is no quantity")
    return float(found[1]) * UNITS[found[2]]


def hosts_named(value: str) -> Iterator[tuple[str, int]]:
    """Return the hosts within the cluster that a setting names: an address, `host:port`, or a JSON object of either."""
    if value.startswith("{"):
        for each in json.loads(value).values():
            yield from hosts_named(each)
        return
    text = value if "://" in value else f"tcp://{value}"
    if not re.fullmatch(r"(http|tcp)://[a-z0-9-]+(:[0-9]+)?(/.*)?", text):
        return
    parts = urlsplit(text)
    if parts.hostname and (parts.scheme == "http" or parts.port):
        yield parts.hostname, parts.port or 80
