"""The paths of catalogue items."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.http import (
    ExpectedVersion,
    ListQuery,
    OptionalVersion,
    PutCondition,
    Router,
    answer,
    needs,
    problems,
    sorted_by,
)
from chassis.http.batches import Batch, BatchReport
from chassis.schemas import Key, PageOf
from chassis.transitions import Transitions
from service_catalog.catalogue_items import schemas
from service_catalog.catalogue_items.operations import CatalogueItems
from service_catalog.catalogue_items.tables import CATALOGUE_ITEMS

Reader = Annotated[Caller, Depends(needs("catalog:read"))]
Writer = Annotated[Caller, Depends(needs("catalog:write"))]
PATH = "/catalogue-items"


class CatalogueItemQuery(ListQuery):
    """What catalogue items can be found by."""

    sort: Annotated[str | None, sorted_by(CATALOGUE_ITEMS.sorts)] = None
    key: str | None = None
    name: str | None = None
    service_id: list[UUID] | None = None
    state: list[schemas.State] | None = None
    approval_required: bool | None = None
    approver: str | None = None
    calendar_id: UUID | None = None
    fulfilment_team: str | None = None
    external_source: str | None = None
    external_id: str | None = None


def router(items: CatalogueItems) -> Router:
    """Return the paths of catalogue items."""
    routes = Router(tags=["catalogue items"])

    @routes.get(PATH, response_model=PageOf[schemas.CatalogueItem])
    async def list_catalogue_items(
        request: Request, caller: Reader, query: Annotated[CatalogueItemQuery, Query()]
    ) -> Response:
        """List catalogue items, oldest first; `q` looks into key, name and description."""
        return answer(request, await items.list(caller, query.listing()))

    @routes.post(PATH, status_code=201, response_model=schemas.CatalogueItem, responses=problems(409))
    async def create_catalogue_item(request: Request, caller: Writer, new: schemas.NewCatalogueItem) -> Response:
        """Create a catalogue item; it begins as `draft`. A `form_schema` that makes no form is refused."""
        return answer(request, await items.create(caller, new))

    @routes.post(f"{PATH}:batch", response_model=BatchReport, responses=problems(409))
    async def batch_catalogue_items(
        request: Request, caller: Writer, batch: Batch[schemas.CatalogueItemItem]
    ) -> Response:
        """Add or change many catalogue items by their external id or key; the service is named by its id or its key.

        `state` brings the past of another tool along and needs the scope `catalog:import`.
        """
        return answer(request, await items.batch(caller, batch.judged(), batch.mode))

    @routes.get(f"{PATH}/by-key/{{key}}", response_model=schemas.CatalogueItem, responses=problems(404))
    async def get_catalogue_item_by_key(request: Request, caller: Reader, key: str) -> Response:
        """Return the catalogue item with this key."""
        return answer(request, await items.get_by_key(caller, key))

    @routes.put(f"{PATH}/by-key/{{key}}", response_model=schemas.CatalogueItem, responses=problems(409))
    async def put_catalogue_item_by_key(
        request: Request, caller: Writer, key: Key, new: schemas.CatalogueItemReplacement, condition: PutCondition
    ) -> Response:
        """Create or replace the catalogue item with this key.

        `If-None-Match: *` only creates, `If-Match` only replaces; a replacement that changes nothing has no version.
        """
        return answer(request, await items.put(caller, key, new, condition))

    @routes.get(f"{PATH}/{{catalogue_item_id}}", response_model=schemas.CatalogueItem, responses=problems(404))
    async def get_catalogue_item(request: Request, caller: Reader, catalogue_item_id: UUID) -> Response:
        """Return a catalogue item."""
        return answer(request, await items.get(caller, catalogue_item_id))

    @routes.patch(f"{PATH}/{{catalogue_item_id}}", response_model=schemas.CatalogueItem, responses=problems(404, 409))
    async def update_catalogue_item(
        request: Request,
        caller: Writer,
        catalogue_item_id: UUID,
        patch: schemas.CatalogueItemPatch,
        version: ExpectedVersion,
    ) -> Response:
        """Change a catalogue item; requests that were made before keep the target and the calendar they had."""
        return answer(request, await items.change(caller, catalogue_item_id, patch, version))

    @routes.delete(f"{PATH}/{{catalogue_item_id}}", response_model=schemas.CatalogueItem, responses=problems(404, 409))
    async def delete_catalogue_item(
        request: Request, caller: Writer, catalogue_item_id: UUID, version: ExpectedVersion
    ) -> Response:
        """Delete a catalogue item that was never published and never asked for; answers with its last state."""
        return answer(request, await items.delete(caller, catalogue_item_id, version))

    @routes.get(f"{PATH}/{{catalogue_item_id}}/transitions", response_model=Transitions, responses=problems(404))
    async def list_catalogue_item_transitions(request: Request, caller: Reader, catalogue_item_id: UUID) -> Response:
        """Tell where a catalogue item may go from its state, what stands in the way, and how it came here."""
        return answer(request, await items.transitions(caller, catalogue_item_id))

    @routes.post(
        f"{PATH}/{{catalogue_item_id}}/transitions", response_model=schemas.CatalogueItem, responses=problems(404, 409)
    )
    async def transition_catalogue_item(
        request: Request,
        caller: Writer,
        catalogue_item_id: UUID,
        order: schemas.CatalogueItemTransition,
        version: OptionalVersion,
    ) -> Response:
        """Publish a catalogue item (`published`) or withdraw it (`withdrawn`).

        Only a published one takes new requests. To be published it needs a form, and a service that is neither retired
        nor cancelled.
        """
        return answer(request, await items.transition(caller, catalogue_item_id, order, version))

    return routes
