import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from catalog_api import Catalog, ago

from chassis import clock
from chassis.allowance import Allowance
from chassis.caller import Caller
from chassis.cursors import CursorSeal
from chassis.database import Database
from chassis.rejection import Quota, Rejection
from chassis.testkit.applications import pointers
from chassis.testkit.databases import Addresses, Pools
from chassis.testkit.telling import told
from service_catalog.satisfaction.operations import Invitations, Responses
from service_catalog.satisfaction.schemas import (
    EXAMPLE,
    NewSurveyInvitation,
    SurveyAnswer,
    SurveyInvitation,
    SurveyResponse,
)
from service_catalog.satisfaction.tokens import AnswerTokens

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
LATER = (clock.now() + timedelta(days=1)).isoformat()
SCORED: dict[str, Any] = {"json": {"score": 1}, "headers": {"If-Match": "*"}}
PLAIN = {name: value for name, value in EXAMPLE.items() if name != "service_id"}


async def response(catalog: Catalog, **given: Any) -> Any:
    return await catalog.post("survey-responses", EXAMPLE | {"service_id": (await catalog.service())["id"]} | given)


async def invitation(catalog: Catalog, **given: Any) -> Any:
    return await catalog.post("survey-invitations", {"service_id": (await catalog.service())["id"]} | given)


async def answered(
    catalog: Catalog, token: str, score: int = 4, *, address: str = "", key: str | None = None, **given: Any
) -> httpx.Response:
    """Answer as somebody who has nothing but the token."""
    headers = {"X-Forwarded-For": address or token[-15:]} | ({"Idempotency-Key": key} if key else {})
    body = {"token": token, "score": score, **given}
    return await catalog.client.post("/v1/survey-responses/answer", json=body, headers=headers)


async def test_a_response_is_what_it_shows(catalog: Catalog) -> None:
    incident = await catalog.incident()
    made = await response(catalog, service_id=incident["service_id"], incident_id=incident["id"])
    SurveyResponse.model_validate_json(json.dumps(made), extra="forbid", strict=True)
    assert (made["score"], made["invitation_id"], made["incident_id"]) == (4, None, incident["id"])
    assert await catalog.get(f"survey-responses/{made['id']}") == made
    past = await response(catalog, answered_at="2026-01-01T00:00:00Z", comment=None)
    assert (past["answered_at"], past["comment"]) == ("2026-01-01T00:00:00Z", None)


async def test_a_response_is_about_an_incident_of_its_own_service(catalog: Catalog) -> None:
    incident, service = await catalog.incident(), await catalog.service()
    about = {"service_id": service["id"], "incident_id": incident["id"]}
    for path, body in (("survey-responses", about | {"score": 1}), ("survey-invitations", about)):
        assert pointers(await catalog.post(path, body, status=422)) == [("/incident_id", "of-another-service")]
    refused = await catalog.batch("survey-responses", [about | {"score": 1}], status=422)
    assert pointers(refused) == [("/items/0/incident_id", "of-another-service")]


async def test_a_response_that_is_moved_takes_no_incident_of_another_service_along(catalog: Catalog) -> None:
    one, other = await catalog.service(key="one"), await catalog.service(key="other")
    incidents = [await catalog.incident(service) for service in (one, other)]
    item = {"external_source": "survey-tool", "external_id": "1"}
    (made,) = await catalog.batch(
        "survey-responses", [item | {"service_id": one["id"], "incident_id": incidents[0]["id"], "score": 2}]
    )
    refused = await catalog.batch("survey-responses", [item | {"service_key": "other"}], status=422)
    assert pointers(refused) == [("/items/0/incident_id", "of-another-service")]
    for incident_id in (incidents[1]["id"], None):
        moved = item | {"service_key": "other", "incident_id": incident_id}
        await catalog.batch("survey-responses", [moved])
        shown = await catalog.get(f"survey-responses/{made['id']}")
        assert (shown["service_id"], shown["incident_id"]) == (other["id"], incident_id)
    await catalog.batch("survey-responses", [item | {"service_key": "one"}])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"score": 0}, "/score"),
        ({"score": 6}, "/score"),
        ({"score": "4"}, "/score"),
        ({"score": 4.5}, "/score"),
        ({"service_id": NOBODY}, "/service_id"),
        ({"incident_id": NOBODY}, "/incident_id"),
        ({"answered_at": LATER}, "/answered_at"),
        ({"token": "x"}, "/token"),
    ],
)
async def test_what_is_wrong_is_pointed_at(catalog: Catalog, wrong: dict[str, Any], pointer: str) -> None:
    blank = EXAMPLE | {"service_id": (await catalog.service())["id"]}
    assert pointers(await catalog.post("survey-responses", blank | wrong, status=422))[0][0] == pointer
    (item,) = await catalog.batch("survey-responses", [blank | wrong], mode="independent")
    assert (item["status"], item["problem"]["errors"][0]["pointer"]) == (422, pointer)


async def test_a_response_may_be_changed_for_twelve_hours(catalog: Catalog) -> None:
    fresh = await response(catalog, answered_at=ago(hours=11))
    changed = await catalog.patch(f"survey-responses/{fresh['id']}", {"score": 1, "comment": None})
    assert (changed["score"], changed["comment"], changed["answered_at"]) == (1, None, fresh["answered_at"])
    old = await response(catalog, answered_at=ago(hours=13))
    own = f"survey-responses/{old['id']}"
    assert (await catalog.patch(own, {"score": 1}, status=409))["code"] == "response-settled"
    assert (await catalog.patch(own, {"labels": {"a": "b"}}))["labels"] == {"a": "b"}


async def test_responses_are_imported(catalog: Catalog, pools: Pools) -> None:
    await catalog.service(key="shop")
    items = [
        PLAIN
        | {"service_key": "shop", "external_source": "tool", "external_id": str(n), "score": 1 + n % 5}
        | {"answered_at": "2025-03-02T12:00:00Z"}
        for n in range(30)
    ]
    first = await catalog.batch("survey-responses", items)
    again = await catalog.batch("survey-responses", items)
    assert [(item["status"], item["version"]) for item in first + again] == [(201, 1)] * 30 + [(200, 1)] * 30
    own = f"survey-responses/{first[0]['id']}"
    assert await told(pools, catalog, own) == [("survey_response.created", 1, await catalog.get(own), None)]
    writer = catalog.limited_to("catalog:write")
    assert (await writer.batch("survey-responses", items, status=403))["scope"] == "catalog:import"
    known = {"external_source": "tool", "external_id": "3"}
    refused = await writer.batch("survey-responses", [known | {"score": 1}], status=409)
    assert pointers(refused) == [("/items/0", "response-settled")]
    (corrected,) = await catalog.batch("survey-responses", [known | {"score": 1}])
    assert corrected["version"] == 2
    nothing = await catalog.batch("survey-responses", [{"comment": "x"}], status=422)
    assert pointers(nothing) == [("/items/0/service_id", "missing"), ("/items/0/score", "missing")]


async def test_lists_filter_by_what_responses_have(catalog: Catalog) -> None:
    one = await response(catalog, score=5, comment="Splendid")
    two = await response(catalog, score=2, answered_at="2026-01-01T00:00:00Z")

    async def found(**asked: Any) -> list[str]:
        return [item["id"] for item in (await catalog.get("survey-responses", **asked))["items"]]

    assert await found(score=5) == await found(q="splendid") == await found(service_id=one["service_id"]) == [one["id"]]
    assert await found(answered_at_to="2026-01-02T00:00:00Z") == [two["id"]]
    assert await found(sort="answered_at", score=[2, 5]) == [two["id"], one["id"]]


async def test_the_token_is_shown_once_and_told_nobody(catalog: Catalog, pools: Pools) -> None:
    service = await catalog.service()
    body = {"service_id": service["id"], "recipient": "bob"}
    headers = {"Idempotency-Key": "invite-bob"}
    first, again = [
        (await catalog.send("POST", "survey-invitations", json=body, headers=headers)).json() for _ in range(2)
    ]
    assert first == again
    token = first.pop("token")
    own = f"survey-invitations/{first['id']}"
    shown = await catalog.get(own)
    SurveyInvitation.model_validate_json(json.dumps(shown), extra="forbid", strict=True)
    assert shown == first == (await catalog.get("survey-invitations"))["items"][0]
    assert await told(pools, catalog, own) == [("survey_invitation.created", 1, shown, None)]
    assert (await answered(catalog, token)).status_code == httpx.codes.CREATED
    async with pools.runtime.begin(Caller(org=catalog.org, subject="tester"), read_only=True) as tx:
        kept = await tx.connection.fetch("SELECT answer FROM idempotency_key")
    assert len(kept) == 1
    events = await told(pools, catalog, own)
    assert token not in f"{kept} {events}"


async def test_an_invitation_is_answered_without_login_and_the_answer_changed(catalog: Catalog, pools: Pools) -> None:
    incident = await catalog.incident()
    made = await invitation(catalog, service_id=incident["service_id"], incident_id=incident["id"])
    first = await answered(catalog, made["token"], 2, comment="Slow")
    assert (first.status_code, first.headers["ETag"]) == (httpx.codes.CREATED, '"1"')
    own = f"survey-responses/{first.json()['id']}"
    assert first.headers["Location"] == f"/v1/{own}"
    shown = await catalog.get(own)
    assert shown == first.json()
    assert (shown["score"], shown["invitation_id"], shown["incident_id"]) == (2, made["id"], incident["id"])
    same = await answered(catalog, made["token"], 2, comment="Slow")
    assert (same.status_code, same.json()) == (httpx.codes.OK, shown)
    again = await answered(catalog, made["token"], 5)
    assert (again.status_code, again.json()["score"], again.json()["version"]) == (httpx.codes.OK, 5, 2)
    assert (again.json()["comment"], again.json()["answered_at"]) == (None, shown["answered_at"])
    assert [name for name, *_ in await told(pools, catalog, own)] == [
        *("survey_response.created", "survey_response.updated"),
    ]
    assert (await catalog.get("survey-responses", invitation_id=made["id"], count="true"))["count"] == 1
    kept = await catalog.send("DELETE", f"survey-invitations/{made['id']}", headers={"If-Match": "*"})
    assert (kept.status_code, kept.json()["code"]) == (httpx.codes.CONFLICT, "invitation-answered")


async def test_of_many_answers_by_one_token_one_is_kept(catalog: Catalog) -> None:
    made = await invitation(catalog)
    answers = await asyncio.gather(*(answered(catalog, made["token"], 1 + n % 5) for n in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_after_twelve_hours_an_answer_stays(catalog: Catalog, addresses: Addresses) -> None:
    service = await catalog.service()
    caller, tokens, seal = Caller(org=catalog.org, subject="ada"), AnswerTokens(b"k" * 32), CursorSeal("s")
    passed = timedelta()
    database = Database(addresses.runtime, size=2, now=lambda: clock.now() + passed)
    try:
        invitations, responses = Invitations(database, seal, tokens), Responses(database, seal, tokens)
        first, second = [
            json.loads((await invitations.create(caller, NewSurveyInvitation(service_id=service["id"]))).body)["token"]
            for _ in range(2)
        ]
        await responses.answer("", SurveyAnswer(token=first, score=2))
        passed = timedelta(hours=11, minutes=59)
        assert (await responses.answer("", SurveyAnswer(token=first, score=5))).version == 2
        passed = timedelta(hours=12, minutes=1)
        with pytest.raises(Rejection, match="twelve hours"):
            await responses.answer("", SurveyAnswer(token=first, score=1))
        passed = timedelta(days=31)
        with pytest.raises(Rejection) as expired:
            await responses.answer("", SurveyAnswer(token=second, score=1))
        assert (expired.value.kind, expired.value.code) == ("unauthenticated", "survey-token-invalid")
    finally:
        await database.close()


async def test_no_token_that_is_not_good_tells_anything(catalog: Catalog) -> None:
    made, gone = await invitation(catalog), await invitation(catalog)
    await catalog.delete(f"survey-invitations/{gone['id']}")
    head, _, mac = made["token"].split(".")
    claims = {"aud": "survey-answer", "org": "another", "sub": made["id"]}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    bad = {
        "made up": "nonsense",
        "another organisation": f"{head}.{payload}.{mac}",
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "signed with another key": jwt.encode(claims, "k" * 32, algorithm="HS256"),
        "taken back": gone["token"],
    }
    told_of = []
    for token in bad.values():
        refused = await answered(catalog, token, address="198.51.100.7")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        told_of.append((refused.status_code, {**refused.json(), "trace_id": None}))
    assert [status for status, _ in told_of] == [401] * len(bad)
    assert all(problem == told_of[0][1] for _, problem in told_of)
    assert (await answered(catalog, made["token"])).status_code == httpx.codes.CREATED


async def test_an_answer_is_checked_like_any_body(catalog: Catalog) -> None:
    token = (await invitation(catalog))["token"]
    for wrong in (0, 6):
        assert pointers((await answered(catalog, token, wrong)).json())[0][0] == "/score"
    refused = await answered(catalog, token, 3, service_id=NOBODY)
    assert (refused.status_code, pointers(refused.json())) == (422, [("/service_id", "unknown-field")])
    for method in ("GET", "PATCH", "DELETE"):
        opened = await catalog.client.request(method, "/v1/survey-responses/answer", json={})
        assert opened.status_code in {401, 404, 405}


async def test_an_answer_with_a_key_takes_effect_once(catalog: Catalog, pools: Pools) -> None:
    made, another = await invitation(catalog), await invitation(catalog)
    first = await answered(catalog, made["token"], 2, key="k")
    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (201, False)
    own = f"survey-responses/{first.json()['id']}"
    changed = await answered(catalog, made["token"], 5, key="l")
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    for _ in range(2):
        again = await answered(catalog, made["token"], 2, key="k")
        assert (again.status_code, again.headers["Idempotency-Replayed"], again.text) == (201, "true", first.text)
        assert again.headers["Event-Id"] == first.headers["Event-Id"]
    assert (await catalog.get(own))["score"] == 5
    reused = await answered(catalog, made["token"], 3, key="k")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    assert [version for _, version, *_ in await told(pools, catalog, own)] == [1, 2]
    elsewhere = await answered(catalog, another["token"], 3, key="k")
    assert (elsewhere.status_code, elsewhere.json()["invitation_id"]) == (201, another["id"])
    await set_back(pools, catalog, GIVEN_EARLIER, first.json()["id"])
    assert (await answered(catalog, made["token"], 5, key="l")).json() == changed.json()
    assert (await answered(catalog, made["token"], 5, key="m")).json()["code"] == "response-settled"


async def test_of_equal_answers_with_one_key_at_once_one_takes_effect(catalog: Catalog, pools: Pools) -> None:
    token = (await invitation(catalog))["token"]
    answers = await asyncio.gather(*(answered(catalog, token, 2, key="k") for _ in range(4)))
    assert {(one.status_code, one.text) for one in answers} == {(201, answers[0].text)}
    own = f"survey-responses/{answers[0].json()['id']}"
    assert len(await told(pools, catalog, own)) == 1


@pytest.mark.parametrize("key", ['"', "\t", "x" * 256])
async def test_a_key_that_is_none_is_refused_of_an_answer_too(catalog: Catalog, key: str) -> None:
    refused = await answered(catalog, (await invitation(catalog))["token"], key=key)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency-key-malformed")


async def test_who_answers_too_often_has_to_wait(catalog: Catalog) -> None:
    token = (await invitation(catalog))["token"]
    statuses = [(await answered(catalog, token)).status_code for _ in range(25)]
    assert (statuses[0], statuses[1], statuses[-1]) == (201, 200, 429)
    limited = await answered(catalog, token)
    assert (limited.json()["code"], int(limited.headers["Retry-After"]) > 0) == ("too-many-requests", True)
    assert limited.headers["RateLimit-Policy"] == '"answers-by-invitation";q=20;w=200'
    assert limited.headers["RateLimit"] == f'"answers-by-invitation";r=0;t={limited.headers["Retry-After"]}'
    forged = [(await answered(catalog, "x", address="203.0.113.9")).status_code for _ in range(65)]
    assert (forged[0], forged[-1]) == (401, 429)
    told_of = await answered(catalog, "x", address="203.0.113.9")
    assert told_of.headers["RateLimit-Policy"] == '"answers-by-address";q=60;w=60'
    assert (await answered(catalog, "x", address="203.0.113.10")).status_code == httpx.codes.UNAUTHORIZED


def test_an_allowance_fills_up_again() -> None:
    at = 0.0
    allowance = Allowance("answers", burst=2, seconds=10, now=lambda: at)
    allowance.take("a")
    allowance.take("a")
    with pytest.raises(Rejection) as refused:
        allowance.take("a")
    assert refused.value.retry_after_seconds == 10
    assert refused.value.quota == Quota("answers", requests=2, window_seconds=20, more_in_seconds=10)
    allowance.take("b")
    at = 10.0
    allowance.take("a")
    with pytest.raises(Rejection):
        allowance.take("a")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"service_id": NOBODY}, "/service_id"),
        ({"incident_id": NOBODY}, "/incident_id"),
        ({"expires_at": ago(hours=1)}, "/expires_at"),
        ({"expires_at": "2199-01-01T00:00:00Z"}, "/expires_at"),
        ({"token": "mine"}, "/token"),
    ],
)
async def test_wrong_invitations_are_refused(catalog: Catalog, wrong: dict[str, Any], pointer: str) -> None:
    body = {"service_id": (await catalog.service())["id"]} | wrong
    assert pointers(await catalog.post("survey-invitations", body, status=422))[0][0] == pointer


async def test_surveys_are_their_organisations(catalog: Catalog) -> None:
    made, said = await invitation(catalog), await response(catalog)
    stranger = catalog.of_another_organisation()
    await stranger.get(f"survey-invitations/{made['id']}", status=404)
    await stranger.delete(f"survey-invitations/{made['id']}", status=404)
    await stranger.get(f"survey-responses/{said['id']}", status=404)
    await stranger.patch(f"survey-responses/{said['id']}", {"score": 1}, status=404)
    await stranger.post("survey-invitations", {"service_id": said["service_id"]}, status=422)
    assert (await stranger.get("survey-responses"))["items"] == []
    for one in (made, said):
        assert (await catalog.delete(f"services/{one['service_id']}", status=409))["code"] == "service-in-use"


EXPIRED = "UPDATE survey_invitation SET expires_at = now() - interval '13 hours' WHERE id = $1"
GIVEN_EARLIER = "UPDATE survey_response SET answered_at = now() - interval '13 hours' WHERE id = $1"


async def set_back(pools: Pools, catalog: Catalog, statement: str, id_: str) -> None:
    """Let something have been thirteen hours ago."""
    async with pools.runtime.begin(Caller(org=catalog.org, subject="tester")) as tx:
        assert await tx.connection.execute(statement, UUID(id_)) == "UPDATE 1"


async def test_who_holds_the_token_or_the_scope_may_edit_for_twelve_hours(catalog: Catalog, pools: Pools) -> None:
    made = await invitation(catalog)
    first = (await answered(catalog, made["token"], 2)).json()
    own = f"survey-responses/{first['id']}"
    assert (await catalog.patch(own, {"score": 3}))["version"] == 2
    await catalog.limited_to("catalog:read").patch(own, {"score": 1}, status=403)
    await set_back(pools, catalog, EXPIRED, made["id"])
    again = await answered(catalog, made["token"], 4)
    assert (again.status_code, again.json()["score"], again.json()["version"]) == (200, 4, 3)
    await set_back(pools, catalog, GIVEN_EARLIER, first["id"])
    for refused in (await answered(catalog, made["token"], 1), await catalog.send("PATCH", own, **SCORED)):
        assert (refused.status_code, refused.json()["code"]) == (409, "response-settled")
    assert (await catalog.get(own))["score"] == 4


async def test_an_expired_invitation_is_answered_no_more(catalog: Catalog, pools: Pools) -> None:
    made = await invitation(catalog)
    await set_back(pools, catalog, EXPIRED, made["id"])
    refused = await answered(catalog, made["token"])
    assert (refused.status_code, refused.json()["code"]) == (401, "survey-token-invalid")
    assert (await catalog.get("survey-responses", invitation_id=made["id"]))["items"] == []


async def test_a_token_answers_in_its_own_organisation_whoever_sends_it(catalog: Catalog) -> None:
    made = await invitation(catalog)
    stranger = catalog.of_another_organisation()
    sent = await stranger.send("POST", "survey-responses/answer", json={"token": made["token"], "score": 5})
    assert sent.status_code == httpx.codes.CREATED
    await stranger.get(f"survey-responses/{sent.json()['id']}", status=404)
    assert (await catalog.get(f"survey-responses/{sent.json()['id']}"))["invitation_id"] == made["id"]
