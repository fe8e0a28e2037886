"""Applying events one after another, so that one that will never apply does not hold up the others."""

from collections.abc import Iterable
from typing import Literal

from chassis.database import Transaction
from chassis.events import quarantine
from chassis.events.envelope import Event
from chassis.events.handling import Handlers, apply_events, is_lasting

Outcome = Literal["applied", "known", "quarantined"]


async def apply_each(
    tx: Transaction, source: str, events: Iterable[Event], handlers: Handlers, *, projection: int
) -> list[Outcome]:
    """Apply each event by itself and say what came of it; one whose data or a rule is against it is put away."""
    await tx.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    outcomes: list[Outcome] = []
    for event in events:
        try:
            async with tx.savepoint():
                news = await apply_events(tx, source, [event], handlers)
        except Exception as error:
            if not is_lasting(error):
                raise
            await quarantine.keep(tx, source, event, error, projection=projection)
            outcomes.append("quarantined")
        else:
            outcomes.append("applied" if news else "known")
    return outcomes
