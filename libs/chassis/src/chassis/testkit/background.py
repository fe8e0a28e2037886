"""A loop in a process of its own, for tests that kill it: `python -m … sequencer|consumer <JSON>`."""

import asyncio
import json
import sys
from typing import Any

import httpx

from chassis.addresses import DatabaseAddress
from chassis.database import Database, Transaction
from chassis.events.consumer import Consumer
from chassis.events.envelope import Event
from chassis.events.handling import in_order
from chassis.events.leases import Leases
from chassis.events.sequencer import Sequencer
from chassis.events.sibling import Sibling


class GivenToken:
    """A token of every organisation."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    async def get(self) -> str:
        """Return the organisation's name, which is the token here."""
        return "*"

    def refuse(self, token: str) -> None:
        """Note a token that was not accepted."""
        self.refused.append(token)


async def count(tx: Transaction, events: list[Event]) -> None:
    """Write down each time an event was applied; a second time is a second row."""
    await tx.connection.executemany(
        "INSERT INTO thing (org, id, created_at, updated_at, name) VALUES ($1, gen_random_uuid(), now(), now(), $2)",
        [(event.orgid, event.id) for event in events],
    )


async def work(loop: str, settings: dict[str, Any]) -> None:
    """Run a loop until this process is killed."""
    worker = Database(DatabaseAddress(**settings["worker"]), size=3)
    if loop == "sequencer":
        await Sequencer(worker, batch_size=settings.get("batch_size", 1000)).run(asyncio.Event())
        return
    async with httpx.AsyncClient() as client:
        sibling = Sibling("producer", settings["url"], client=client, token=GivenToken())
        handlers = {"tandem.note.created.v1": in_order(count)}
        consumer = Consumer(worker, sibling, handlers, batch_size=20, wait_seconds=1)
        await consumer.run(Leases(worker, seconds=0.5), asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], json.loads(sys.argv[2])))
