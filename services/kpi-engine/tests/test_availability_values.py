import asyncio
import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from chassis import ids
from kpi_engine.definitions import schemas
from kpi_engine.intake.schemas import ProjectionProgress
from kpi_engine.main import create_app
from kpi_engine.policies.schemas import NewPolicy, Policy

INCIDENTS = Path(__file__).parents[3] / "tests/data/github-status/windows_20260328.csv.gz"
JUNE = {"from_": "2025-06-01T00:00:00Z", "to": "2025-07-01T00:00:00Z"}


async def test_the_quoted_availability_of_ninety_days(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    with gzip.open(INCIDENTS, "rt", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["impact"] != "maintenance"]
    await siblings.outages(service, *((row["downtime_start"], row["downtime_end"]) for row in rows))
    value = await ask.value(
        "availability",
        subject_type="service",
        subject_id=str(service),
        from_="2025-12-29T00:00:00Z",
        to="2026-03-29T00:00:00Z",
        grain="total",
        timezone="UTC",
    )
    assert (value["value"], value["unit"], value["status"], value["reason"]) == ("89.999228", "percent", "ok", None)
    assert Decimal(value["denominator"]) == 129_600 * 60
    assert Decimal(value["numerator"]) == (129_600 - 12_961) * 60
    assert value["as_of"]["service-catalog"].endswith(f"{siblings.positions['service-catalog']:019d}")
    assert schemas.Value.model_validate(value, extra="forbid").formula == "availability@1"


async def test_overlapping_outages_weights_and_maintenance(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    await siblings.outages(service, ("2025-06-10T10:00:00Z", "2025-06-10T11:00:00Z"))
    await siblings.outages(service, ("2025-06-10T10:30:00Z", "2025-06-10T12:00:00Z"), severity="partial")
    await siblings.windows(service, planned_start="2025-06-10T11:30:00Z", planned_end="2025-06-10T12:30:00Z")
    of_june = {"subject_id": str(service), **JUNE}
    availability = await ask.value("availability", **of_june)
    assert availability["value"] == "99.840056"
    assert Decimal(availability["denominator"]) == 43_140 * 60
    assert (await ask.value("downtime_seconds", **of_june))["value"] == "4140.000000"


async def test_three_outages_of_an_hour(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    days = ("03", "13", "23")
    await siblings.outages(service, *((f"2025-06-{day}T10:00:00Z", f"2025-06-{day}T11:00:00Z") for day in days))
    of_june = {"subject_id": str(service), **JUNE}
    assert (await ask.value("availability", **of_june))["value"] == "99.583333"
    assert (await ask.value("mtbf", **of_june))["value"] == f"{239 * 3600}.000000"
    mtrs = await ask.value("mtrs", **of_june)
    assert (mtrs["value"], mtrs["denominator"], mtrs["sample_size"]) == ("3600.000000", "3", 3)
    for code in ("error_budget_remaining", "burn_rate"):
        value = await ask.value(code, **of_june)
        assert (value["value"], value["status"], value["reason"]) == (None, "no_data", "no_target")
        assert (value["target"], value["standing"]) == (None, "unknown")


async def test_without_outages_there_is_no_time_between_them(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    value = await ask.value("mtbf", subject_id=str(service), **JUNE)
    assert (value["value"], value["status"], value["reason"]) == (None, "no_data", "no_down_periods")


async def test_what_is_not_live_has_no_agreed_time(siblings: Any, ask: Any) -> None:
    for given in ({"live_from": None}, {"live_from": "2025-07-01T00:00:00Z"}, {"retired_at": "2025-06-01T00:00:00Z"}):
        service = await siblings.service(**given)
        value = await ask.value("availability", subject_id=str(service), **JUNE)
        assert (value["value"], value["reason"]) == (None, "no_agreed_service_time"), given


async def test_withdrawn_outages_and_cancelled_windows_are_in_no_figure(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    outage = {
        "id": str(ids.new_id()),
        "service_id": str(service),
        "severity": "major",
        "started_at": "2025-06-10T10:00:00Z",
        "ended_at": "2025-06-10T11:00:00Z",
        "state": "ended",
    }
    await siblings.tell("service-catalog", "outages", outage)
    await siblings.tell("service-catalog", "outages", outage | {"state": "withdrawn"}, verb="withdrawn")
    await siblings.windows(
        service, planned_start="2025-06-10T11:30:00Z", planned_end="2025-06-10T12:30:00Z", state="cancelled"
    )
    value = await ask.value("availability", subject_id=str(service), **JUNE)
    assert (value["value"], value["denominator"]) == ("100.000000", str(720 * 3600))


async def test_agreed_hours_of_a_calendar_and_of_one_nobody_told_of(siblings: Any, ask: Any) -> None:
    calendar_id = str(ids.new_id())
    service = await siblings.service(calendar_id=calendar_id)
    unknown = await ask.value("availability", subject_id=str(service), **JUNE)
    assert (unknown["status"], unknown["reason"]) == ("no_data", "calendar_unknown")
    monday = [{"weekday": "monday", "intervals": [["08:00", "18:00"]]}]
    calendar = {"id": calendar_id, "timezone": "UTC", "weekly": monday, "holidays": [], "exceptions": []}
    await siblings.tell("service-catalog", "calendars", calendar)
    await siblings.outages(service, ("2025-06-09T17:00:00Z", "2025-06-09T20:00:00Z"))
    value = await ask.value("availability", subject_id=str(service), **JUNE)
    assert (value["denominator"], value["numerator"]) == (str(5 * 36_000), str(5 * 36_000 - 3600))


async def test_months_of_a_zone_have_their_real_length(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    answer = await ask.get(
        "kpis/availability/values",
        subject_id=str(service),
        from_="2025-01-01",
        to="2026-01-01",
        grain="month",
        timezone="Europe/Berlin",
    )
    hours = [int(item["denominator"]) // 3600 for item in answer["items"]]
    assert (len(hours), hours[2], hours[9], hours[1]) == (12, 743, 745, 672)
    assert answer["items"][2]["period"] == {
        "start": "2025-02-28T23:00:00Z",
        "end": "2025-03-31T22:00:00Z",
        "timezone": "Europe/Berlin",
    }


@pytest.mark.parametrize(("grain", "count"), [("day", 365), ("week", 53), ("quarter", 4), ("year", 1), ("total", 1)])
async def test_grains_cover_the_period_without_gaps(siblings: Any, ask: Any, grain: str, count: int) -> None:
    service = await siblings.service()
    span = {"from_": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    items = (await ask.get("kpis/availability/values", subject_id=str(service), grain=grain, **span))["items"]
    assert len(items) == count
    edges = [span["from_"], *(item["period"]["end"] for item in items)]
    assert [item["period"]["start"] for item in items] == edges[:-1]
    assert edges[-1] == span["to"]


async def test_the_portfolio_is_recomputed_from_sums(siblings: Any, ask: Any, org: str) -> None:
    for number in range(3):
        service = await siblings.service(live_from="2025-06-16T00:00:00Z" if number else "2020-01-01T00:00:00Z")
        if number == 0:
            await siblings.outages(service, ("2025-06-10T00:00:00Z", "2025-06-12T00:00:00Z"))
    value = await ask.value("availability", subject_type="organisation", **JUNE)
    assert value["subject"] == {"type": "organisation", "id": org}
    assert (value["denominator"], value["numerator"]) == (str(60 * 86_400), str(58 * 86_400))
    assert value["value"] == "96.666667"
    evidence = await ask.get("kpis/availability/evidence", subject_type="organisation", **JUNE)
    assert [item["kind"] for item in evidence["items"]] == ["service"] * 3


async def test_pages_of_subjects_in_the_order_of_their_ids(siblings: Any, ask: Any) -> None:
    services = sorted([str(await siblings.service()) for _ in range(5)])
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = await ask.get("kpis/availability/values", limit=2, after=after, grain="month", **JUNE)
        seen += [item["subject"]["id"] for item in page["items"]]
        after = page["next"]
    assert (seen, after) == (services, None)
    first = await ask.get("kpis/availability/values", limit=2, **JUNE)
    other = {"from_": "2025-05-01T00:00:00Z", "to": JUNE["to"]}
    await ask.get("kpis/availability/values", limit=2, after=first["next"], **other, status=422)


async def test_the_facts_behind_a_value(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    await siblings.outages(service, ("2025-05-31T23:00:00Z", "2025-06-01T01:00:00Z"), ("2025-06-05T00:00:00Z", None))
    await siblings.windows(service, planned_start="2025-06-10T11:30:00Z", planned_end="2025-06-10T12:30:00Z")
    await siblings.windows(
        service,
        planned_start="2025-06-11T11:30:00Z",
        planned_end="2025-06-11T12:30:00Z",
        announced_at="2025-06-11T11:31:00Z",
    )
    value = await ask.value("availability", subject_id=str(service), **JUNE)
    path = value["evidence"].removeprefix("/v1/")
    everything = await ask.get(path)
    assert await ask.get(f"{path}&grain=total") == everything
    await ask.get(f"{path}&grain=day", status=422)
    schemas.EvidencePage.model_validate(everything, extra="forbid")
    kinds = [item["kind"] for item in everything["items"]]
    assert kinds == ["agreed_time", "maintenance_window", "maintenance_window", "outage", "outage"]
    assert [item["qualifies"] for item in everything["items"][1:3]] == [True, False]
    clipped = [(item["counted_from"], item["counted_to"]) for item in everything["items"][3:]]
    assert clipped == [
        ("2025-06-01T00:00:00Z", "2025-06-01T01:00:00Z"),
        ("2025-06-05T00:00:00Z", "2025-07-01T00:00:00Z"),
    ]
    pages, after = [], None
    for _ in range(3):
        page = await ask.get("kpis/availability/evidence", subject_id=str(service), limit=2, after=after, **JUNE)
        pages += page["items"]
        after = page["next"]
    assert (pages, after) == (everything["items"], None)


async def test_the_facts_count_as_the_value_does(siblings: Any, ask: Any) -> None:
    service = await siblings.service(live_from="2025-06-16T12:00:00Z", retired_at="2025-06-20T00:00:00Z")
    await siblings.outages(
        service,
        ("2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z"),
        ("2025-06-10T00:00:00Z", "2025-06-16T13:00:00Z"),
        ("2025-06-19T23:00:00Z", None),
    )
    value = await ask.value("downtime_seconds", subject_id=str(service), **JUNE)
    facts = (await ask.get("kpis/availability/evidence", subject_id=str(service), **JUNE))["items"][1:]
    assert (value["value"], [(item["counted_from"], item["counted_to"]) for item in facts]) == (
        "7200.000000",
        [
            (None, None),
            ("2025-06-16T12:00:00Z", "2025-06-16T13:00:00Z"),
            ("2025-06-19T23:00:00Z", "2025-06-20T00:00:00Z"),
        ],
    )


async def test_an_outage_is_told_once_for_each_weight(
    siblings: Any, ask: Any, engine: Any, signer: Any, org: str
) -> None:
    service = await siblings.service()
    await siblings.outages(service, ("2025-06-10T10:00:00Z", "2025-06-10T11:00:00Z"), severity="degraded")
    for at, weight in (("10:15", "0"), ("10:30", "0.5"), ("10:45", "0.5")):
        policy = {"valid_from": f"2025-06-10T{at}:00Z", "outage_weights": {"degraded": weight}}
        token = signer.token("kpi:write", org=org, aud="kpi-engine")
        sent = await engine.put("/v1/policies", json=policy, headers={"Authorization": f"Bearer {token}"})
        assert sent.status_code == 201
    assert (await ask.value("downtime_seconds", subject_id=str(service), **JUNE))["value"] == "900.000000"
    shown, after = [], None
    for _ in range(3):
        asked = {"subject_id": str(service), "limit": 1, "after": after}
        page = await ask.get("kpis/availability/evidence", **asked, **JUNE)
        shown += page["items"]
        after = page["next"]
    assert [(item["weight"], item["counted_from"][11:16], item["counted_to"][11:16]) for item in shown[1:]] == [
        ("0", "10:00", "10:30"),
        ("0.5", "10:30", "11:00"),
    ]


async def test_what_nobody_knows_the_hours_of_has_no_times(siblings: Any, ask: Any) -> None:
    await siblings.service()
    unknown = await siblings.service(calendar_id=str(ids.new_id()))
    value = await ask.value("availability", subject_type="organisation", **JUNE)
    facts = (await ask.get("kpis/availability/evidence", subject_type="organisation", **JUNE))["items"]
    assert sum(int(item["agreed_seconds"]) for item in facts) == int(value["denominator"]) == 30 * 86_400
    (own,) = (await ask.get("kpis/availability/evidence", subject_id=str(unknown), **JUNE))["items"]
    assert (own["agreed_seconds"], own["calendar_id"] is None) == ("0", False)


async def test_another_organisation_sees_nothing(siblings: Any, ask: Any, org: str) -> None:
    service = await siblings.service()
    await ask.get("kpis/availability/values", subject_id=str(service), org=f"{org}-x", status=404, **JUNE)
    assert (await ask.get("kpis/availability/values", org=f"{org}-x", **JUNE))["items"] == []
    portfolio = {"subject_type": "organisation", "org": f"{org}-x", **JUNE}
    await ask.get("kpis/availability/values", subject_id=org, status=404, **portfolio)
    assert (await ask.value("availability", **portfolio))["reason"] == "no_agreed_service_time"


async def test_a_policy_holds_from_its_instant_on(siblings: Any, ask: Any, engine: Any, signer: Any, org: str) -> None:
    service = await siblings.service()
    for month in ("05", "06"):
        await siblings.outages(
            service, (f"2025-{month}-10T10:00:00Z", f"2025-{month}-10T11:00:00Z"), severity="degraded"
        )
    policy = {"valid_from": "2025-06-01T00:00:00Z", "outage_weights": {"degraded": "0.5"}}
    token = signer.token("kpi:write", "kpi:read", org=org, aud="kpi-engine")
    headers = {"Authorization": f"Bearer {token}"}
    created = await engine.put("/v1/policies", json=policy, headers=headers)
    assert (created.status_code, created.headers["etag"], "event-id" in created.headers) == (201, '"1"', True)
    spans = {"from_": "2025-05-01T00:00:00Z", "to": "2025-07-01T00:00:00Z", "grain": "month"}
    items = (await ask.get("kpis/downtime_seconds/values", subject_id=str(service), **spans))["items"]
    assert [item["value"] for item in items] == ["0.000000", "1800.000000"]
    replaced = await engine.put("/v1/policies", json=policy | {"milestone_tolerance_days": 2}, headers=headers)
    assert (replaced.status_code, replaced.json()["version"], replaced.json()["outage_weights"]["degraded"]) == (
        200,
        2,
        "0.5",
    )
    stale = await engine.put("/v1/policies", json=policy, headers={**headers, "If-Match": '"1"'})
    assert stale.status_code == 412
    again = await engine.put("/v1/policies", json=policy, headers={**headers, "If-None-Match": "*"})
    assert again.status_code == 412
    heavy = await engine.put("/v1/policies", json={"outage_weights": {"major": "1.1"}}, headers=headers)
    assert heavy.status_code == 422
    unread = await engine.put(
        "/v1/policies",
        json=policy,
        headers={"Authorization": f"Bearer {signer.token('kpi:read', org=org, aud='kpi-engine')}"},
    )
    assert unread.status_code == 403


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "missing"),
        ({"from_": "2025-06-01T00:00:00Z"}, "missing"),
        ({"from_": JUNE["to"], "to": JUNE["from_"]}, "period-empty"),
        ({**JUNE, "timezone": "Mars/Olympus"}, "timezone-unknown"),
        ({**JUNE, "timezone": "localtime"}, "timezone-unknown"),
        ({**JUNE, "timezone": "../etc/passwd"}, "timezone-unknown"),
        ({**JUNE, "grain": "fortnight"}, "not-one-of"),
        ({**JUNE, "subject_type": "planet"}, "not-one-of"),
        ({**JUNE, "subject_type": "project"}, "subject-type-unfit"),
        ({**JUNE, "status_at": "2025-06-01"}, "parameter-not-applicable"),
        ({**JUNE, "baseline": "original"}, "parameter-not-applicable"),
        ({**JUNE, "known_at": "2025-06-01T00:00:00Z"}, "known-at-not-supported"),
        ({**JUNE, "widget": "1"}, "unknown-parameter"),
        ({**JUNE, "limit": "0"}, None),
        ({**JUNE, "after": "made-up"}, "cursor-invalid"),
        ({"from_": "yesterday", "to": JUNE["to"]}, "instant"),
        ({"from_": "2025-06-01T00:00:00", "to": JUNE["to"]}, "instant"),
        ({"from_": "1900-01-01", "to": "1900-02-01"}, "instant-range"),
        ({"from_": "1950-01-01", "to": "2050-01-01"}, "period-too-long"),
        ({"from_": "2000-01-01", "to": "2010-01-01", "grain": "day"}, "too-many-periods"),
    ],
)
async def test_questions_that_cannot_be_answered(ask: Any, query: dict[str, str], code: str | None) -> None:
    problem = await ask.get("kpis/availability/values", status=422, **query)
    assert code is None or code in {error["code"] for error in problem["errors"]}


async def test_what_does_not_exist(ask: Any) -> None:
    await ask.get("kpis/happiness", status=404)
    await ask.get("kpis/happiness/values", status=404, **JUNE)
    await ask.get("kpis/availability/values", subject_id=str(ids.new_id()), status=404, **JUNE)
    await ask.get("kpis/availability/values", subject_id="web-shop", status=404, **JUNE)
    await ask.get("kpis/availability/values", scope="catalog:read", status=403, **JUNE)


async def test_the_catalogue(ask: Any) -> None:
    page = await ask.get("kpis")
    schemas.KpiPage.model_validate(page, extra="forbid")
    codes = [kpi["code"] for kpi in page["items"]]
    assert {"availability", "mtrs", "mtbf", "budget_deviation", "milestones_missed"} <= set(codes)
    assert (await ask.get("kpis/availability"))["direction"] == "higher_is_better"
    first = await ask.get("kpis", limit=20)
    rest = await ask.get("kpis", limit=20, after=first["next"])
    assert [kpi["code"] for kpi in first["items"] + rest["items"]] == codes
    assert rest["next"] is None


async def test_what_is_not_over_yet_is_not_the_last_word(siblings: Any, ask: Any) -> None:
    service = await siblings.service()
    await siblings.outages(service, ("2025-06-30T00:00:00Z", None))
    running = await ask.value("availability", subject_id=str(service), **JUNE)
    assert (running["value"], running["status"], running["provisional"]) == ("96.666667", "ok", True)
    to_come = {"from_": "2025-06-01T00:00:00Z", "to": "2060-01-01T00:00:00Z"}
    value = await ask.value("availability", subject_id=str(service), **to_come)
    assert (value["status"], value["reason"], value["provisional"]) == ("partial", "period_open", True)
    future = await ask.value(
        "availability", subject_id=str(service), from_="2060-01-01T00:00:00Z", to="2061-01-01T00:00:00Z"
    )
    assert (future["value"], future["reason"]) == (None, "no_agreed_service_time")


async def test_one_of_two_clients_makes_a_policy(engine: Any, signer: Any, org: str) -> None:
    token = signer.token("kpi:write", org=org, aud="kpi-engine")
    headers = {"Authorization": f"Bearer {token}", "If-None-Match": "*"}
    asked = (engine.put("/v1/policies", json={}, headers=headers) for _ in range(2))
    answers = await asyncio.gather(*asked)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert statuses[1] in {409, 412}


async def test_policies_are_listed_and_carry_all_their_fields(engine: Any, signer: Any, org: str) -> None:
    headers = {"Authorization": f"Bearer {signer.token('kpi:write', 'kpi:read', org=org, aud='kpi-engine')}"}
    extra: Any = NewPolicy.model_config["json_schema_extra"]
    example = extra["example"]
    made = (await engine.put("/v1/policies", json=example, headers=headers)).json()
    Policy.model_validate_json(json.dumps(made), extra="forbid")
    listed = (await engine.get("/v1/policies", headers=headers)).json()
    assert listed["items"] == [made]
    assert (await engine.get(f"/v1/policies/{made['id']}", headers=headers)).json() == made
    other = {"Authorization": f"Bearer {signer.token('kpi:read', org=f'{org}-x', aud='kpi-engine')}"}
    assert (await engine.get(f"/v1/policies/{made['id']}", headers=other)).status_code == 404
    assert (await engine.get("/v1/policies", headers=other)).json()["items"] == []


async def test_an_event_of_nobody_known_cannot_be_waited_for(engine: Any, signer: Any, org: str) -> None:
    headers = {"Authorization": f"Bearer {signer.token('kpi:read', org=org, aud='kpi-engine')}"}
    for path in ("kpis", "projection", "policies", f"projects/{ids.new_id()}/earned-value"):
        answer = await engine.get(f"/v1/{path}", headers=headers | {"After-Event": f"elsewhere/{ids.new_id()}"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown-event"), path


def test_the_document_of_the_api_is_valid(settings: Any) -> None:
    document = create_app(settings).openapi()
    validate(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(operation["description"] for operation in operations)


async def test_how_far_the_sources_have_been_read(siblings: Any, ask: Any) -> None:
    await siblings.service()
    answer = await ask.get("projection")
    ProjectionProgress.model_validate(answer, extra="forbid")
    (source,) = [one for one in answer["items"] if one["source"] == "service-catalog"]
    assert (source["lag_positions"], source["quarantined"]) == (0, 0)
