"""Rendering: overlays as they are, and the bases with any choice of components."""

import os
import shutil
import subprocess
import sys
from functools import cache
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[3]
KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
OVERLAYS = ("demo", "production")
ALWAYS = "release"
NEEDS = {"backups": "cloudnativepg"}


def kubectl() -> str | None:
    """Return the kubectl that `make` installs, else one of the machine's own, else None."""
    own = Path(sys.executable).parent / "kubectl"
    return str(own) if own.exists() else shutil.which("kubectl")


@cache
def rendered(folder: Path) -> tuple[dict[str, Any], ...]:
    """Return the objects a kustomization is made into; they are shared, so whoever changes one copies it first."""
    program = kubectl()
    if program is None:
        raise RuntimeError("There is no kubectl to render with.")
    done = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError(f"{folder}: {done.stderr}")
    return tuple(yaml.safe_load_all(done.stdout))


def overlay(name: str) -> tuple[dict[str, Any], ...]:
    """Return the objects of an overlay."""
    return rendered(KUBERNETES / "overlays" / name)


def component_names() -> list[str]:
    """Return the components there are, but for the one that every overlay has."""
    return sorted(folder.name for folder in (KUBERNETES / "components").iterdir() if folder.name != ALWAYS)


def choices() -> list[tuple[str, ...]]:
    """Return every choice of components that makes sense."""
    names = component_names()
    every = chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
    return [choice for choice in every if all(NEEDS[name] in choice for name in choice if name in NEEDS)]


def with_components(folder: Path, choice: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """Return the objects of the bases with these components; `folder` is an empty one to write in."""
    kubernetes = os.path.relpath(KUBERNETES, folder.resolve())
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{kubernetes}/base"],
        "components": [f"{kubernetes}/components/{name}" for name in (ALWAYS, *choice)],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return rendered(folder)
