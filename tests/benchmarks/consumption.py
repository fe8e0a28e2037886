"""CPU time of processes of ours, with all that they have started, from /proc."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return how long these processes and their descendants, living and dead, have run in all."""
    parents, ticks = _table()
    counted = set(roots)
    while True:
        further = {pid for pid, parent in parents.items() if parent in counted} - counted
        if not further:
            return sum(ticks.get(pid, 0) for pid in counted) * _TICK_SECONDS
        counted |= further


def marked(name: str, value: str) -> Mapping[int, list[str]]:
    """Return the command lines of the processes with a variable in their environment."""
    found: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"{name}={value}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:  # it has ended, or is another user's
                continue
    return found


def _table() -> tuple[dict[int, int], dict[int, int]]:
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))  # own and of children that have ended
    return parents, ticks
