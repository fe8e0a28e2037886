"""The paths of KPIs, their values and the evidence of these."""

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from chassis.caller import Caller
from chassis.events.waiting import OwnWrites
from chassis.http import Router, answer, needs, problems
from chassis.http.links import prefix
from kpi_engine.definitions import schemas
from kpi_engine.definitions.operations import Kpis

Reader = Annotated[Caller, Depends(needs("kpi:read"))]


def router(kpis: Kpis, own_writes: OwnWrites) -> Router:
    """Return the paths of KPIs; they wait for what `After-Event` names."""
    routes = Router("/kpis", tags=["kpis"])
    routes.dependencies.append(Depends(own_writes))

    @routes.get("", response_model=schemas.KpiPage)
    async def list_kpis(
        request: Request, _: Reader, limit: schemas.PageSize = 50, after: schemas.Cursor = None
    ) -> Response:
        """List the KPIs by code: what each is about, its unit, which way is better, and how it is computed."""
        return answer(request, kpis.list(limit=limit, after=after))

    @routes.get("/{code}", response_model=schemas.Kpi, responses=problems(404))
    async def get_kpi(request: Request, _: Reader, code: str) -> Response:
        """Return one KPI."""
        return answer(request, kpis.get(code))

    @routes.get("/{code}/values", response_model=schemas.ValuePage, responses=problems(404))
    async def list_kpi_values(
        request: Request, caller: Reader, code: str, query: Annotated[schemas.ValuesQuery, Query()]
    ) -> Response:
        """Return values of a KPI.

        A KPI of services needs `from` and `to`; with `grain` the period is cut into a series along the calendar of
        `timezone`, so that a month has its real length. `subject_type=organisation` answers for all services
        together, recomputed from the summed times. A KPI of projects answers for `status_at` (or `to`, else now);
        with a `grain` it answers for the end of each period between `from` and `to`. Without `subject_id` there is
        one series a subject, in pages of subjects.
        """
        question = query.question(kpis.definition(code), prefix(request.scope))
        return answer(request, await kpis.values(caller, question))

    @routes.get("/{code}/evidence", response_model=schemas.EvidencePage, responses=problems(404))
    async def list_kpi_evidence(
        request: Request, caller: Reader, code: str, query: Annotated[schemas.ValuesQuery, Query()]
    ) -> Response:
        """Return the facts behind one value: the `evidence` link of each value leads here.

        Of a service: its agreed time, maintenance windows and outages, clipped to the period. Of the organisation:
        the times of each service. Of a project: the tasks of the baseline, progress reports and costs.
        """
        question = query.question(kpis.definition(code), prefix(request.scope))
        return answer(request, await kpis.evidence(caller, question))

    return routes
