"""Loads in turn on several targets: medians of rounds, processor time, a table and JSON."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from consumption import cpu_seconds

HOST = "127.0.0.1"
LOAD = Path(__file__).with_name("load.py")
Request = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """What is loaded: its port, the requests of each operation, and the processes that serve it, by their part."""

    name: str
    port: int
    requests: Mapping[str, Sequence[Request]]
    parts: Mapping[str, int]


def load(port: int, requests: Sequence[Request], clients: int, seconds: float) -> dict[str, Any]:
    """Send requests from a process of its own; a load with a refusal in it is no measurement."""
    command = [sys.executable, str(LOAD), HOST, str(port), str(clients), str(seconds)]
    done = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True, check=True)
    seen: dict[str, Any] = json.loads(done.stdout)
    if any(not status.startswith("2") for status in seen["statuses"]):
        raise RuntimeError(f"{requests[0]['method']} {requests[0]['path']} was answered with {seen['statuses']}")
    return seen


def measured(target: Target, operation: str, clients: int, seconds: float) -> dict[str, float]:
    """Load one target once; processor time is in seconds per 1,000 requests, by part and in all."""
    before = {part: cpu_seconds([pid]) for part, pid in target.parts.items()}
    seen = load(target.port, target.requests[operation], clients, seconds)
    used = {part: (cpu_seconds([pid]) - before[part]) * 1000 / seen["requests"] for part, pid in target.parts.items()}
    figures = {name: float(seen[name]) for name in ("per_second", "p50_ms", "p99_ms")}
    return figures | {f"cpu_{part}": spent for part, spent in used.items()} | {"cpu": sum(used.values())}


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def ratio(rounds: Sequence[Mapping[str, float]], against: Sequence[Mapping[str, float]]) -> float:
    """Return the median of the rounds' ratios of throughput: what disturbs a round disturbs both of its sides."""
    return median(one["per_second"] / other["per_second"] for one, other in zip(rounds, against, strict=True))


def table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return lines of the same names as a table."""
    names = list(lines[0])
    cells = [names, *([_cell(line[name]) for name in names] for line in lines)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(names))]
    return "\n".join("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
    return "" if value is None else str(value)


def publish(name: str, lines: Sequence[Mapping[str, Any]], folder: str | Path | None) -> None:
    """Print a table, and write it as JSON where a folder is named."""
    sys.stdout.write(f"{table(lines)}\n")
    if folder is not None:
        Path(folder, f"{name}.json").write_text(json.dumps(list(lines), indent=2) + "\n", encoding="utf-8")
