"""`make demo` on a fresh platform, and again."""

import subprocess
import sys

import httpx
from whole_platform import Platform

WINDOW = {"from": "2025-12-29T00:00:00Z", "to": "2026-03-29T00:00:00Z", "grain": "total", "timezone": "UTC"}


def run_demo(platform: Platform) -> str:
    command = [sys.executable, "-m", "tandem_local.demo"]
    done = subprocess.run(command, env=platform.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demonstration_gives_the_publicly_quoted_availability(platform: Platform, client: httpx.Client) -> None:
    first = run_demo(platform)
    assert "89.999228 percent" in first
    again = run_demo(platform)
    assert again.count(" new") == again.count(", 0 new") > 0
    assert "89.999228 percent" in again

    (service,) = client.get("/service-catalog/v1/services", params={"key": "code-hosting"}).json()["items"]
    asked = WINDOW | {"subject_type": "service", "subject_id": service["id"]}
    (envelope,) = client.get("/kpi-engine/v1/kpis/availability/values", params=asked).json()["items"]
    assert (envelope["value"], envelope["status"], envelope["unit"]) == ("89.999228", "ok", "percent")
    (downtime,) = client.get("/kpi-engine/v1/kpis/downtime_seconds/values", params=asked).json()["items"]
    assert float(downtime["value"]) == 12_961 * 60
    evidence = client.get("/kpi-engine/v1/kpis/availability/evidence", params=asked | {"limit": "200"})
    assert evidence.status_code == httpx.codes.OK, evidence.text
    assert evidence.json()["items"]
