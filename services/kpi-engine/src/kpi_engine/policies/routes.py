"""The paths of policies."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.events.waiting import OwnWrites
from chassis.http import PutCondition, Router, UnsearchedListQuery, answer, needs, problems, sorted_by
from chassis.schemas import PageOf
from kpi_engine.policies import schemas
from kpi_engine.policies.operations import Policies
from kpi_engine.policies.tables import POLICIES

Reader = Annotated[Caller, Depends(needs("kpi:read"))]
Writer = Annotated[Caller, Depends(needs("kpi:write"))]


class PolicyQuery(UnsearchedListQuery):
    """What policies can be listed by."""

    sort: Annotated[str | None, sorted_by(POLICIES.sorts)] = None


def router(policies: Policies, own_writes: OwnWrites) -> Router:
    """Return the paths of policies."""
    routes = Router("/policies", tags=["policies"])
    routes.dependencies.append(Depends(own_writes))

    @routes.get("", response_model=PageOf[schemas.Policy])
    async def list_policies(request: Request, caller: Reader, query: Annotated[PolicyQuery, Query()]) -> Response:
        """List the policies by which your organisation is measured, each from its instant on.

        Before the first one the usual values hold: weights 1, 0.3 and 0, no notice, no tolerance.
        """
        return answer(request, await policies.list(caller, query.listing()))

    @routes.put("", response_model=schemas.Policy, responses=problems(409))
    async def put_policy(request: Request, caller: Writer, new: schemas.NewPolicy, condition: PutCondition) -> Response:
        """Create the policy that holds from `valid_from` on, or replace it.

        To leave what was measured so far as it is, give a later instant than any policy has.
        """
        return answer(request, await policies.put(caller, new, condition))

    @routes.get("/{policy_id}", response_model=schemas.Policy, responses=problems(404))
    async def get_policy(request: Request, caller: Reader, policy_id: UUID) -> Response:
        """Return one policy."""
        return answer(request, await policies.get(caller, policy_id))

    return routes
