"""Events: how soon what was written is known to kpi-engine, and how fast a backlog is taken in.

`python tests/benchmarks/bench_events.py [folder]`. Propagation is timed from the answer to a create until its fact can
be read, on an idle platform. Catching up is `kpi-engine rebuild` over the whole log, from its first line to its last,
against the same rows written by a plain multi-row upsert. The sequencer is timed over events put in its way at once.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from consumption import cpu_seconds
from measuring import load, publish
from stand import ORG, Stand, running_stand
from subjects import FILLED, Subject, fill, incidents
from targets import prefixed

from chassis.events.sequencer import POLL_SECONDS

SAMPLES = 200
PAUSE_SECONDS = (0.02, 0.08)
LOOK_SECONDS = 0.001
AWAITED_SECONDS_MAX = 10.0
P99_WANTED_MS = 250.0
FACTS = 50_000
CHUNK = 1000
ROUNDS = 3
CATCH_UP_WANTED = 0.5
OWN_FILLING = 1_000_000  # one that nobody reads

_FACTS = """
    SELECT * FROM incident_fact WHERE projection = (SELECT max(projection) FROM incident_fact) ORDER BY id LIMIT $1
"""
_COPY_EVENTS = """
    INSERT INTO event_pending (id, org, type, subject, time, partitionkey, aggregateversion, data)
    SELECT uuidv7(), org, type, subject, time, partitionkey, aggregateversion, data
    FROM event_log WHERE type = 'tandem.incident.created.v1' ORDER BY position LIMIT $1
"""


def create_p50_ms(stand: Stand, subject: Subject) -> float:
    """Return how long one client waits for a create."""
    requests = prefixed(subject.requests, f"/{subject.service}/v1", **stand.headers)["create"]
    return float(load(stand.gateway_port, requests, 1, 2.0)["p50_ms"])


async def propagation(stand: Stand, subject: Subject, create_ms: float) -> dict[str, Any]:
    """Time single creates until their facts can be read."""
    body = json.loads(subject.requests["create"][0]["body"])
    reader = await asyncpg.connect(**stand.database("kpi-engine"))
    await reader.execute(f"SET app.org = '{ORG}'")
    known = await reader.prepare("SELECT EXISTS (SELECT FROM incident_fact WHERE id = $1)")
    waits: list[float] = []
    with stand.client() as client:
        for _ in range(SAMPLES):
            await asyncio.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - no secret
            id_ = client.post("/service-catalog/v1/incidents", json=body).raise_for_status().json()["id"]
            began = time.perf_counter()
            while not await known.fetchval(id_):
                if time.perf_counter() - began > AWAITED_SECONDS_MAX:
                    raise RuntimeError("an event was not applied in time")
                await asyncio.sleep(LOOK_SECONDS)
            waits.append(1000 * (time.perf_counter() - began))
    await reader.close()
    p99 = sorted(waits)[len(waits) * 99 // 100]
    wanted = 2000 * POLL_SECONDS + 3 * create_ms
    return {
        **_line("propagation p50", "ms", median(waits), f"≤ {wanted:.0f} (a create: {create_ms:.1f})"),
        "further": f"p99 {p99:.0f} ms, wanted ≤ {P99_WANTED_MS:.0f}",
    }


async def catching_up(stand: Stand) -> dict[str, Any]:
    """Take in the whole log anew, and write the same rows plainly, in turn."""
    rates: list[float] = []
    plain: list[float] = []
    for _ in range(ROUNDS):
        rates.append(FACTS / rebuilding_seconds(stand))
        stand.settle()
        plain.append(await plain_rate(stand))
        stand.settle()
    ratio = median(rate / other for rate, other in zip(rates, plain, strict=True))
    return {
        **_line("catching up", "events/s", median(rates), f"≥ {CATCH_UP_WANTED} of a plain upsert"),
        "further": f"{ratio:.2f} of {median(plain):,.0f} rows/s",
    }


def rebuilding_seconds(stand: Stand) -> float:
    """Run `kpi-engine rebuild` and return how long it took by its own log, without its start."""
    command = stand.home / "programs" / "kpi-engine-work.sh"
    script = command.read_text(encoding="utf-8").rpartition("exec ")
    words = script[2].split()
    rebuild = "".join([script[0], "exec ", " ".join([*words[: words.index("work")], "rebuild"])])
    done = subprocess.run(["/bin/sh"], input=rebuild, capture_output=True, text=True, check=True, env=os.environ)
    told: Mapping[str, datetime] = {
        line["event"]: datetime.fromisoformat(line["timestamp"])
        for line in (json.loads(text) for text in done.stdout.splitlines() if text.startswith("{"))
    }
    return (told["rebuilt"] - told["rebuilding"]).total_seconds()


async def plain_rate(stand: Stand) -> float:
    """Write the facts there are once more by multi-row upserts, and return how many a second."""
    connection = await asyncpg.connect(**stand.database("kpi-engine", "worker"))
    opening = f"BEGIN; SET LOCAL app.org = '{ORG}'"
    await connection.execute(opening)
    statement = await connection.prepare(_FACTS)
    rows = await statement.fetch(FACTS)
    await connection.execute("COMMIT")
    kinds = {one.name: f"{one.type.schema}.{one.type.name}" for one in statement.get_attributes()}
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(kinds.values(), 1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in kinds)
    upsert = (
        f"INSERT INTO incident_fact ({', '.join(kinds)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - its own names
        f" ON CONFLICT ON CONSTRAINT incident_fact_pkey DO UPDATE SET {changes}"
    )
    known = [dict(row) | {"projection": OWN_FILLING} for row in rows]
    began = time.perf_counter()
    for first in range(0, len(known), CHUNK):
        chunk = known[first : first + CHUNK]
        await connection.execute(opening)
        await connection.execute(upsert, *([row[name] for row in chunk] for name in kinds))
        await connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    await connection.close()
    stand.server.execute(f"DELETE FROM incident_fact WHERE projection = {OWN_FILLING}", "kpi_engine")  # noqa: S608
    return len(known) / seconds


async def sequencing(stand: Stand) -> dict[str, Any]:
    """Put many events before the sequencer at once, and time until the last has its position."""
    connection = await asyncpg.connect(**stand.database("service-catalog"))
    await connection.execute(f"SET app.org = '{ORG}'")
    work = stand.processes["service-catalog-work"]
    rates: list[float] = []
    spent: list[float] = []
    for _ in range(ROUNDS):
        before = cpu_seconds([work])
        await connection.execute(_COPY_EVENTS, FACTS)
        began = time.perf_counter()
        await _sequenced(connection)
        rates.append(FACTS / (time.perf_counter() - began))
        spent.append(1000 * (cpu_seconds([work]) - before) / FACTS)
        await asyncio.to_thread(stand.settle)
    await connection.close()
    return {
        **_line("sequencing", "events/s", median(rates), ""),
        "further": f"{median(spent):.4f} ms of its process an event, {FACTS:,} at once",
    }


async def _sequenced(connection: Any) -> None:
    while True:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM event_pending)"):
            return
        await asyncio.sleep(LOOK_SECONDS)


def _line(what: str, unit: str, figure: float, wanted: str) -> dict[str, Any]:
    return {"what": what, "unit": unit, "figure": figure, "wanted": wanted}


async def measure(stand: Stand) -> list[dict[str, Any]]:
    """Measure all, the idle platform first."""
    subject = incidents(stand)
    stand.settle(60)
    create_ms = create_p50_ms(stand, subject)
    stand.settle()
    lines = [await propagation(stand, subject, create_ms)]
    fill(stand, subject, FILLED, FACTS)
    stand.settle(60)
    stand.tidy()
    return [*lines, await catching_up(stand), await sequencing(stand)]


def main() -> None:
    """Measure, print a table, and write it as JSON where a folder is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    asked = parser.parse_args()
    with running_stand() as stand:
        lines = asyncio.run(measure(stand))
    publish("events", lines, asked.folder)


if __name__ == "__main__":
    main()
