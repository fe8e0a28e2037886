"""The floor: the least that Python can do for the same table, to measure the services against.

Raw ASGI and asyncpg, one uvicorn worker, sixteen connections of the service's own role, the same row-level security.
Each request is `BEGIN` with the organisation in one message, one statement, `COMMIT`; a create writes row and event
in that statement. Rows become JSON in Python. There is no authentication, no validation, no routing, no idempotency,
no log and no metrics.

`python floor.py < description.json`, a description being the fields of `Description`.
"""

# ruff: noqa: S608  (the names come from the database itself)

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import uvicorn
from pydantic_core import from_json, to_json

from chassis import clock, ids

CONNECTIONS = 16
PAGE = 100
_ALWAYS = ("org", "id", "version", "created_at", "updated_at")


@dataclass(frozen=True)
class Description:
    """Which table of which database is served, on which port, for which organisation.

    `defaults` are the values of a new row that a body does not give; `of_list` is the condition of the list, SQL.
    """

    port: int
    database: Mapping[str, Any]
    org: str
    table: str
    defaults: Mapping[str, Any]
    of_list: str = "true"


class Statements:
    """The four statements, and how a body becomes their arguments."""

    def __init__(self, description: Description, kinds: Mapping[str, str]) -> None:
        table, names = description.table, list(kinds)
        shown, columns = ", ".join(name for name in names if name != "org"), ", ".join(names)
        self.get = f"SELECT {shown} FROM {table} WHERE id = $1"
        self.list = f"SELECT {shown} FROM {table} WHERE {description.of_list} ORDER BY created_at, id LIMIT {PAGE + 1}"
        places = [f"${place}::{kind}" for place, kind in enumerate([*kinds.values(), "json", "uuid"], 1)]
        line = ", ".join(f"{place} AS {name}" for place, name in zip(places, [*names, "data", "event_id"], strict=True))
        arrays = ", ".join(f"{place}[]" for place in places)
        write = f"""
            written AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM line)
            INSERT INTO event_pending (id, org, type, subject, time, partitionkey, aggregateversion, data)
            SELECT event_id, org, 'tandem.{table}.created.v1', '{table}s/' || id, created_at, id, 1, data FROM line"""
        self.create = f"WITH line AS (SELECT {line}), {write}"
        self.batch = f"WITH line AS (SELECT * FROM unnest({arrays}) AS line({columns}, data, event_id)), {write}"
        self._defaults: dict[str, Any] = dict.fromkeys(kinds) | dict(description.defaults) | {"org": description.org}
        self._instants = [name for name, kind in kinds.items() if kind == "timestamp with time zone"]

    def row(self, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Return a new row of a body."""
        row = {**self._defaults, **body, "id": ids.new_id(), "version": 1, "created_at": now, "updated_at": now}
        for name in self._instants:
            if isinstance(row[name], str):
                row[name] = datetime.fromisoformat(row[name])
        return row


class Floor:
    """The ASGI application."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self._open = f"BEGIN; SELECT set_config('app.org', '{description.org}', true)"
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        self._statements: Statements

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Serve the life of the process, or one request."""
        if scope["type"] == "lifespan":
            await receive()
            await self._connect()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["method"] == "GET":
            name = scope["path"].rpartition("/")[2]
            status, body = 200, await (self._list() if name == self._description.table else self._get(UUID(name)))
        else:
            sent = await _received(receive)
            many = scope["path"].endswith(":batch")
            status, body = (200, await self._batch(sent["items"])) if many else (201, await self._create(sent))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _connect(self) -> None:
        connections = [
            await asyncpg.connect(**self._description.database, statement_cache_size=1000) for _ in range(CONNECTIONS)
        ]
        for connection in connections:
            await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=from_json)
            self._free.put_nowait(connection)
        found = await connections[0].fetch(
            "SELECT attname, format_type(atttypid, NULL) AS kind FROM pg_attribute"
            " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            self._description.table,
        )
        self._statements = Statements(self._description, {row["attname"]: row["kind"] for row in found})

    async def _run(self, statement: str, *arguments: Any) -> list[Any]:
        connection = await self._free.get()
        try:
            await connection.execute(self._open)
            rows: list[Any] = await connection.fetch(statement, *arguments)
            await connection.execute("COMMIT")
        finally:
            self._free.put_nowait(connection)
        return rows

    async def _get(self, id_: UUID) -> bytes:
        return to_json(dict((await self._run(self._statements.get, id_))[0]))

    async def _list(self) -> bytes:
        rows = await self._run(self._statements.list)
        more = str(rows[PAGE]["id"]) if len(rows) > PAGE else None
        return to_json({"items": [dict(row) for row in rows[:PAGE]], "next": more})

    async def _create(self, sent: Mapping[str, Any]) -> bytes:
        row = self._statements.row(sent, clock.now())
        body = to_json({name: value for name, value in row.items() if name != "org"})
        await self._run(self._statements.create, *row.values(), body.decode(), ids.new_id())
        return body

    async def _batch(self, sent: Sequence[Mapping[str, Any]]) -> bytes:
        now = clock.now()
        rows = [self._statements.row(item, now) for item in sent]
        columns = [[row[name] for row in rows] for name in rows[0]]
        bodies = [to_json(row).decode() for row in rows]
        await self._run(self._statements.batch, *columns, bodies, [ids.new_id() for _ in rows])
        return to_json({"items": [{"index": place, "id": row["id"]} for place, row in enumerate(rows)]})


async def _received(receive: Callable[[], Any]) -> Any:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return from_json(body)


def main() -> None:
    """Serve until a signal."""
    description = Description(**json.load(sys.stdin))
    uvicorn.run(
        Floor(description),
        host="127.0.0.1",
        port=description.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
