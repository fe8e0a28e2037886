"""A resource as its slice shows it: one by its id, a page of many, each statement by itself."""

from uuid import UUID

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.listing import Listing
from chassis.outcome import Found, Page
from chassis.reading import get, list_page
from chassis.resource import Resource


class Reader:
    """Reads one resource for callers; a slice's operations offer its `get` and `list` as their own."""

    def __init__(self, database: Database, resource: Resource, seal: CursorSeal) -> None:
        self._database = database
        self._resource = resource
        self._seal = seal

    async def get(self, caller: Caller, id_: UUID) -> Found:
        """Return one of them, or refuse as `not-found`."""
        async with self._database.read(caller) as tx:
            return await get(tx, self._resource, id_)

    async def list(self, caller: Caller, listing: Listing) -> Page:
        """Return a page of them."""
        async with self._database.read(caller) as tx:
            return await list_page(tx, self._resource, listing, self._seal)
