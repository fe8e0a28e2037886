"""What is rendered keeps every rule and both schemas: each overlay, and the bases with every choice of components."""

import json
import shutil
from pathlib import Path

import kubernetes_validate
import pytest
from kubernetes_validate.utils import all_versions
from manifests.objects import Object, of_kind
from manifests.rendering import (
    NEEDS,
    OVERLAYS,
    REPOSITORY,
    choices,
    component_names,
    overlay,
    rendered,
    with_components,
)
from manifests.rules import RULES

pytestmark = pytest.mark.usefixtures("renderer")

OLDEST = "1.30"  # the first that lets a pod sleep before it is stopped
NEWEST = all_versions()[-1]
CUSTOM = {
    "Cluster",
    "ObjectStore",
    "PodMonitor",
    "PrometheusRule",
    "ScheduledBackup",
}


def faults(objects: tuple[Object, ...]) -> list[str]:
    return [f"{name}: {fault}" for name, rule in RULES.items() for fault in rule(objects)]


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_keeps_every_rule(name: str) -> None:
    assert faults(overlay(name)) == []


@pytest.mark.parametrize("choice", choices(), ids="+".join)
def test_every_choice_of_components_keeps_every_rule(choice: tuple[str, ...], tmp_path: Path) -> None:
    assert faults(with_components(tmp_path, choice)) == []


def test_images_of_a_registry_with_a_port_have_migrations_called_after_their_tag(tmp_path: Path) -> None:
    for folder in ("deploy/kubernetes", "gateway/envoy"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    copied = tmp_path / "deploy" / "kubernetes"
    release = copied / "components" / "release" / "kustomization.yaml"
    written = release.read_text()
    for service in ("service-catalog", "project-tracker", "kpi-engine"):
        name = f"tandem/{service}\n"
        written = written.replace(name, f"{name}    newName: registry.example:5000/{name}")
    release.write_text(written.replace("newTag: &tag 0.1.0", "newTag: &tag 0.2.0-rc.1"))
    made = rendered(copied / "overlays" / "production")
    assert faults(made) == []
    images = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]["containers"][0]["image"]
        for each in of_kind(made, "Job")
    }
    assert images["kpi-engine-migrate-0.2.0-rc.1"] == "registry.example:5000/tandem/kpi-engine:0.2.0-rc.1"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_objects_keep_the_strict_schemas(version: str, tmp_path: Path) -> None:
    everything = [*overlay("demo"), *overlay("production"), *with_components(tmp_path, ())]
    for text in {json.dumps(each, sort_keys=True) for each in everything if each["kind"] not in CUSTOM}:
        kubernetes_validate.validate(json.loads(text), version, strict=True)


def test_a_strict_schema_refuses_what_it_does_not_know(objects: list[Object]) -> None:
    deployment = next(of_kind(objects, "Deployment"))
    deployment["spec"]["template"]["spec"]["containers"][0]["memory"] = "1Gi"
    with pytest.raises(kubernetes_validate.ValidationError, match="memory"):
        kubernetes_validate.validate(deployment, NEWEST, strict=True)


def test_production_has_every_component(tmp_path: Path) -> None:
    everything = with_components(tmp_path, tuple(sorted(component_names(), key=lambda name: name in NEEDS)))
    named = {(each["kind"], each["metadata"]["name"]) for each in everything if each["kind"] != "ConfigMap"}
    assert named <= {(each["kind"], each["metadata"]["name"]) for each in overlay("production")}
