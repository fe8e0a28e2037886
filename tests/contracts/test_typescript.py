import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "typescript"
NODE_MODULES = HERE / "node_modules"
INSTALL_SECONDS_MAX = 180
COMPILE_SECONDS_MAX = 180


def run(*command: str, cwd: Path, seconds_max: int = COMPILE_SECONDS_MAX) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds_max, check=False)


@pytest.fixture(scope="module")
def tools() -> Path:
    """Give the folder of the locked compilers; they are fetched where they are not there as locked."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node here")
    kept, locked = NODE_MODULES / ".package-lock.json", HERE / "package-lock.json"
    if not kept.exists() or kept.stat().st_mtime < locked.stat().st_mtime:
        asked = ("--ignore-scripts", "--no-audit", "--no-fund")
        installed = run("npm", "ci", *asked, cwd=HERE, seconds_max=INSTALL_SECONDS_MAX)
        if installed.returncode != 0:
            pytest.skip(f"the locked packages cannot be fetched: {installed.stderr[-500:]}")
    return NODE_MODULES / ".bin"


@pytest.fixture(scope="module")
def project(tools: Path, whole: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the client's types, made of the merged document, beside a program that uses them."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "tsconfig.json", "client.ts"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(NODE_MODULES)
    (folder / "openapi.json").write_text(json.dumps(whole), encoding="utf-8")
    # Without this a field that has a default would have to be sent.
    options = ("--default-non-nullable", "false", "--output", "schema.ts")
    made = run(str(tools / "openapi-typescript"), "openapi.json", *options, cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def test_a_client_of_the_whole_compiles_under_strict(project: Path, tools: Path) -> None:
    compiled = run(str(tools / "tsc"), "--project", ".", cwd=project)
    assert compiled.returncode == 0, compiled.stdout


def test_a_wrong_client_does_not_compile(project: Path, tools: Path) -> None:
    wrong = project / "client.ts"
    written = wrong.read_text(encoding="utf-8")
    wrong.write_text(written.replace("task.wbs", "task.code"), encoding="utf-8")
    try:
        compiled = run(str(tools / "tsc"), "--project", ".", cwd=project)
    finally:
        wrong.write_text(written, encoding="utf-8")
    assert "Property 'code' does not exist" in compiled.stdout


def test_the_lock_names_no_registry() -> None:
    locked = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    named = {name: package for name, package in locked["packages"].items() if name}
    assert named
    assert all("integrity" in package and "resolved" not in package for package in named.values())
