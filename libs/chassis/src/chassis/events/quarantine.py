"""Events that will not apply as they are: kept with the reason, listed, tried again."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from chassis.caller import EVERY_ORGANISATION, Caller
from chassis.database import Database, Statement, Transaction
from chassis.events.envelope import Event
from chassis.events.handling import Handlers, apply_events, is_lasting, reason
from chassis.events.progress import FIRST_PROJECTION
from chassis.keys import command, conclude
from chassis.outcome import Page, Written
from chassis.rejection import Rejection, not_found

_KEEP = Statement(
    text(
        """INSERT INTO quarantine AS held
            (id, org, source, projection, event_id, type, subject, epoch, position, code, reason, event)
        VALUES (uuidv7(), :org, :source, cast(:projection AS integer), :event_id, :type, :subject,
                cast(:epoch AS integer), cast(:position AS bigint), :code, :reason, cast(:event AS json))
        ON CONFLICT (org, source, projection, event_id) DO UPDATE SET
            attempts = held.attempts + 1, code = excluded.code, reason = excluded.reason, applied_at = NULL"""
    )
)
_AS_JSON = """json_build_object('id', id, 'source', source, 'event_id', event_id, 'type', type, 'subject', subject,
    'code', code, 'reason', reason, 'attempts', attempts,
    'quarantined_at', replace((quarantined_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z',
    'applied_at', replace((applied_at AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z', 'event', event)::text"""
_LIST = Statement(
    text(
        f"""SELECT string_agg(body, ',' ORDER BY place) FILTER (WHERE place <= cast(:size AS bigint)) AS items,
            count(*) AS found, max(id::text) FILTER (WHERE place <= cast(:size AS bigint)) AS last
        FROM (SELECT {_AS_JSON} AS body, id, row_number() OVER (ORDER BY id) AS place FROM quarantine
              WHERE (applied_at IS NOT NULL) = cast(:applied AS boolean)
                AND (cast(:after AS uuid) IS NULL OR id > cast(:after AS uuid))
              ORDER BY id LIMIT cast(:size AS bigint) + 1) AS page"""  # noqa: S608  (constants)
    )
)
_LOCK = Statement(
    text("SELECT source, projection, event::text AS event FROM quarantine WHERE id = cast(:id AS uuid) FOR UPDATE")
)
_ONE = Statement(text(f"SELECT {_AS_JSON} FROM quarantine WHERE id = cast(:id AS uuid)"))  # noqa: S608  (constants)
_APPLIED = Statement(text("UPDATE quarantine SET applied_at = cast(:now AS timestamptz) WHERE id = cast(:id AS uuid)"))
_STILL_REFUSED = Statement(
    text(
        """UPDATE quarantine SET attempts = attempts + 1, code = :code, reason = :reason, applied_at = NULL
        WHERE id = cast(:id AS uuid)"""
    )
)


async def keep(
    tx: Transaction, source: str, event: Event, error: Exception, *, projection: int = FIRST_PROJECTION
) -> None:
    """Put an event away with the reason why it was not applied."""
    code, sentence = reason(error)
    try:
        epoch, position = event.position
    except ValueError:
        epoch, position = None, None
    await tx.run(
        _KEEP,
        org=event.orgid or "",
        source=source,
        projection=projection,
        event_id=event.id,
        type=event.type,
        subject=event.subject or "",
        epoch=epoch,
        position=position,
        code=code,
        reason=sentence,
        event=event.model_dump_json(exclude_none=True),
    )


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The events a service put away, as a caller may see them, and the handlers to try them with again.

    Where these differ by source and projection, `handlers` is the function that gives them.
    """

    runtime: Database
    worker: Database
    handlers: Handlers | Callable[[str, int], Handlers]

    async def page(self, caller: Caller, *, applied: bool, after: UUID | None, limit: int) -> Page:
        """Return those put away, oldest first: the ones waiting, or the ones that were applied later."""
        async with self._pool(caller).read(caller) as tx:
            row = await tx.one(_LIST, applied=applied, after=after, size=limit)
        return Page(items=f"[{row['items'] or ''}]", next=row["last"] if row["found"] > limit else None)

    async def retry(self, caller: Caller, id_: UUID) -> Written:
        """Try an event again; refused as `still-refused` with the reason, which is kept.

        A caller of every organisation has no idempotency keys: they are an organisation's.
        """
        if caller.org == EVERY_ORGANISATION:
            caller = caller.idempotent(None)
        async with command(self._pool(caller), caller) as tx:
            row = await tx.one(_LOCK, id=id_)
            if row is None:
                raise not_found("event in quarantine")
            event = Event.model_validate_json(row["event"])
            try:
                async with tx.savepoint():
                    await apply_events(tx, row["source"], [event], self._handlers(row["source"], row["projection"]))
            except Exception as error:
                if not is_lasting(error):
                    raise
                failure = error
                code, sentence = reason(error)
                await tx.run(_STILL_REFUSED, id=id_, code=code, reason=sentence)
                tx.concluded = True  # the attempt is counted, but a refusal is judged anew
            else:
                await tx.run(_APPLIED, id=id_, now=tx.now)
                return await conclude(tx, Written(body=await tx.value(_ONE, id=id_)))
        raise Rejection("conflict", "still-refused", sentence, extra={"reason_code": code}) from failure

    def _pool(self, caller: Caller) -> Database:
        return self.worker if caller.org == EVERY_ORGANISATION else self.runtime

    def _handlers(self, source: str, projection: int) -> Handlers:
        return self.handlers(source, projection) if callable(self.handlers) else self.handlers
