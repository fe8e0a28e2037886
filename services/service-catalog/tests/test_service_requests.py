import asyncio
from typing import Any

import pytest
from catalog_api import FILLED_IN, FORM, Catalog, ago, codes

from chassis.testkit.applications import pointers
from chassis.testkit.databases import Pools
from chassis.testkit.telling import told
from service_catalog.requests.lifecycle import LIFECYCLE, Candidate
from service_catalog.requests.schemas import ServiceRequest


def own_of(made: Any) -> str:
    return f"service-requests/{made['id']}"


async def waiting(catalog: Catalog, **given: Any) -> str:
    return own_of(await catalog.request(await catalog.item(approval_required=True), **given))


async def test_a_request_is_submitted_and_shown(catalog: Catalog) -> None:
    item = await catalog.item(fulfilment_team="desk", fulfilment_target_minutes=60, key="laptop")
    body = {"catalogue_item_key": "laptop", "form": FILLED_IN, "comment": "Soon.", "labels": {"a": "b"}}
    response = await catalog.by("ada").send("POST", "service-requests", json=body)
    made = response.json()
    assert (response.status_code, response.headers["etag"]) == (201, '"1"')
    ServiceRequest.model_validate_json(response.content, extra="forbid")
    assert (made["catalogue_item_id"], made["service_id"]) == (item["id"], item["service_id"])
    assert (made["requester"], made["submitted_by"], made["assigned_team"]) == ("ada", "ada", "desk")
    assert (made["form"], made["form_version"], made["fulfilment_target_minutes"]) == (FILLED_IN, 1, 60)
    assert made["state"] == "approved"
    assert made["approved_at"] == made["submitted_at"] == made["state_since"]
    assert await catalog.get(own_of(made)) == made


async def test_an_approval_is_waited_for_where_the_item_asks_for_one(catalog: Catalog) -> None:
    own = await waiting(catalog, requester="grace", requested_for="alan")
    made = await catalog.get(own)
    assert (made["state"], made["approval_required"], made["approved_at"]) == ("awaiting_approval", True, None)
    approved = await catalog.by("ada").move(own, "approved", reason="He needs it.")
    assert (approved["approver"], approved["decision_reason"]) == ("ada", "He needs it.")
    assert approved["approved_at"] == approved["state_since"] > made["submitted_at"]


async def test_whoever_asked_for_it_does_not_decide_on_it(catalog: Catalog) -> None:
    own = await waiting(catalog, requester="grace", requested_for="alan")
    for one in ("grace", "tester", "alan"):
        refused = await catalog.by(one).move(own, "approved", status=409)
        assert codes(refused) == ["approver_is_another"]
        refused = await catalog.by(one).move(own, "rejected", status=409)
        assert codes(refused) == ["approver_is_another", "reason_given"]
        (approval, *_) = (await catalog.by(one).get(f"{own}/transitions"))["available"]
        assert (approval["to"], codes(approval)) == ("approved", ["approver_is_another"])
    assert codes((await catalog.by("ada").get(f"{own}/transitions"))["available"][0]) == []


async def test_a_decision_needs_its_own_scope(catalog: Catalog) -> None:
    own = await waiting(catalog)
    for to in ("approved", "rejected"):
        refused = await catalog.by("ada").limited_to("catalog:write").move(own, to, status=403, reason="No.")
        assert refused["scope"] == "catalog:approve"
    rejected = await catalog.by("ada").move(own, "rejected", reason="Too dear.")
    assert (rejected["state"], rejected["approver"], rejected["approved_at"]) == ("rejected", "ada", None)
    assert rejected["decision_reason"] == "Too dear."


def test_the_guard_looks_at_who_asks_at_who_submitted_and_for_whom_it_is() -> None:
    request = {"requester": "grace", "submitted_by": "desk", "requested_for": "alan"}
    decided = [
        [one.code for one in LIFECYCLE.unmet(LIFECYCLE.transitions[0], Candidate(request=request, actor=actor))]
        for actor in ("grace", "desk", "alan", "ada")
    ]
    assert decided == [["approver_is_another"]] * 3 + [[]]


async def test_every_fault_of_a_form_is_told_with_its_place(catalog: Catalog) -> None:
    item = await catalog.item()
    secret = "Geheimnis"
    refused = await catalog.request(item, status=422, form={"cost_centre": secret, secret[:3]: secret})
    assert sorted(pointers(refused)) == [
        ("/form/Geh", "unknown-field"),
        ("/form/cost_centre", "pattern"),
        ("/form/size", "missing"),
    ]
    assert secret not in str(refused)
    for wrong, code in (([], "dict-type"), ({"a": "x" * 40_000}, "too-large"), ({"a": 1e300}, "number-too-large")):
        assert pointers(await catalog.request(item, status=422, form=wrong)) == [("/form", code)]
    assert (await catalog.get("service-requests"))["items"] == []


@pytest.mark.parametrize(
    "raw", [b'{"a": "\\ud800"}', b'{"a": 1e999}', b'{"a": NaN}', b'{"\\u0000": 1}', b'{"a": ' + b"9" * 5000 + b"}"]
)
async def test_what_json_can_barely_say_is_refused(catalog: Catalog, raw: bytes) -> None:
    item = await catalog.item(form_schema={})
    body = b'{"catalogue_item_id": "' + item["id"].encode() + b'", "form": ' + raw + b"}"
    token = catalog.signer.token(*catalog.EVERYTHING, org=catalog.org, aud=catalog.AUDIENCE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answered = await catalog.client.post("/v1/service-requests", content=body, headers=headers)
    assert answered.status_code in {400, 422}


async def test_only_a_published_item_takes_new_requests(catalog: Catalog) -> None:
    item = await catalog.item(published=False)
    assert (await catalog.request(item, status=409))["code"] == "item-not-published"
    await catalog.move(f"catalogue-items/{item['id']}", "published")
    await catalog.request(item)
    await catalog.move(f"catalogue-items/{item['id']}", "withdrawn")
    assert (await catalog.request(item, status=409))["code"] == "item-not-published"
    new = {"catalogue_item_id": item["id"], "form": FILLED_IN}
    answered = await catalog.batch("service-requests", [new, new | {"state": "approved"}], mode="independent")
    assert [one["status"] for one in answered] == [409, 201]


async def test_what_is_asked_for_is_named_and_known(catalog: Catalog) -> None:
    nameless = await catalog.post("service-requests", {"form": {}}, status=422)
    assert pointers(nameless) == [("/catalogue_item_id", "missing")]
    unknown = await catalog.post("service-requests", {"form": {}, "catalogue_item_key": "none"}, status=422)
    assert pointers(unknown) == [("/catalogue_item_key", "reference-unknown")]
    known = (await catalog.request())["catalogue_item_id"]
    both = {"form": {}, "catalogue_item_id": known, "catalogue_item_key": "none"}
    refused = await catalog.post("service-requests", both, status=422)
    assert pointers(refused) == [("/catalogue_item_key", "named-differently")]


async def test_what_was_asked_for_never_changes(catalog: Catalog) -> None:
    made = await catalog.request()
    changed = await catalog.patch(own_of(made), {"assignee": "bob", "comment": "Soon.", "labels": {"a": "b"}})
    assert (changed["assignee"], changed["comment"], changed["version"]) == ("bob", "Soon.", 2)
    for name in ("form", "requester", "requested_for", "catalogue_item_id", "state", "submitted_at", "approver"):
        refused = await catalog.patch(own_of(made), {name: None}, status=422)
        assert pointers(refused) == [(f"/{name}", "unknown-field")]


async def test_a_request_from_its_approval_to_its_end(catalog: Catalog, pools: Pools) -> None:
    own = await waiting(catalog)
    await catalog.by("ada").move(own, "approved")
    await catalog.move(own, "in_fulfilment")
    refused = await catalog.move(own, "on_hold", status=409)
    assert codes(refused) == ["hold_reason_given"]
    held = await catalog.move(own, "on_hold", hold_reason="awaiting_vendor")
    assert held["hold_reason"] == "awaiting_vendor"
    assert (await catalog.move(own, "in_fulfilment"))["hold_reason"] is None
    fulfilled = await catalog.move(own, "fulfilled", outcome="On the desk.")
    assert (fulfilled["outcome"], fulfilled["fulfilled_at"]) == ("On the desk.", fulfilled["state_since"])
    reopened = await catalog.move(own, "in_fulfilment", reason="It was another one.")
    assert (reopened["outcome"], reopened["fulfilled_at"]) == (None, None)
    again = await catalog.move(own, "fulfilled")
    closed = await catalog.move(own, "closed")
    assert (closed["fulfilled_at"], closed["outcome"]) == (again["fulfilled_at"], None)
    steps = (await catalog.get(f"{own}/transitions"))["history"]
    assert [step["to"] for step in steps] == [
        *("awaiting_approval", "approved", "in_fulfilment", "on_hold", "in_fulfilment"),
        *("fulfilled", "in_fulfilment", "fulfilled", "closed"),
    ]
    assert [step["details"] for step in steps if step["details"]] == [
        {"hold_reason": "awaiting_vendor"},
        {"outcome": "On the desk."},
    ]
    events = await told(pools, catalog, own)
    assert [(name.removeprefix("service_request."), version) for name, version, *_ in events] == [
        ("created", 1),
        ("approved", 2),
        ("started", 3),
        ("held", 4),
        ("resumed", 5),
        ("fulfilled", 6),
        ("reopened", 7),
        ("fulfilled", 8),
        ("closed", 9),
    ]
    assert events[-1][2] == closed
    assert events[1][3] == {"from": "awaiting_approval", "to": "approved", "reason": None, "actor": "ada"}


async def test_a_request_is_cancelled_for_a_reason_before_it_is_fulfilled(catalog: Catalog) -> None:
    own = own_of(await catalog.request())
    assert codes(await catalog.move(own, "cancelled", status=409, reason=" ")) == ["reason_given"]
    cancelled = await catalog.move(own, "cancelled", reason="Not needed any more.")
    assert cancelled["cancellation_reason"] == "Not needed any more."


async def test_a_command_tells_when_it_happened(catalog: Catalog) -> None:
    item = await catalog.item()
    past = {"catalogue_item_id": item["id"], "form": {}, "submitted_at": ago(hours=5)}
    (made,) = await catalog.batch("service-requests", [past])
    own = own_of(made)
    started = await catalog.move(own, "in_fulfilment", at="2026-03-02T09:00:00Z", status=422)
    assert pointers(started) == [("/at", "before-last")]
    assert pointers(await catalog.move(own, "in_fulfilment", at=ago(hours=-1), status=422)) == [
        ("/at", "in-the-future")
    ]
    await catalog.move(own, "in_fulfilment", at=ago(hours=4))
    fulfilled = await catalog.move(own, "fulfilled", at=ago(hours=3))
    assert fulfilled["fulfilled_at"] == fulfilled["state_since"] < ago(hours=2)


async def test_what_belongs_to_another_command_is_refused(catalog: Catalog) -> None:
    own = own_of(await catalog.request())
    refused = await catalog.move(own, "in_fulfilment", status=422, hold_reason="other", outcome="Done.")
    assert pointers(refused) == [("/hold_reason", "not-allowed"), ("/outcome", "not-allowed")]


async def test_requests_are_found(catalog: Catalog) -> None:
    item = await catalog.item()
    first = await catalog.request(item, requester="grace", requested_for="alan", comment="A blue one")
    second = await catalog.by("ada").request(requester="bob", assignee="eve")

    async def found(**params: Any) -> list[str]:
        return [one["id"] for one in (await catalog.get("service-requests", **params))["items"]]

    assert await found(sort="-submitted_at") == [second["id"], first["id"]]
    assert await found(catalogue_item_id=item["id"]) == await found(requester="grace") == [first["id"]]
    assert await found(q="blue") == await found(q="alan") == await found(service_id=item["service_id"])
    assert await found(submitted_by="ada") == await found(assignee="eve") == [second["id"]]
    assert await found(state="fulfilled") == await found(fulfilled_at_from="2020-01-01T00:00:00Z") == []


async def test_a_later_change_of_the_item_touches_later_requests_only(catalog: Catalog) -> None:
    item = await catalog.item(fulfilment_target_minutes=60)
    before = await catalog.request(item)
    other = {"form_schema": FORM | {"required": ["cost_centre"]}, "fulfilment_target_minutes": 30}
    await catalog.patch(f"catalogue-items/{item['id']}", other | {"approval_required": True})
    after = await catalog.request(item, form={"cost_centre": "1234"})
    assert (after["form_version"], after["fulfilment_target_minutes"], after["state"]) == (2, 30, "awaiting_approval")
    kept = await catalog.get(own_of(before))
    assert kept == before
    assert (kept["form_version"], kept["fulfilment_target_minutes"], kept["state"]) == (1, 60, "approved")


async def test_of_two_decisions_one_wins(catalog: Catalog) -> None:
    own = await waiting(catalog)
    answers = await asyncio.gather(
        catalog.by("ada").send("POST", f"{own}/transitions", json={"to": "approved"}),
        catalog.by("bob").send("POST", f"{own}/transitions", json={"to": "rejected", "reason": "No."}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert await catalog.get(own) == won


async def test_no_request_is_submitted_after_its_item_was_withdrawn(catalog: Catalog, pools: Pools) -> None:
    item = await catalog.item()
    body = {"catalogue_item_id": item["id"], "form": FILLED_IN}
    withdrawal, *answers = await asyncio.gather(
        catalog.send("POST", f"catalogue-items/{item['id']}/transitions", json={"to": "withdrawn"}),
        *(catalog.send("POST", "service-requests", json=body) for _ in range(10)),
    )
    assert withdrawal.status_code == 200
    assert {answer.status_code for answer in answers} <= {201, 409}
    withdrawn = (await told(pools, catalog, f"catalogue-items/{item['id']}"))[-1]
    assert withdrawn[0] == "catalogue_item.withdrawn"
    connection = await pools.worker.connect()
    try:
        later = await connection.fetchval(
            "SELECT count(*) FROM event_pending WHERE org = $1 AND type = 'tandem.service_request.created.v1' AND seq >"
            " (SELECT seq FROM event_pending WHERE org = $1 AND type = 'tandem.catalogue_item.withdrawn.v1')",
            catalog.org,
        )
    finally:
        await connection.close()
    assert later == 0


async def test_a_request_with_a_key_is_submitted_once(catalog: Catalog) -> None:
    item = await catalog.item()
    body = {"catalogue_item_id": item["id"], "form": FILLED_IN}
    first = await catalog.post("service-requests", body, key="abc")
    assert await catalog.post("service-requests", body, key="abc") == first
    assert (await catalog.get("service-requests", count="true"))["count"] == 1


async def test_a_service_that_is_over_is_asked_for_nothing_more(catalog: Catalog) -> None:
    service = await catalog.service()
    item = await catalog.item(service)
    await catalog.move(f"services/{service['id']}", "cancelled", reason="Nobody needs it.")
    refused = await catalog.request(item, status=409)
    assert refused["code"] == "service-over"
    (one,) = await catalog.batch(
        "service-requests", [{"catalogue_item_id": item["id"], "form": {"size": "15"}}], mode="independent"
    )
    assert (one["status"], one["problem"]["code"]) == (409, "service-over")


async def test_who_is_asked_finds_what_waits_for_a_decision(catalog: Catalog) -> None:
    for_grace = await catalog.item(approval_required=True, approver="grace")
    for_alan = await catalog.item(approval_required=True, approver="alan")
    mine, decided, _ = [await catalog.request(item) for item in (for_grace, for_grace, for_alan)]
    await catalog.by("ada").move(f"service-requests/{decided['id']}", "approved")
    waiting = (await catalog.get("service-requests", awaiting="grace"))["items"]
    assert [one["id"] for one in waiting] == [mine["id"]]
    assert (await catalog.get("service-requests", awaiting="nobody"))["items"] == []
