"""The timeline of an incident as one document, out of all that was written down of it."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.schemas import instant_text, parse_instant
from service_catalog.clocks.watch import ACTOR


def timeline_of(
    steps: Iterable[Mapping[str, Any]], notices: Iterable[Mapping[str, Any]], notes: Iterable[Mapping[str, Any]]
) -> str:
    """Return the timeline's JSON text: everything by the instant it happened at, steps before what they brought."""
    entries = [{**step, "text": None, "internal": None} for step in steps]
    entries += [_of_notice(notice) for notice in notices]
    entries += [_of_note(note) for note in notes]
    entries.sort(key=lambda entry: parse_instant(entry["at"]))
    return json.dumps({"items": entries}, ensure_ascii=False)


def _of_notice(notice: Mapping[str, Any]) -> dict[str, Any]:
    details = {name: notice[name] for name in ("metric", "priority")}
    return _entry("sla", notice["kind"], notice["at"], ACTOR, notice["told_at"], details)


def _of_note(note: Mapping[str, Any]) -> dict[str, Any]:
    at: datetime = note["created_at"]
    entry = _entry("note", "noted", at, note["author"], at, {"work_note_id": str(note["id"])})
    return entry | {"text": note["text"], "internal": note["internal"]}


def _entry(
    kind: str, to: str, at: datetime, actor: str, recorded_at: datetime, details: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "at": instant_text(at),
        "from": None,
        "to": to,
        "reason": None,
        "actor": actor,
        "recorded_at": instant_text(recorded_at),
        "details": details,
        "text": None,
        "internal": None,
    }
