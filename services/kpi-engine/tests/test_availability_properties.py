from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.working_time import STANDARD, WorkingCalendar
from kpi_engine.availability.facts import (
    DEFAULT_WEIGHTS,
    MaintenanceWindow,
    Outage,
    Policy,
    ServiceFacts,
    Severity,
)
from kpi_engine.availability.figures import availability_figures
from kpi_engine.availability.rules import Timeline

BEGIN = datetime(2026, 6, 4, 22, tzinfo=UTC)
MINUTES = 26 * 60
MINUTE = timedelta(minutes=1)


def moment(minute: int) -> datetime:
    return BEGIN + minute * MINUTE


minutes = st.integers(0, MINUTES)
moments = minutes.map(moment)
outages = st.builds(Outage, st.sampled_from(Severity), moments, st.none() | moments, st.booleans())
windows = st.builds(
    MaintenanceWindow,
    moments,
    moments,
    st.none() | moments,
    st.booleans(),
    st.none() | moments,
    st.none() | moments,
)
facts = st.builds(
    ServiceFacts,
    st.none() | moments,
    st.none() | moments,
    st.sampled_from([None, STANDARD]),
    st.lists(outages, max_size=6).map(tuple),
    st.lists(windows, max_size=4).map(tuple),
    st.lists(st.tuples(moments, moments), max_size=3).map(tuple),
)


def covers(start: datetime | None, end: datetime | None, when: datetime) -> bool:
    return (start is None or start <= when) and (end is None or when < end)


def is_agreed(given_facts: ServiceFacts, when: datetime) -> bool:
    live = given_facts.live_from is not None and covers(given_facts.live_from, given_facts.retired_at, when)
    calendar: WorkingCalendar | None = given_facts.hours
    open_now = calendar is None or calendar.working_seconds(when, when + MINUTE) == 60
    excused = any(
        not window.cancelled
        and window.announced_at is not None
        and window.announced_at <= window.planned_start
        and covers(window.planned_start, window.planned_end, when)
        and covers(window.actual_start, window.actual_end, when)
        for window in given_facts.windows
    )
    return live and open_now and not excused


def weight(given_facts: ServiceFacts, when: datetime) -> Decimal:
    active = [
        DEFAULT_WEIGHTS[outage.severity]
        for outage in given_facts.outages
        if not outage.withdrawn and covers(outage.started_at, outage.ended_at, when)
    ]
    return max(active, default=Decimal(0))


@settings(deadline=None)
@given(facts, minutes, minutes, minutes)
def test_every_time_equals_a_count_of_minutes(given_facts: ServiceFacts, first: int, second: int, now: int) -> None:
    start, end = sorted((first, second))
    account = Timeline(given_facts, (), moment(now)).account(moment(start), moment(end))
    past = [moment(m) for m in range(start, min(end, now)) if is_agreed(given_facts, moment(m))]
    weights = [weight(given_facts, when) for when in past]
    unmeasured = [when for when in past if any(covers(*span, when) for span in given_facts.unmeasured)]
    assert account.agreed == 60 * len(past)
    assert account.agreed_whole == 60 * sum(is_agreed(given_facts, moment(m)) for m in range(start, end))
    assert account.downtime == 60 * Fraction(sum(weights))
    assert account.down == 60 * sum(w > 0 for w in weights)
    assert account.unmeasured == 60 * len(unmeasured)


@settings(deadline=None)
@given(facts, minutes, minutes, minutes)
def test_times_of_adjoining_periods_add_up(given_facts: ServiceFacts, a: int, b: int, c: int) -> None:
    start, middle, end = sorted((a, b, c))
    timeline = Timeline(given_facts, (Policy(),), moment(MINUTES))
    left = timeline.account(moment(start), moment(middle))
    right = timeline.account(moment(middle), moment(end))
    whole = timeline.account(moment(start), moment(end))
    both = left + right
    assert (both.agreed, both.unmeasured, both.downtime) == (whole.agreed, whole.unmeasured, whole.downtime)
    assert both.down_periods - whole.down_periods in {0, 1}


@given(facts, minutes)
def test_values_stay_within_their_bounds(given_facts: ServiceFacts, now: int) -> None:
    account = Timeline(given_facts, (), moment(now)).account(moment(0), moment(MINUTES))
    figures = availability_figures(account, Decimal("99.5"))
    availability, mtrs, mtbf = figures["availability"], figures["mtrs"], figures["mtbf"]
    if availability.value is None:
        assert account.agreed == account.unmeasured
    else:
        assert 0 <= availability.value <= 100
        assert (availability.value == 100) == (account.downtime == 0)
    if mtrs.value is not None and mtbf.value is not None:
        assert (mtrs.value + mtbf.value) * account.down_periods == account.agreed
    assert 0 <= account.downtime <= account.down <= account.agreed <= account.agreed_whole
