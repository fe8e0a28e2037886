"""Envelopes made from figures, and written as clients see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from chassis.schemas import instant_text
from kpi_engine.definitions.catalogue import KpiDefinition
from kpi_engine.definitions.envelope import (
    OTHER_PLACES,
    Envelope,
    Figure,
    Period,
    Standing,
    Subject,
    Unit,
    rounded,
    written,
    written_or_none,
)


def envelope(
    kpi: KpiDefinition,
    subject: Subject,
    period: Period,
    figure: Figure,
    *,
    as_of: tuple[tuple[str, str], ...],
    evidence: str,
    currency: str | None = None,
    of_money: bool = False,
) -> Envelope:
    """Put a figure into its envelope; here, and only here, it is rounded.

    `of_money` says that numerator and denominator are amounts of the currency.
    """
    return Envelope(
        kpi=kpi.code,
        subject=subject,
        period=period,
        value=written_or_none(figure.value, kpi.unit, share=kpi.share),
        unit=kpi.unit,
        currency=currency if kpi.unit is Unit.MONEY else None,
        status=figure.status,
        reason=figure.reason,
        numerator=part(figure.numerator, is_money=of_money),
        denominator=part(figure.denominator, is_money=of_money),
        sample_size=figure.sample_size,
        target=None,
        standing=Standing.UNKNOWN,
        provisional=figure.provisional,
        formula=kpi.formula_reference,
        as_of=as_of,
        evidence=evidence,
    )


def part(value: Fraction | None, *, is_money: bool = False) -> str | None:
    """Write a numerator or denominator: money to four places, what else is counted as short as it is."""
    if value is None:
        return None
    if is_money:
        return written(value, Unit.MONEY)
    text = f"{rounded(value, OTHER_PLACES):f}"
    return text.rstrip("0").rstrip(".")


def document(answer: Envelope) -> dict[str, Any]:
    """Write an envelope as JSON."""
    return {
        "kpi": answer.kpi,
        "subject": {"type": answer.subject.type, "id": answer.subject.id},
        "period": {
            "start": instant_text(answer.period.start),
            "end": instant_text(answer.period.end),
            "timezone": answer.period.timezone,
        },
        "value": answer.value,
        "unit": answer.unit,
        "currency": answer.currency,
        "status": answer.status,
        "reason": answer.reason,
        "numerator": answer.numerator,
        "denominator": answer.denominator,
        "sample_size": answer.sample_size,
        "target": answer.target,
        "standing": answer.standing,
        "provisional": answer.provisional,
        "formula": answer.formula,
        "as_of": positions(answer.as_of),
        "evidence": answer.evidence,
    }


def positions(as_of: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Write how far each source had been read."""
    return dict(as_of)
