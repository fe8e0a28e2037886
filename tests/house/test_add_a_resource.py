"""Follows docs/how-to/add-a-resource.md literally in a scratch copy and runs the tests that it names."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "how-to" / "add-a-resource.md"
NEEDED = (
    *("libs", "services", "deploy/local", "gateway/portal", "docs/openapi", "tests/kit", "tests/contracts"),
    *("conftest.py", "pyproject.toml"),
)
FILE = re.compile(
    r"^`(?P<path>services/[^`]+)`(?:[^\n]*)\n\n```python\n(?P<content>.*?)^```$", re.DOTALL | re.MULTILINE
)
INSERTION = re.compile(
    r'^(?P<indent> *)```python insert-after="(?P<line>[^\n]+)"\n(?P<content>.*?)^ *```$', re.DOTALL | re.MULTILINE
)
NAMED = re.compile(r"`((?:services|tests)/[^`]+\.py)`")
REVISIONS = Path("services/service-catalog/src/service_catalog/migrations/versions")
TESTS = "services/service-catalog/tests"
OF_EVERY_RESOURCE = (
    f"{TESTS}/test_filters.py::test_a_list_takes_the_filters_it_documents[/v1/announcements]",
    f"{TESTS}/test_event_sizes.py::test_no_resource_is_left_out",
    "tests/contracts/test_schemathesis.py::test_whatever_a_path_names_is_there[service-catalog]",
)
OPENAPI = ("-c", "from service_catalog.cli import main; main()", "openapi")


def follow(page: str, copy: Path) -> None:
    newest = max("_".join(file.name.split("_")[:2]) for file in (copy / REVISIONS).glob("*.py"))
    for found in FILE.finditer(page):
        target = copy / found["path"]
        target.parent.mkdir(exist_ok=True)
        assert not target.exists(), f"{target} is there already"
        target.write_text(found["content"].replace("{newest}", newest))
    for found in INSERTION.finditer(page):
        target = copy / NAMED.findall(page[: found.start()])[-1]
        present, line = target.read_text(), found["line"] + "\n"
        content = "".join(one.removeprefix(found["indent"]) for one in found["content"].splitlines(keepends=True))
        assert present.count(line) == 1, line
        target.write_text(present.replace(line, line + content))


def test_the_page_leads_to_a_resource_that_works(tmp_path: Path) -> None:
    for name in NEEDED:
        source, target = REPOSITORY / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(source, target)
    follow(PAGE.read_text(), tmp_path)
    sources = [str(path) for pattern in ("libs/*/src", "services/*/src") for path in tmp_path.glob(pattern)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sources)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return done.stdout

    (tmp_path / "docs/openapi/service-catalog.json").write_text(run(*OPENAPI))
    told = run("-m", "pytest", "-q", f"{TESTS}/test_announcements.py", *OF_EVERY_RESOURCE)
    assert f"{2 + len(OF_EVERY_RESOURCE)} passed" in told
