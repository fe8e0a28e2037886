"""The modules of one name in all slices of a service."""

from importlib import import_module
from pathlib import Path
from types import ModuleType


def modules_of(package: ModuleType, name: str) -> list[ModuleType]:
    """Return these modules of a service's package, in the order of their paths: `modules_of(package, "tables")`."""
    (root,) = (Path(path) for path in package.__path__)
    found = (path.relative_to(root).with_suffix("").parts for path in sorted(root.rglob(f"{name}.py")))
    return [import_module(".".join((package.__name__, *parts))) for parts in found]
