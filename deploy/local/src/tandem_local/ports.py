"""Which loopback ports the programs listen on: free ones, and the same again as long as they stay free."""

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

# Below the ports that outgoing connections are given, so that none takes the port of a program being restarted.
LOWEST, HIGHEST = 20_000, 32_000
HOST = "127.0.0.1"


def choose_ports(path: Path, names: Iterable[str]) -> dict[str, int]:
    """Return a free port for each name, remembered in a file."""
    known: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    chosen: dict[str, int] = {}
    for name in names:
        port = known.get(name, 0)
        while port in chosen.values() or not LOWEST <= port <= HIGHEST or not is_free(port):
            port = random.randint(LOWEST, HIGHEST)  # noqa: S311 - a port is no secret
        chosen[name] = port
    path.write_text(json.dumps(chosen, indent=2), encoding="utf-8")
    return chosen


def is_free(port: int, host: str = HOST) -> bool:
    """Say whether a program could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
