#!/usr/bin/env python3
"""The command of the gateway's image: start Envoy with this place's values filled in, or send its clients elsewhere.

It needs nothing but Python's own library.
"""

import argparse
import http.client
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

ENVOY = Path("/opt/tandem/envoy")
TEMPLATES = Path("/etc/tandem/envoy")
FILLED = Path("/run/envoy")
OBSERVATION = "observation.yaml"
NO_ORIGIN = "[^*]{0}"  # matches the empty string, which no browser sends
ENVIRONMENT = {
    "TANDEM_ISSUER": "whose tokens are accepted",
    "TANDEM_UPSTREAMS": "name and address (host:port, several with commas) of each service and the portal, as JSON",
    "TANDEM_TRUSTED_HOPS": "how many proxies in front may say who the client is; 0 if not told",
    "TANDEM_CORS_ORIGINS": "the web pages that may call, as a regular expression; none if not told",
    "TANDEM_THREADS": "Envoy's worker threads; 2 if not told",
}
# Answers say that the connection ends, /ready says 503, the listeners go on: the pod's end comes later.
DRAIN_REQUESTS = ("/healthcheck/fail", "/drain_listeners?graceful&skip_exit")


class WrongEnvironmentError(Exception):
    """The environment lacks something, or says something that has no meaning."""


def values_from(environment: Mapping[str, str]) -> dict[str, object]:
    """Return what the templates ask for, as far as the environment tells it."""
    try:
        values: dict[str, object] = {
            "issuer": environment["TANDEM_ISSUER"],
            "trusted_hops": int(environment.get("TANDEM_TRUSTED_HOPS", "0")),
            "cors_origins": environment.get("TANDEM_CORS_ORIGINS") or NO_ORIGIN,
        }
        for name, addresses in json.loads(environment["TANDEM_UPSTREAMS"]).items():
            endpoints = [endpoint(address) for address in addresses.split(",")]
            values[f"{name.replace('-', '_')}_endpoints"] = json.dumps(endpoints)
    except (KeyError, ValueError, AttributeError) as error:
        told = "\n".join(f"{name}: {meaning}" for name, meaning in ENVIRONMENT.items())
        raise WrongEnvironmentError(f"{type(error).__name__}: {error}\n{told}") from error
    return values


def endpoint(address: str) -> dict[str, object]:
    """Return `host:port` as Envoy reads it."""
    host, _, port = address.strip().rpartition(":")
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}


def fill(templates: Path, target: Path, values: Mapping[str, object]) -> None:
    """Write every template with its values filled in; an upstream that is not told is an error."""
    target.mkdir(parents=True, exist_ok=True)
    for template in sorted(templates.glob("*.yaml")):
        try:
            text = Template(template.read_text(encoding="utf-8")).substitute(values, configuration=target)
        except KeyError as error:
            name = str(error.args[0]).removesuffix("_endpoints").replace("_", "-")
            raise WrongEnvironmentError(f"TANDEM_UPSTREAMS: {name} is missing") from error
        (target / template.name).write_text(text, encoding="utf-8")


def start(asked: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Become Envoy."""
    ports = {
        "gateway_host": asked.host,
        "gateway_port": asked.port,
        "admin_port": asked.admin_port,
        "observation_port": asked.observation_port,
    }
    fill(asked.templates, asked.filled, values_from(environment) | ports)
    command = [str(asked.envoy), "--config-path", str(asked.filled / "bootstrap.yaml")]
    if (asked.filled / OBSERVATION).exists():
        command += ["--config-yaml", (asked.filled / OBSERVATION).read_text(encoding="utf-8")]
    command += ["--concurrency", environment.get("TANDEM_THREADS") or "2", "--disable-hot-restart"]
    command += ["--log-level", "warning", "--drain-time-s", "10"]
    os.execv(command[0], command)  # noqa: S606 - our own command, and no shell wanted


def drain(admin_port: int, seconds: float) -> None:
    """Tell Envoy to send its clients elsewhere, and give them time to go."""
    for path in DRAIN_REQUESTS:
        connection = http.client.HTTPConnection("127.0.0.1", admin_port, timeout=5)
        connection.request("POST", path)
        answer = connection.getresponse()
        sys.stdout.write(f"{path}: {answer.status}\n")
        connection.close()
    time.sleep(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(prog="gateway", description="The gateway's Envoy.")
    parser.add_argument("--admin-port", type=int, default=9901)
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("start", help="run Envoy")
    starting.add_argument("--host", default="0.0.0.0")  # noqa: S104 - a pod has an address of its own
    starting.add_argument("--port", type=int, default=8080)
    starting.add_argument("--observation-port", type=int, default=9902)
    starting.add_argument("--templates", type=Path, default=TEMPLATES)
    starting.add_argument("--filled", type=Path, default=FILLED)
    starting.add_argument("--envoy", type=Path, default=ENVOY)
    draining = commands.add_parser("drain", help="send clients elsewhere, before Envoy is stopped")
    draining.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "start":
            start(asked, os.environ)
        else:
            drain(asked.admin_port, asked.seconds)
    except WrongEnvironmentError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
