"""The command of the gateway's image, with the files and values a cluster gives it and a real Envoy."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from manifests.objects import Object, called, of_kind, workloads
from manifests.rendering import REPOSITORY

from tandem_local.ports import HOST, choose_ports

COMMAND = REPOSITORY / "deploy" / "images" / "gateway" / "gateway.py"
PORTS = ("gateway", "admin", "observation")
WAIT_SECONDS = 20.0


@dataclass
class Running:
    """A started gateway."""

    process: subprocess.Popen[bytes]
    ports: dict[str, int]

    def get(self, port: str, path: str) -> httpx.Response:
        return httpx.get(f"http://{HOST}:{self.ports[port]}{path}", timeout=5)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, "Envoy has ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def is_ready(self) -> bool:
        return self.get("observation", "/ready").is_success


@pytest.fixture
def gateway(objects: list[Object], tmp_path: Path) -> Iterator[Running]:
    workload = next(w for w in workloads(objects) if w.title == "Deployment gateway")
    volume = next(v for v in workload.pod["volumes"] if v["name"] == "configuration")
    configuration = called(objects, "ConfigMap", volume["configMap"]["name"])
    assert configuration is not None
    templates = tmp_path / "templates"
    templates.mkdir()
    for name, text in configuration["data"].items():
        (templates / name).write_text(text, encoding="utf-8")
    environment = {name: value for name, value in workload.environment(objects).items() if value is not None}
    # Nobody answers here: names of a cluster would only be looked up in vain.
    upstreams = dict.fromkeys(json.loads(environment["TANDEM_UPSTREAMS"]), f"{HOST}:9")
    ports = choose_ports(tmp_path / "ports.json", PORTS)
    spec = find_spec("envoy")
    assert spec is not None
    assert spec.origin is not None
    places = {"--templates": templates, "--filled": tmp_path / "filled"}
    places["--envoy"] = Path(spec.origin).parent / "_bin" / "envoy"
    arguments = [str(part) for place in places.items() for part in place]
    arguments += ["--host", HOST, "--port", str(ports["gateway"]), "--observation-port", str(ports["observation"])]
    with subprocess.Popen(
        [sys.executable, str(COMMAND), "--admin-port", str(ports["admin"]), "start", *arguments],
        env={**environment, "TANDEM_UPSTREAMS": json.dumps(upstreams), "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
    ) as process:
        running = Running(process, ports)
        try:
            running.until(running.is_ready)
            yield running
        finally:
            process.send_signal(signal.SIGKILL)


def test_it_is_ready_answers_and_drains(gateway: Running) -> None:
    gateway.until(lambda: gateway.get("gateway", "/nowhere").status_code == httpx.codes.NOT_FOUND)
    assert "connection" not in gateway.get("gateway", "/nowhere").headers

    drain = [sys.executable, str(COMMAND), "--admin-port", str(gateway.ports["admin"]), "drain", "--seconds", "0"]
    told = subprocess.run(drain, capture_output=True, text=True, check=True).stdout

    assert told == "/healthcheck/fail: 200\n/drain_listeners?graceful&skip_exit: 200\n"
    assert gateway.get("observation", "/ready").status_code == httpx.codes.SERVICE_UNAVAILABLE
    answer = gateway.get("gateway", "/nowhere")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.headers["connection"] == "close"
    assert gateway.process.poll() is None


def test_only_readiness_and_metrics_can_be_observed(gateway: Running, objects: list[Object]) -> None:
    for path in ("/", "/config_dump", "/quitquitquit", "/ready/../config_dump", "/certs"):
        assert gateway.get("observation", path).status_code == httpx.codes.NOT_FOUND
    answer = httpx.post(f"http://{HOST}:{gateway.ports['observation']}/ready")
    assert answer.status_code == httpx.codes.NOT_FOUND

    gateway.until(lambda: gateway.get("gateway", "/nowhere").status_code == httpx.codes.NOT_FOUND)
    counted = gateway.get("observation", "/stats/prometheus").text
    rules = [
        rule["expr"]
        for each in of_kind(objects, "PrometheusRule")
        for g in each["spec"]["groups"]
        for rule in g["rules"]
    ]
    asked = {name for text in rules for name in re.findall(r"envoy_\w+(?={)", text)}
    assert asked
    assert [name for name in asked if f"# TYPE {name} " not in counted] == []


@pytest.mark.parametrize(
    ("upstreams", "told"),
    [
        ({}, "TANDEM_UPSTREAMS: name and address"),
        ({"TANDEM_UPSTREAMS": '{"service-catalog": "a:abc"}'}, "TANDEM_UPSTREAMS: name and address"),
        (
            {"TANDEM_UPSTREAMS": '{"service-catalog": "a:1", "project-tracker": "b:2", "portal": "c:3"}'},
            "TANDEM_UPSTREAMS: kpi-engine is missing\n",
        ),
    ],
)
def test_what_is_missing_is_said(upstreams: dict[str, str], told: str, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "gateway" / "envoy", tmp_path / "templates")
    places = ["--templates", str(tmp_path / "templates"), "--filled", str(tmp_path / "filled")]
    done = subprocess.run(
        [sys.executable, str(COMMAND), "start", *places],
        env={"TANDEM_ISSUER": "https://tandem.example", **upstreams},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
