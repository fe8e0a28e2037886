"""The publicly quoted availability of a large service, from its published incidents."""

import csv
import gzip
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from kpi_engine.availability.facts import Outage, ServiceFacts, Severity
from kpi_engine.availability.figures import availability_figures
from kpi_engine.availability.rules import Timeline
from kpi_engine.definitions.envelope import Status, Unit, written

INCIDENTS = Path(__file__).parents[3] / "tests/data/github-status/windows_20260328.csv.gz"
START = datetime(2025, 12, 29, tzinfo=UTC)
END = datetime(2026, 3, 29, tzinfo=UTC)
LIVE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def outages() -> tuple[Outage, ...]:
    with gzip.open(INCIDENTS, "rt", encoding="utf-8", newline="") as file:
        return tuple(
            Outage(
                Severity.MAJOR,
                datetime.fromisoformat(row["downtime_start"]),
                datetime.fromisoformat(row["downtime_end"]),
            )
            for row in csv.DictReader(file)
            if row["impact"] != "maintenance"
        )


def test_the_quoted_availability_of_ninety_days(outages: tuple[Outage, ...]) -> None:
    account = Timeline(ServiceFacts(LIVE, outages=outages), (), END).account(START, END)
    assert account.agreed == 129_600 * 60
    assert account.downtime == 12_961 * 60
    figure = availability_figures(account)["availability"]
    assert figure.value is not None
    assert written(figure.value, Unit.PERCENT, share=True) == "89.999228"
    assert (figure.status, figure.provisional) == (Status.OK, False)


def test_without_merging_the_incidents_it_would_be_worse(outages: tuple[Outage, ...]) -> None:
    apart = (Timeline(ServiceFacts(LIVE, outages=(outage,)), (), END) for outage in outages)
    total = sum((one.account(START, END).downtime for one in apart), start=Fraction(0))
    assert total == 14_036 * 60
