"""One service over HTTP in a thread of this process, its resources made, and schemathesis run against it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from chassis.http.app import Api
from chassis.serving import configured

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
HOOKS = Path(__file__).with_name("contract_hooks.py")
START_SECONDS_MAX = 30
# What a schema cannot say and a service refuses for good reasons: unknown references, rules across fields.
ACCEPTED = '["2xx", "304", "401", "403", "404", "409", "410", "412", "422"]'
ORGANISATION = "contract"


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """Serve an application on a free port, as it is served elsewhere, and stop it after the block."""
    server = uvicorn.Server(configured(api, host="127.0.0.1", port=0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port_of(server, thread)}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS_MAX)


def _port_of(server: uvicorn.Server, thread: threading.Thread) -> int:
    waiting = threading.Event()
    for _ in range(START_SECONDS_MAX * 100):
        if server.started:
            port: int = server.servers[0].sockets[0].getsockname()[1]
            return port
        if not thread.is_alive():
            break
        waiting.wait(0.01)
    raise RuntimeError("the service did not start")


def make(client: httpx.Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Create one resource."""
    response = client.post(f"/v1/{path}", json=body)
    assert response.status_code == 201, f"{path}: {response.status_code} {response.text}"
    made: dict[str, Any] = response.json()
    return made


def run_schemathesis(
    folder: Path,
    url: str,
    token: str,
    *,
    known: Mapping[str, str],
    examples: int,
    phases: str,
    operations: str | None = None,
    seconds_max: int,
) -> subprocess.CompletedProcess[str]:
    """Run every check over the operations whose ids match; `known` are ids by the names of parameters and fields."""
    settings = folder / "schemathesis.toml"
    settings.write_text(_configuration(known))
    command = [
        str(SCHEMATHESIS),
        *("--config-file", str(settings)),
        *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {token}"),
        *("--phases", phases, "--max-examples", str(examples), "--generation-deterministic"),
        *("--suppress-health-check", "all", "--no-color"),
        *("--request-timeout", "30", "--max-failures", "40", "--output-sanitize", "false", "--warnings", "off"),
        *(("--include-operation-id-regex", operations) if operations else ()),
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "contract_hooks", "PYTHONPATH": str(HOOKS.parent)}
    environment |= {"TANDEM_CONTRACT_KNOWN": json.dumps(dict(known))}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds_max, check=False
    )


def _configuration(known: Mapping[str, str]) -> str:
    lines = ["[parameters]"]
    lines += [f'"path.{name}" = "{value}"' for name, value in known.items()]
    lines += ["[checks.positive_data_acceptance]", f"expected-statuses = {ACCEPTED}"]
    lines += ["[checks.missing_required_header]", 'expected-statuses = ["400", "401", "409", "415", "422", "428"]']
    lines += [
        "[checks.negative_data_rejection]",
        'expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428"]',
    ]
    # A batch whose items are judged each by itself is answered with 200 whatever they are.
    lines += ["[[operations]]", 'include-path-regex = ":batch$"', "[operations.checks.negative_data_rejection]"]
    lines += ['expected-statuses = ["200", "400", "401", "403", "404", "409", "413", "415", "422"]']
    # If-Match and If-None-Match exclude each other, which parameters cannot say.
    lines += ["[[operations]]", 'include-method = "PUT"', "[operations.checks.positive_data_acceptance]"]
    lines += ["expected-statuses = " + ACCEPTED.replace("]", ', "400"]')]
    # Where If-Match may be left out, values that its pattern does not allow are sent as if it did.
    lines += ["[[operations]]", 'include-path-regex = "/(transitions|decision|approvals)$"']
    lines += ["[operations.checks.positive_data_acceptance]"]
    lines += ["expected-statuses = " + ACCEPTED.replace("]", ', "400"]')]
    return "\n".join(lines) + "\n"
