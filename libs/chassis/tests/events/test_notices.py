from datetime import UTC, datetime

from chassis import ids
from chassis.caller import Caller
from chassis.events.notices import Notice, tell_all
from chassis.testkit.eventing import EventService

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


async def test_a_notice_reaches_the_feed_without_a_version(service: EventService) -> None:
    about = ids.new_id()
    caller = Caller(org="acme", subject="tester", correlation_id="c-1")
    for org in (caller, Caller(org="other", subject="tester")):
        async with service.pools.worker.begin(org) as tx:
            await tell_all(
                tx,
                [Notice(noun="thing_clock", verb="warned", subject="clocks/1", about=about, at=AT, data={"ä": 1})],
            )
    assert await service.sequence() == 2
    (event,) = (await service.client.get("/v1/events", params={"limit": "10"})).json()
    assert (event["type"], event["subject"], event["orgid"]) == ("tandem.thing_clock.warned.v1", "clocks/1", "acme")
    assert (event["partitionkey"], event["correlationid"], event["data"]) == (str(about), "c-1", {"ä": 1})
    assert datetime.fromisoformat(event["time"]) == AT
    assert "aggregateversion" not in event


async def test_many_notices_are_told_in_their_order(service: EventService) -> None:
    caller = Caller(org="many", subject="tester", causation_id="e-1")
    notices = [
        Notice(noun="thing", verb="told", subject=f"things/{n}", about=ids.new_id(), at=AT, data={"n": n})
        for n in range(3)
    ]
    async with service.pools.worker.begin(caller) as tx:
        await tell_all(tx, [])
        await tell_all(tx, notices)
    assert await service.sequence() == 3
    connection = await service.pools.worker.connect()
    try:
        rows = await connection.fetch("SELECT * FROM event_log WHERE org = 'many' ORDER BY position")
    finally:
        await connection.close()
    assert [(row["subject"], row["partitionkey"], row["causationid"]) for row in rows] == [
        (one.subject, one.about, "e-1") for one in notices
    ]
