"""A load of HTTP requests from a process of its own: `python load.py HOST PORT CLIENTS SECONDS < requests.json`.

Each client keeps one connection and sends the next request when the answer to the last has arrived. The requests come
as JSON on standard input: a list of `{method, path, headers, body}`, sent in turn; `{n}` in path or body is replaced
by a number that no other request has. Prints the throughput and the latencies as JSON.
"""

import asyncio
import itertools
import json
import resource
import sys
import time
from typing import Any

import uvloop


class _Client(asyncio.Protocol):
    """One connection: writes a request, waits for the whole answer, measures, writes the next."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._missing = 0
        self._sent_at = 0.0
        self._transport: Any = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        if time.perf_counter() >= self._load.ends_at:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._buffer += data
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._load.count(int(head[9:12]))
            lowered = head.lower()
            at = lowered.find(b"content-length:")
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self._missing = length - len(rest)
            self._buffer = b""
        if self._missing <= 0:
            self._missing = 0
            self._load.latencies.append(time.perf_counter() - self._sent_at)
            self._next()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Load:
    """What is sent, until when, and what was seen."""

    def __init__(self, host: str, port: int, requests: list[dict[str, Any]], seconds: float) -> None:
        self._host, self._port = host, port
        self._requests = [self._prepared(request) for request in requests]
        self._turn = itertools.cycle(range(len(requests)))
        self._numbers = itertools.count(time.time_ns())
        self._seconds = seconds
        self.ends_at = 0.0
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}

    def _prepared(self, request: dict[str, Any]) -> tuple[str, str]:
        headers = "".join(f"{name}: {value}\r\n" for name, value in request.get("headers", {}).items())
        head = f"{request['method']} {request['path']} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{headers}"
        return head, request.get("body", "")

    def request(self) -> bytes:
        """Return the next request as bytes."""
        head, body = self._requests[next(self._turn)]
        number = str(next(self._numbers))
        head, body = head.replace("{n}", number), body.replace("{n}", number)
        encoded = body.encode()
        length = f"Content-Type: application/json\r\nContent-Length: {len(encoded)}\r\n" if encoded else ""
        return f"{head}{length}\r\n".encode() + encoded

    def count(self, status: int) -> None:
        """Note the status of an answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1

    async def run(self, clients: int) -> dict[str, Any]:
        """Send until the time is over; return what was seen."""
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        self.ends_at = began + self._seconds
        connected = [
            await loop.create_connection(lambda: _Client(self), self._host, self._port) for _ in range(clients)
        ]
        await asyncio.gather(*(client.done for _, client in connected))
        seconds = time.perf_counter() - began
        ordered = sorted(self.latencies)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "requests": len(ordered),
            "per_second": len(ordered) / seconds,
            "p50_ms": 1000 * ordered[len(ordered) // 2],
            "p99_ms": 1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
            "statuses": self.statuses,
            "client_cpu_seconds": used.ru_utime + used.ru_stime,
        }


def main() -> None:
    """Run one load."""
    host, port, clients, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    load = Load(host, port, json.load(sys.stdin), seconds)
    sys.stdout.write(json.dumps(uvloop.run(load.run(clients))))


if __name__ == "__main__":
    main()
