"""Follows docs/how-to/add-a-resource.md literally in a scratch copy and runs the test that it ends with."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "how-to" / "add-a-resource.md"
NEEDED = ("libs", "services", "deploy/local", "gateway/portal", "conftest.py", "pyproject.toml")
FILE = re.compile(
    r"^`(?P<path>services/[^`]+)`(?:[^\n]*)\n\n```python\n(?P<content>.*?)^```$", re.DOTALL | re.MULTILINE
)
INSERTION = re.compile(r'^```python insert-after="(?P<line>[^"]+)"\n(?P<content>.*?)^```$', re.DOTALL | re.MULTILINE)
WIRING = Path("services/service-catalog/src/service_catalog/wiring.py")
REVISIONS = Path("services/service-catalog/src/service_catalog/migrations/versions")


def follow(page: str, copy: Path) -> None:
    newest = max("_".join(file.name.split("_")[:2]) for file in (copy / REVISIONS).glob("*.py"))
    for found in FILE.finditer(page):
        target = copy / found["path"]
        target.parent.mkdir(exist_ok=True)
        assert not target.exists(), f"{target} is there already"
        target.write_text(found["content"].replace("{newest}", newest))
    wiring = (copy / WIRING).read_text()
    for found in INSERTION.finditer(page):
        assert wiring.count(found["line"] + "\n") == 1, found["line"]
        wiring = wiring.replace(found["line"] + "\n", found["line"] + "\n" + found["content"])
    (copy / WIRING).write_text(wiring)


def test_the_page_leads_to_a_resource_that_works(tmp_path: Path) -> None:
    for name in NEEDED:
        source, target = REPOSITORY / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    follow(PAGE.read_text(), tmp_path)
    sources = [str(path) for pattern in ("libs/*/src", "services/*/src") for path in tmp_path.glob(pattern)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "services/service-catalog/tests/test_announcements.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout
