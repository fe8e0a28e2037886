"""The catalogue of KPIs, and who computes which."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.outcome import Found, Page
from chassis.rejection import Fault, invalid, not_found
from kpi_engine.definitions.answers import document, positions
from kpi_engine.definitions.catalogue import CATALOGUE, KpiDefinition
from kpi_engine.definitions.envelope import SubjectType
from kpi_engine.definitions.pages import Family
from kpi_engine.definitions.periods import Grain
from kpi_engine.definitions.questions import Question

_LIST = "kpis"
_NO_ID = UUID(int=0)


class Kpis:
    """KPIs by their codes; `families` compute the values, by what a KPI is about."""

    def __init__(self, families: Mapping[SubjectType, Family], seal: CursorSeal) -> None:
        self._families = families
        self._seal = seal

    def list(self, *, limit: int, after: str | None) -> Page:
        """Return a page of the catalogue, by code."""
        last = "" if after is None else self._seal.open(_LIST, after)[0]
        codes = sorted(code for code in CATALOGUE if code > last)
        page = [_shown(CATALOGUE[code]) for code in codes[:limit]]
        following = self._seal.seal(_LIST, codes[limit - 1], _NO_ID) if len(codes) > limit else None
        return Page(json.dumps(page), following)

    def get(self, code: str) -> Found:
        """Return one KPI."""
        return Found(json.dumps(_shown(self.definition(code))))

    def definition(self, code: str) -> KpiDefinition:
        """Return what a KPI is, or refuse as `not-found`."""
        kpi = CATALOGUE.get(code)
        if kpi is None:
            raise not_found("KPI")
        return kpi

    async def values(self, caller: Caller, question: Question) -> Page:
        """Return values in their envelopes."""
        answered = await self._families[question.kpi.subject_type].values(caller, question)
        items = [document(envelope) for envelope in answered.envelopes]
        return Page(json.dumps(items, ensure_ascii=False), answered.next)

    async def evidence(self, caller: Caller, question: Question) -> Found:
        """Return the facts behind one value; those of a series are asked for one by one."""
        if question.grain is not Grain.TOTAL:
            raise invalid(Fault("grain", "one-value", "Ask for the facts of one value: each has its own link."))
        facts = await self._families[question.kpi.subject_type].evidence(caller, question)
        body = {"items": facts.items, "next": facts.next, "as_of": positions(facts.as_of)}
        return Found(json.dumps(body, ensure_ascii=False))


def _shown(kpi: KpiDefinition) -> dict[str, Any]:
    return {
        "code": kpi.code,
        "name": kpi.name,
        "unit": kpi.unit,
        "direction": kpi.direction,
        "subject_type": kpi.subject_type,
        "formula": kpi.formula,
        "formula_version": kpi.formula_version,
    }
