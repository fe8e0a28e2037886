from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from chassis.working_time import STANDARD, WorkingCalendar
from kpi_engine.availability.facts import MaintenanceWindow, Outage, Policy, ServiceFacts, Severity
from kpi_engine.availability.figures import availability_figures
from kpi_engine.availability.rules import Account, Timeline
from kpi_engine.definitions.envelope import Figure, Status, Unit, written

START = datetime(2026, 6, 1, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = Fraction(60)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def major(start: datetime, end: datetime | None) -> Outage:
    return Outage(Severity.MAJOR, start, end)


def partial(start: datetime, end: datetime | None) -> Outage:
    return Outage(Severity.PARTIAL, start, end)


def service(
    *outages: Outage,
    windows: tuple[MaintenanceWindow, ...] = (),
    unmeasured: tuple[tuple[datetime, datetime], ...] = (),
    hours: WorkingCalendar | None = None,
    live_from: datetime | None = datetime(2020, 1, 1, tzinfo=UTC),
    retired_at: datetime | None = None,
) -> ServiceFacts:
    return ServiceFacts(live_from, retired_at, hours, outages, windows, unmeasured)


def maintenance(start: datetime, end: datetime, announced: datetime | None = START) -> MaintenanceWindow:
    return MaintenanceWindow(start, end, announced)


def account(facts: ServiceFacts, *policies: Policy, now: datetime = LATER) -> Account:
    return Timeline(facts, policies, now).account(START, END)


def figures(facts: ServiceFacts, *, now: datetime = LATER, target: str | None = None) -> dict[str, Figure]:
    return availability_figures(account(facts, now=now), None if target is None else Decimal(target))


def percent(figure: Figure) -> str:
    assert figure.value is not None
    return written(figure.value, Unit.PERCENT, share=True)


def test_overlapping_outages_and_maintenance_as_in_the_definition() -> None:
    facts = service(
        major(at(10, 10), at(10, 11)),
        partial(at(10, 10, 30), at(10, 12)),
        windows=(maintenance(at(10, 11, 30), at(10, 12, 30)),),
    )
    result = account(facts)
    assert result.agreed == 43_140 * MINUTE
    assert result.downtime == 69 * MINUTE
    availability = availability_figures(result)["availability"]
    assert percent(availability) == "99.840056"
    assert availability.status is Status.OK
    assert (availability.numerator, availability.denominator) == (43_071 * MINUTE, 43_140 * MINUTE)


def test_three_outages_of_an_hour_in_720_hours() -> None:
    result = figures(service(*(major(at(day), at(day, 1)) for day in (3, 9, 20))))
    assert percent(result["availability"]) == "99.583333"
    assert result["mtbf"].value == 239 * 3600
    assert result["mtrs"].value == 3600
    assert result["downtime_seconds"].value == 3 * 3600


def test_degraded_and_withdrawn_outages_take_nothing_away() -> None:
    result = figures(
        service(
            Outage(Severity.DEGRADED, at(3), at(4)),
            Outage(Severity.MAJOR, at(5), at(6), withdrawn=True),
            Outage(Severity.MAJOR, at(7), None, withdrawn=True),
        )
    )
    assert percent(result["availability"]) == "100.000000"
    assert result["mtrs"].reason == "no_down_periods"
    assert result["mtbf"].status is Status.NO_DATA
    assert not result["availability"].provisional


def test_one_second_of_downtime_is_never_rounded_away() -> None:
    facts = service(partial(at(3), at(3) + timedelta(microseconds=10)))
    assert percent(figures(facts)["availability"]) == "99.999999"


@pytest.mark.parametrize(
    ("live_from", "retired_at", "minutes"),
    [
        (at(11), None, 20 * 1440),
        (None, None, 0),
        (datetime(2020, 1, 1, tzinfo=UTC), at(11), 10 * 1440),
        (END, None, 0),
    ],
)
def test_only_the_live_span_counts(live_from: datetime | None, retired_at: datetime | None, minutes: int) -> None:
    facts = service(major(START, at(2)), live_from=live_from, retired_at=retired_at)
    assert account(facts).agreed == minutes * MINUTE


def test_no_agreed_time_is_unknown_not_perfect() -> None:
    result = figures(service(live_from=None), target="99.9")
    assert {figure.reason for figure in result.values()} == {"no_agreed_service_time"}
    assert {figure.value for figure in result.values()} == {None}


def test_a_wholly_unmeasured_period_is_unknown() -> None:
    result = figures(service(unmeasured=((START, END),)))
    assert result["availability"].value is None
    assert result["availability"].reason == "no_agreed_service_time"


def test_unmeasured_time_leaves_the_agreed_time_and_makes_the_value_partial() -> None:
    facts = service(major(at(3), at(4)), unmeasured=((at(10), at(20)), (at(15), at(21))))
    availability = figures(facts)["availability"]
    assert availability.value == Fraction(100 * 18, 19)
    assert (availability.status, availability.reason) == (Status.PARTIAL, "unmeasured_time")


def test_only_service_hours_count() -> None:
    facts = service(major(at(1, 16), at(2, 10)), hours=STANDARD)
    result = account(facts)
    assert result.agreed == 22 * 8 * 60 * MINUTE
    assert result.downtime == 3 * 60 * MINUTE
    assert result.down_periods == 1


@pytest.mark.parametrize(
    ("window", "excused_minutes"),
    [
        (maintenance(at(10), at(10, 2)), 120),
        (maintenance(at(10), at(10, 2), announced=at(10)), 120),
        (maintenance(at(10), at(10, 2), announced=at(10, 0, 1)), 0),
        (maintenance(at(10), at(10, 2), announced=None), 0),
        (MaintenanceWindow(at(10), at(10, 2), START, cancelled=True), 0),
        (MaintenanceWindow(at(10), at(10, 2), START, actual_start=at(10, 1), actual_end=at(10, 4)), 60),
        (MaintenanceWindow(at(10), at(10, 2), START, actual_start=at(9)), 120),
        (MaintenanceWindow(at(10), at(10, 2), START, actual_start=at(10, 5), actual_end=at(10, 6)), 0),
    ],
)
def test_maintenance_is_excused_as_far_as_it_was_announced_and_done(
    window: MaintenanceWindow, excused_minutes: int
) -> None:
    assert account(service(windows=(window,))).agreed == (43_200 - excused_minutes) * MINUTE


def test_notice_is_a_policy_and_exactly_on_time_is_enough() -> None:
    window = maintenance(at(10), at(10, 2), announced=at(8))
    two_days, more = Policy(notice=timedelta(days=2)), Policy(notice=timedelta(days=2, microseconds=1))
    assert account(service(windows=(window,)), two_days).agreed == 43_080 * MINUTE
    assert account(service(windows=(window,)), more).agreed == 43_200 * MINUTE


def test_an_overrun_is_downtime_only_where_an_outage_covers_it() -> None:
    window = MaintenanceWindow(at(10), at(10, 2), START, actual_start=at(10), actual_end=at(10, 4))
    outage = major(at(10), at(10, 3))
    assert account(service(windows=(window,))).downtime == 0
    assert account(service(outage, windows=(window,))).downtime == 60 * MINUTE


def test_a_new_policy_does_not_rewrite_history() -> None:
    facts = service(partial(at(10), at(10, 2)))
    old = Policy()
    new = Policy({Severity.PARTIAL: Decimal(1)}, valid_from=at(10, 1))
    assert account(facts, new, old).downtime == (60 * Fraction(3, 10) + 60) * MINUTE


def test_an_open_outage_runs_to_now_and_is_provisional() -> None:
    open_outage = major(at(10), None)
    result = figures(service(open_outage), now=at(11))
    assert result["downtime_seconds"].value == 86_400
    assert result["availability"].value == 90
    assert (result["availability"].status, result["availability"].reason) == (Status.PARTIAL, "period_open")
    closed_period = figures(service(open_outage), now=LATER)
    assert closed_period["downtime_seconds"].value == 21 * 86_400
    assert closed_period["availability"].provisional
    assert closed_period["availability"].status is Status.OK


def test_an_outage_that_opens_after_the_period_leaves_it_final() -> None:
    assert not figures(service(major(END, None)))["availability"].provisional


def test_a_down_period_is_not_split_by_closed_hours_or_maintenance() -> None:
    facts = service(
        major(at(1, 16), at(1, 22)),
        partial(at(1, 22), at(2, 9)),
        major(at(6), at(7)),
        windows=(maintenance(at(2, 8, 15), at(2, 8, 30)),),
        hours=STANDARD,
    )
    result = account(facts)
    assert result.down_periods == 1
    assert result.down == 105 * MINUTE
    assert result.outages == 3


def test_error_budget_is_of_the_whole_period_and_burn_rate_of_the_past() -> None:
    result = figures(service(major(at(2), at(2) + 1.2 * HOUR)), now=at(11), target="99.5")
    assert result["error_budget_remaining"].value == Fraction(2, 3)
    assert result["burn_rate"].value == 1
    final = figures(service(major(at(2), at(2) + 7.2 * HOUR)), target="99.5")
    assert final["error_budget_remaining"].value == -1
    assert final["burn_rate"].value == 2


def test_without_a_target_or_with_one_of_100_there_is_no_error_budget() -> None:
    facts = service(major(at(2), at(3)))
    assert figures(facts)["error_budget_remaining"].reason == "no_target"
    assert figures(facts, target="100")["burn_rate"].reason == "no_error_budget"


def test_a_portfolio_is_computed_from_sums_not_from_averages() -> None:
    short = service(major(at(29), at(30)), live_from=at(29))
    total = account(short) + account(service())
    assert total.outages == 1
    assert availability_figures(total)["availability"].value == Fraction(100 * 31, 32)


def test_a_month_in_berlin_has_its_real_length() -> None:
    for month, following, hours in ((3, 4, 743), (10, 11, 745)):
        berlin = {3: 1, 4: 2, 10: 2, 11: 1}
        start = datetime(2026, month, 1, tzinfo=UTC) - berlin[month] * HOUR
        end = datetime(2026, following, 1, tzinfo=UTC) - berlin[following] * HOUR
        assert Timeline(service(), (), LATER).account(start, end).agreed == hours * 3600


def test_a_weight_is_a_share() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Policy({Severity.MAJOR: Decimal("1.1")})
