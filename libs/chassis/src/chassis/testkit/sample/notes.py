"""A builder of notes: a test states only what matters to it."""

from typing import Any
from uuid import UUID

from chassis import ids
from chassis.caller import Caller
from chassis.database import Database
from chassis.keys import command, conclude
from chassis.outcome import Written
from chassis.testkit.sample.tables import NOTES
from chassis.writing import insert_one


def a_caller() -> Caller:
    """Return a caller of an organisation that nobody else uses."""
    return Caller(org=f"org-{ids.new_id()}", subject="ada", correlation_id="first-request")


def note_values(**given: Any) -> dict[str, Any]:
    """Return the columns of a note, blank but for those given."""
    blank: dict[str, Any] = {
        "key": None,
        "title": "a note",
        "starts_at": None,
        "weight": None,
        "price_amount": None,
        "price_currency": None,
        "tags": [],
        "external_source": None,
        "external_id": None,
        "labels": {},
    }
    return blank | given


async def add_note(database: Database, caller: Caller, **given: Any) -> Written:
    """Add a note as an operation does."""
    async with command(database, caller) as tx:
        return await conclude(tx, await insert_one(tx, NOTES, note_values(**given)))


def id_of(written: Written) -> UUID:
    """Return the id of the one resource that was written."""
    if written.id is None:
        raise TypeError("this is the answer to a batch")
    return written.id
