"""What all parts of a project have in common: they are found and listed below it."""

from uuid import UUID

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.listing import Listing
from chassis.outcome import Found, Page
from chassis.reading import get, list_page
from chassis.resource import Resource
from project_tracker.projects.operations import Projects


class Parts:
    """One kind of part of projects; each slice adds how it is written."""

    def __init__(self, database: Database, seal: CursorSeal, projects: Projects, resource: Resource) -> None:
        self._database = database
        self._seal = seal
        self._projects = projects
        self._resource = resource

    async def get(self, caller: Caller, project_id: UUID, id_: UUID) -> Found:
        """Return one part of this project."""
        async with self._database.read(caller) as tx:
            return await get(tx, self._resource, id_, owner=project_id)

    async def list(self, caller: Caller, listing: Listing) -> Page:
        """Return a page of the parts of the listing's owner."""
        async with self._database.read(caller) as tx:
            if listing.owner is not None:
                await self._projects.read(tx, listing.owner)
            return await list_page(tx, self._resource, listing, self._seal)
