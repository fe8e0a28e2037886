"""The Containerfile: a target per process, nothing unlocked, nobody's rights."""

import re
import subprocess
import sys
from pathlib import Path

from manifests.objects import Object, workloads
from manifests.rendering import REPOSITORY

CONTAINERFILE = REPOSITORY / "deploy" / "images" / "Containerfile"
TEXT = CONTAINERFILE.read_text(encoding="utf-8")
BASES = {name: base for base, name in re.findall(r"^FROM (\S+) AS (\S+)$", TEXT, re.MULTILINE)}


def test_the_linter_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(linter), str(CONTAINERFILE)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_every_image_of_the_manifests_has_a_target(objects: list[Object]) -> None:
    images = {workload.container["image"].partition(":")[0].removeprefix("tandem/") for workload in workloads(objects)}
    assert images == {name for name, base in BASES.items() if base == "running"}


def test_what_runs_is_nobody_in_particular(objects: list[Object]) -> None:
    running = TEXT[TEXT.index(" AS running\n") :]
    users = re.findall(r"^USER (\d+):(\d+)$", running, re.MULTILINE)
    told = {
        (str(w.pod["securityContext"]["runAsUser"]), str(w.pod["securityContext"]["runAsGroup"]))
        for w in workloads(objects)
    }
    assert users == list(told) == [("10001", "10001")]
    assert "RUN" not in re.findall(r"^[A-Z]+", running, re.MULTILINE)


def test_arguments_and_ports_of_the_images_are_those_of_the_manifests(objects: list[Object]) -> None:
    for workload in workloads(objects, "Deployment"):
        name = workload.container["image"].partition(":")[0].removeprefix("tandem/")
        stage = re.split(r"^FROM ", TEXT[TEXT.index(f"FROM running AS {name}\n") + 1 :], flags=re.MULTILINE)[0]
        exposed = {int(port) for port in re.findall(r"\d+", re.findall(r"^EXPOSE (.+)$", stage, re.MULTILINE)[0])}
        assert set(workload.ports.values()) <= exposed


def test_every_package_is_locked_and_every_stage_has_the_given_base() -> None:
    installs = [line for line in TEXT.replace("\\\n", " ").splitlines() if "uv pip install" in line]
    assert installs
    for line in installs:
        for part in line.split("uv pip install")[1:]:
            assert "--require-hashes --constraint requirements.lock" in part or "--no-deps ./" in part
    outside = {base for base in BASES.values() if base not in BASES}
    assert outside == {"${BASE}"}


def test_uv_is_the_makefiles() -> None:
    made = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^ARG UV_VERSION=(\S+)$", TEXT, re.MULTILINE) == re.findall(
        r"^UV_VERSION := (\S+)$", made, re.MULTILINE
    )
