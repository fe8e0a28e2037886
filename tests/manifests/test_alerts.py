"""The alerts as Prometheus reads them: valid, and each seen to fire when it should and not otherwise."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from manifests.alert_rules import alerts
from manifests.rendering import KUBERNETES

ALERTS = KUBERNETES / "components" / "monitoring" / "alerts.yaml"
CASES = Path(__file__).with_name("alerts.test.yaml")


@pytest.fixture
def promtool() -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool: it comes with Prometheus (Debian's package `prometheus`)")
    return program


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Give the groups of the rule object as a file of Prometheus' own."""
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["spec"]), encoding="utf-8")
    return path


def test_the_rules_are_valid(promtool: str, rules: Path) -> None:
    done = subprocess.run(
        [promtool, "check", "rules", "--lint-fatal", rules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_when_it_should(promtool: str, rules: Path) -> None:
    shutil.copy(CASES, rules.parent)
    done = subprocess.run(
        [promtool, "test", "rules", CASES.name], cwd=rules.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case() -> None:
    told = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    fired = {test["alertname"] for case in told["tests"] for test in case["alert_rule_test"] if test.get("exp_alerts")}
    assert fired == {alert["alert"] for alert in alerts([yaml.safe_load(ALERTS.read_text(encoding="utf-8"))])}
