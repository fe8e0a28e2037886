from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.rejection import Rejection
from chassis.schemas import (
    LABELS_MAX,
    UNSET,
    Amount,
    Day,
    DecimalString,
    DecimalText,
    ExternalIdentity,
    Input,
    Instant,
    Key,
    Labels,
    Money,
    Name,
    Patch,
    Percent,
    Text,
    instant_text,
    merged_labels,
    parse_instant,
)

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)
FIRST = datetime(1900, 1, 1)  # noqa: DTZ001  (hypothesis wants its bounds naive)
LAST = datetime(2199, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001  (likewise)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)), OFFSETS)
def test_an_instant_is_the_same_in_any_offset(instant: datetime, offset: timezone) -> None:
    read = INSTANT.validate_python(instant.astimezone(offset).isoformat())
    assert read == instant
    assert read.tzinfo is UTC
    written = INSTANT.dump_json(read).decode()
    assert written.endswith('Z"')
    assert INSTANT.validate_json(written) == instant


@given(st.text())
def test_no_text_breaks_the_reading_of_an_instant(text: str) -> None:
    try:
        read = INSTANT.validate_python(text)
    except ValidationError:
        return
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-29T01:00:00Z", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29t01:00:00z", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29 03:00:00+02:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T01:00:00.5-00:00", datetime(2026, 3, 29, 1, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-29T01:00:00.123456789Z", datetime(2026, 3, 29, 1, 0, 0, 123_456, tzinfo=UTC)),
        ("1899-12-31T23:30:00-01:00", datetime(1900, 1, 1, 0, 30, tzinfo=UTC)),
    ],
)
def test_instants_as_they_are_written(text: str, instant: datetime) -> None:
    assert INSTANT.validate_python(text) == instant


@pytest.mark.parametrize(
    "wrong",
    [
        "2026-03-29T01:00:00",
        "2026-03-29",
        "2026-02-30T01:00:00Z",
        "2026-03-29T24:00:00Z",
        "2026-03-29T01:00:60Z",
        "2026-03-29T01:00Z",
        "2026-03-29T01:00:00+0200",
        "2026-03-29T01:00:00+25:00",
        "20260329T010000Z",
        "2026-W13-7T01:00:00Z",
        "1774746000",
        1774746000,
        "1900-01-01T00:30:00+01:00",
        "2199-12-31T23:30:00-01:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٦-03-29T01:00:00Z",
        "2026-03-29T01:00:00Z\n",
        None,
        datetime(2026, 3, 29),  # noqa: DTZ001  (naive on purpose)
        date(2026, 3, 29),
    ],
)
def test_what_is_no_instant(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(wrong)


def test_an_aware_instant_is_taken_as_it_is() -> None:
    assert parse_instant(datetime(2026, 3, 29, 3, tzinfo=timezone(timedelta(hours=2)))).isoformat() == (
        "2026-03-29T01:00:00+00:00"
    )


@pytest.mark.parametrize("wrong", ["2026-02-30", "2026-2-3", "2026-02-03T00:00:00Z", "1899-12-31", 5, "20260203"])
def test_what_is_no_day(wrong: Any) -> None:
    days: TypeAdapter[date] = TypeAdapter(Day)
    assert days.dump_json(days.validate_python("2026-02-28")) == b'"2026-02-28"'
    with pytest.raises(ValidationError):
        days.validate_python(wrong)


@given(st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=10, allow_nan=False))
def test_an_amount_is_never_rounded_on_input(amount: Decimal) -> None:
    assert AMOUNT.validate_python(format(amount, "f")) == amount


@given(st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=10, allow_nan=False))
def test_an_amount_is_written_with_four_places(amount: Decimal) -> None:
    written = AMOUNT.dump_python(amount, mode="json")
    assert abs(Decimal(written) - amount) <= Decimal("0.00005")
    assert len(written.partition(".")[2]) == 4
    assert not (Decimal(written) == 0 and written.startswith("-"))


@given(st.text(alphabet="0123456789.-+eE _٣\n", max_size=30))
def test_no_text_breaks_the_reading_of_an_amount(text: str) -> None:
    try:
        amount = AMOUNT.validate_python(text)
    except ValidationError:
        return
    assert abs(amount) < 10**15
    assert amount == Decimal(text)


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "1,5", "1.", ".5", "1e3", "+1", " 1", "1 ", "NaN", "Infinity", "1_0", "٣", "1\n", 1, 1.5, True, None),
        *("1234567890123456", "0.12345678901", Decimal("NaN"), Decimal(10) ** 15),
    ],
)
def test_what_is_no_amount(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        AMOUNT.validate_python(wrong)


def test_zero_has_no_sign() -> None:
    assert AMOUNT.dump_python(AMOUNT.validate_python("-0.00001"), mode="json") == "0.0000"
    assert str(AMOUNT.validate_python("-0")) == "0"


def test_decimals_are_rounded_half_to_even_when_written() -> None:
    decimals: TypeAdapter[Decimal] = TypeAdapter(DecimalString)
    assert decimals.dump_python(Decimal("0.0000005"), mode="json") == "0.000000"
    assert decimals.dump_python(Decimal("0.0000015"), mode="json") == "0.000002"


@pytest.mark.parametrize("wrong", ["-1", "100.000000000001", "0.1234567890123", "1000"])
def test_percents_are_bounded(wrong: str) -> None:
    percents: TypeAdapter[Decimal] = TypeAdapter(Percent)
    assert percents.validate_python("100") == 100
    assert percents.validate_python("0.123456789012") == Decimal("0.123456789012")
    with pytest.raises(ValidationError):
        percents.validate_python(wrong)


def test_bounds_of_a_decimal_of_ones_own() -> None:
    degrees = DecimalText(before=3, after=1, places=1, at_least=Decimal(-273), at_most=Decimal(500))
    assert degrees.parse("-273") == -273
    for wrong in ("-273.1", "500.1"):
        with pytest.raises(ValueError, match=r"at (least|most)"):
            degrees.parse(wrong)


@pytest.mark.parametrize("currency", ["eur", "EURO", "E1R", "", "EU", None, "EUR\n"])
def test_currencies_have_three_letters(currency: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": "1", "currency": currency})


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        (Key, ["a", "web-shop", "1.2_3", "x" * 64], ["", "A", "-a", "a b", "x" * 65, "ä", "a\n"]),
        (Name, ["a", " a ", "x" * 200], ["", "   ", "\n", "x" * 201]),
        (Text, ["", "x" * 10_000], ["x" * 10_001]),
        (
            Labels,
            [{}, {"a": ""}, {str(number): "x" * 256 for number in range(50)}],
            [{"": "a"}, {"x" * 65: "a"}, {"a": "x" * 257}, {"a": 1}, {str(number): "" for number in range(51)}],
        ),
    ],
)
def test_bounded_fields(kind: Any, good: list[Any], wrong: list[Any]) -> None:
    field: TypeAdapter[Any] = TypeAdapter(kind)
    for value in good:
        assert field.validate_python(value) == value
    for value in wrong:
        with pytest.raises(ValidationError):
            field.validate_python(value)


def test_inputs_refuse_what_they_do_not_know_and_stay_as_they_are() -> None:
    class Thing(Input):
        name: Name

    with pytest.raises(ValidationError, match="extra_forbidden"):
        Thing.model_validate({"name": "a", "nmae": "b"})
    with pytest.raises(ValidationError, match="frozen"):
        Thing(name="a").name = "b"


def test_a_patch_holds_what_was_sent() -> None:
    class ThingPatch(Patch):
        name: Name = UNSET
        note: Text | None = UNSET

    assert ThingPatch.model_validate_json("{}").changes({}) == {}
    assert ThingPatch.model_validate_json('{"note": null}').changes({}) == {"note": None}
    assert ThingPatch.model_validate_json('{"note": "x", "name": "y"}').changes({}) == {"name": "y", "note": "x"}
    with pytest.raises(ValidationError):
        ThingPatch.model_validate_json('{"name": null}')


def test_source_and_id_belong_together() -> None:
    assert ExternalIdentity().external_id is None
    assert ExternalIdentity(external_source="cmdb", external_id="42").external_id == "42"
    for half in ({"external_source": "cmdb"}, {"external_id": "42"}):
        with pytest.raises(ValidationError, match="together"):
            ExternalIdentity.model_validate(half)


def test_a_merge_patch_of_labels_adds_replaces_and_takes_away() -> None:
    assert merged_labels({"a": "1", "b": "2"}, {"a": None, "b": "3", "c": "4"}) == {"b": "3", "c": "4"}
    many = {f"name{number}": "x" for number in range(LABELS_MAX)}
    assert len(merged_labels(many, {"name0": None, "other": "x"})) == LABELS_MAX
    with pytest.raises(Rejection):
        merged_labels(many, {"other": "x"})


@pytest.mark.parametrize(
    "written",
    ["2026-03-02T08:00:00Z", "2026-03-02T08:00:00.6403Z", "2026-03-02T08:00:10.000001Z", "2026-03-02T08:00:00.5Z"],
)
def test_an_instant_is_written_without_needless_digits(written: str) -> None:
    assert instant_text(parse_instant(written)) == written
