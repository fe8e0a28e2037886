from datetime import UTC, datetime

from chassis import ids
from chassis.caller import Caller
from chassis.events.notices import tell
from chassis.testkit.eventing import EventService

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


async def test_a_notice_reaches_the_feed_without_a_version(service: EventService) -> None:
    about = ids.new_id()
    caller = Caller(org="acme", subject="tester", correlation_id="c-1")
    for org in (caller, Caller(org="other", subject="tester")):
        async with service.pools.worker.begin(org) as tx:
            await tell(tx, noun="thing_clock", verb="warned", subject="clocks/1", about=about, at=AT, data={"ä": 1})
    assert await service.sequence() == 2
    (event,) = (await service.client.get("/v1/events", params={"limit": "10"})).json()
    assert (event["type"], event["subject"], event["orgid"]) == ("tandem.thing_clock.warned.v1", "clocks/1", "acme")
    assert (event["partitionkey"], event["correlationid"], event["data"]) == (str(about), "c-1", {"ä": 1})
    assert datetime.fromisoformat(event["time"]) == AT
    assert "aggregateversion" not in event
