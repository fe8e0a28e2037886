"""Working: the loops of a service beside its requests, until the process is told to stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from typing import Any

import structlog
import uvloop
from sqlalchemy import Table

from chassis.events.backlog import Backlog, collected
from chassis.events.leases import Leases
from chassis.events.sequencer import Sequencer
from chassis.housekeeping import Housekeeping
from chassis.metrics import LOOP, process_metrics, serve_metrics
from chassis.serving import spare_the_collector
from chassis.standing import Standing

LOG = structlog.get_logger()
Loop = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set; the database may come and go meanwhile."""


def shared_loops(standing: Standing) -> dict[str, Loop]:
    """Return the loops that every service runs."""
    leases = Leases(standing.worker)
    housekeeping = Housekeeping(standing.worker)
    return {
        "sequencer": Sequencer(standing.worker).run,
        "housekeeping": lambda stop: housekeeping.run(leases, stop),
    }


def work(
    standing: Standing,
    loops: Mapping[str, Loop],
    *,
    clocks: Mapping[str, Table] | None = None,
    reads: Collection[str] = (),
    metrics_port: int = 0,
) -> int:
    """Run loops until a signal; returns the exit code.

    `clocks` are the tables of the timers that the loops look after, by what they are for; `reads` are the siblings
    whose events they read.

    A loop that fails ends the process, loudly: whoever supervises it starts it again.
    """
    serve_metrics(metrics_port)
    run(_work(standing, loops, clocks, reads))
    return 0


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run what works beside the requests to its end, as the requests are run: on uvloop, the collector spared."""
    spare_the_collector()
    uvloop.run(work)


async def _work(
    standing: Standing, loops: Mapping[str, Loop], clocks: Mapping[str, Table] | None, reads: Collection[str]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await standing.check_start()
    standing.watch_pools()
    LOG.info("working", loops=sorted(loops))
    try:
        with collected(Backlog(standing.worker, loop, clocks=clocks, reads=reads)):
            await run_loops(loops, stop)
    finally:
        await standing.close()


async def run_loops(loops: Mapping[str, Loop], stop: asyncio.Event) -> None:
    """Run loops side by side; the first that fails cancels the others and is raised."""
    async with asyncio.TaskGroup() as tasks:
        for name, run in loops.items():
            tasks.create_task(_run(name, run, stop), name=name)


async def _run(name: str, run: Loop, stop: asyncio.Event) -> None:
    LOOP.set(name)
    metrics = process_metrics()
    metrics.run(name, is_running=True)
    try:
        await run(stop)
    finally:
        metrics.run(name, is_running=False)
