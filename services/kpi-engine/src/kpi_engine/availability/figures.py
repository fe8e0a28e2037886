"""Availability and the figures derived from the same intervals."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from kpi_engine.availability.rules import Account
from kpi_engine.definitions.envelope import PERCENT, PERIOD_OPEN, Figure, Status

NO_AGREED_SERVICE_TIME = "no_agreed_service_time"
NO_DOWN_PERIODS = "no_down_periods"
NO_TARGET = "no_target"
NO_ERROR_BUDGET = "no_error_budget"
UNMEASURED_TIME = "unmeasured_time"


def availability_figures(account: Account, target: Decimal | None = None) -> dict[str, Figure]:
    """Every availability KPI of one account by its code; the target is a percentage.

    Where the period is still open, or some of it was not measured, the values are partial.
    """
    measured = account.agreed - account.unmeasured
    return {
        code: _qualified(figure, account)
        for code, figure in {
            "availability": _availability(account, measured),
            "downtime_seconds": _downtime(account, measured),
            "mtrs": _per_down_period(account, account.down),
            "mtbf": _per_down_period(account, account.agreed - account.down),
            "error_budget_remaining": _error_budget(account, target),
            "burn_rate": _burn_rate(account, measured, target),
        }.items()
    }


def _availability(account: Account, measured: Fraction) -> Figure:
    if measured <= 0:
        return Figure.missing(NO_AGREED_SERVICE_TIME)
    up = max(measured - account.downtime, Fraction(0))
    return Figure(PERCENT * up / measured, numerator=up, denominator=measured, sample_size=account.outages)


def _downtime(account: Account, measured: Fraction) -> Figure:
    if measured <= 0:
        return Figure.missing(NO_AGREED_SERVICE_TIME)
    return Figure(account.downtime, sample_size=account.outages)


def _per_down_period(account: Account, time: Fraction) -> Figure:
    if account.agreed <= 0:
        return Figure.missing(NO_AGREED_SERVICE_TIME)
    if account.down_periods == 0:
        return Figure.missing(NO_DOWN_PERIODS)
    count = account.down_periods
    return Figure(time / count, numerator=time, denominator=Fraction(count), sample_size=count)


def _error_budget(account: Account, target: Decimal | None) -> Figure:
    allowed = _allowed(target)
    if isinstance(allowed, Figure):
        return allowed
    budget = allowed * account.agreed_whole
    if budget <= 0:
        return Figure.missing(NO_AGREED_SERVICE_TIME)
    spent = account.downtime
    return Figure(1 - spent / budget, numerator=budget - spent, denominator=budget, sample_size=account.outages)


def _burn_rate(account: Account, measured: Fraction, target: Decimal | None) -> Figure:
    allowed = _allowed(target)
    if isinstance(allowed, Figure):
        return allowed
    if measured <= 0:
        return Figure.missing(NO_AGREED_SERVICE_TIME)
    bad = min(account.downtime / measured, Fraction(1))
    return Figure(bad / allowed, numerator=bad, denominator=allowed, sample_size=account.outages)


def _allowed(target: Decimal | None) -> Fraction | Figure:
    """Give the share of the time that may be lost, or why there is none."""
    if target is None:
        return Figure.missing(NO_TARGET)
    allowed = 1 - Fraction(target) / PERCENT
    return allowed if allowed > 0 else Figure.missing(NO_ERROR_BUDGET)


def _qualified(figure: Figure, account: Account) -> Figure:
    provisional = account.period_open or account.outage_open
    reason = figure.reason
    if figure.status is Status.OK:
        if account.period_open:
            reason = PERIOD_OPEN
        elif account.unmeasured > 0:
            reason = UNMEASURED_TIME
    status = Status.PARTIAL if figure.status is Status.OK and reason is not None else figure.status
    return replace(figure, status=status, reason=reason, provisional=provisional)
