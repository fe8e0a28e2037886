"""Reads DSLIB projects into the shapes of the API.

The empirical library of Batselier and Vanhoucke, doi 10.1016/j.ijproman.2014.09.004. It states no licence, so it is
read from beside the repository, or from where TANDEM_DATA says.
"""

import gzip
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
PROJECTS = Path(os.environ.get("TANDEM_DATA") or REPOSITORY.parent / "shared" / "data") / "dslib" / "projects.jsonl.gz"
CODES = ("C2011-12", "C2014-07", "C2015-33", "C2016-16", "C2016-19", "C2016-21", "C2016-42", "C2019-03")
CURRENCY = "EUR"
_LINK = re.compile(r"(\d+)(FS|SS|FF|SF)(.*)")


@cache
def documents() -> dict[str, Any]:
    """Return the projects by their codes, as the file has them."""
    with gzip.open(PROJECTS, "rt", encoding="utf-8") as lines:
        return {document["code"]: document for document in map(json.loads, lines)}


def instant(text: str) -> datetime:
    """Return an instant of the file; its clock is taken for UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def utc(text: str) -> str:
    """Return an instant of the file as the API takes it."""
    return f"{text}Z"


def decimal(number: float | None) -> Decimal:
    """Return the shortest decimal that the file's binary number stands for, at most ten places."""
    return round(Decimal(repr(number or 0)), 10)


def money(amount: Decimal) -> dict[str, str]:
    """Return an amount as the API takes it."""
    return {"amount": format(amount, "f"), "currency": CURRENCY}


def calendar(document: Any) -> dict[str, Any]:
    """Return the project's agenda as a calendar."""
    agenda = document["agenda"]
    hours = [str(row[0]).split(" - ") for row in agenda if row[1] == "Yes"]
    intervals = [[f"{int(start[:-3]):02}:00", f"{int(end[:-3]) or 24:02}:00"] for start, end in hours]
    days = [str(row[3]).lower() for row in agenda if row[4] == "Yes"]
    holidays = [{"date": row[6][:10], "name": "holiday"} for row in agenda[1:] if row[6]]
    weekly = [{"weekday": day, "intervals": intervals} for day in days]
    return {"name": document["code"], "timezone": "UTC", "weekly": weekly, "holidays": holidays}


def start_at(document: Any) -> str:
    """Return when the project starts."""
    return utc(document["baseline"][0]["Baseline Start"])


def parents(document: Any) -> set[str]:
    """Return the WBS codes that stand above others."""
    return {row["WBS"].rpartition(".")[0] for row in document["baseline"]}


def wbs_by_id(document: Any) -> dict[str, str]:
    """Return each activity's WBS by its number."""
    return {str(row["ID"]): row["WBS"] for row in document["baseline"]}


def tasks(document: Any) -> list[dict[str, Any]]:
    """Return the activities; one without predecessor that starts later than the project is held by SNET."""
    above, start = parents(document), document["baseline"][0]["Baseline Start"]
    found: list[dict[str, Any]] = []
    for row in document["baseline"]:
        task: dict[str, Any] = {"wbs": row["WBS"], "name": row["Name"] or row["WBS"]}
        if row["WBS"] in above:
            task["kind"] = "summary"
        else:
            fixed = decimal(row.get("Fixed Cost"))
            task |= {
                "kind": "task",
                "duration": row["Duration"].replace(" ", ""),
                "budget": money(decimal(row["Total Cost"]) - fixed),
                "fixed_budget": money(fixed),
                "earning_rule": "percent_complete",
            }
            if not row.get("Predecessors") and row["Baseline Start"] > start:
                task["constraint"] = {"type": "SNET", "at": utc(row["Baseline Start"])}
        found.append(task)
    return found


def dependencies(document: Any) -> list[dict[str, Any]]:
    """Return the links between the activities."""
    wbs = wbs_by_id(document)
    found: list[dict[str, Any]] = []
    for row in document["baseline"]:
        for text in filter(None, (row.get("Predecessors") or "").split(";")):
            match = _LINK.fullmatch(text.strip())
            assert match is not None, text
            before, kind, lag = match.groups()
            found.append(
                {
                    "predecessor_wbs": wbs[before],
                    "successor_wbs": row["WBS"],
                    "type": kind,
                    "lag": lag.replace(" ", "").removeprefix("+") or "0d",
                }
            )
    return found


def progress_reports(document: Any) -> list[dict[str, Any]]:
    """Return what share of each activity was complete at each status time."""
    return [
        {
            "wbs": wbs,
            "status_at": utc(at),
            "percent_complete": format(round(Decimal(repr(row["Percentage Completed"])) * 100, 12), "f"),
        }
        for at, wbs, row in _tracked(document)
    ]


def costs(document: Any) -> list[dict[str, Any]]:
    """Return what each activity cost since the status time before."""
    spent: dict[str, Decimal] = {}
    found: list[dict[str, Any]] = []
    for at, wbs, row in _tracked(document):
        total = decimal(row["Actual Cost"])
        more = total - spent.get(wbs, Decimal(0))
        spent[wbs] = total
        if more:
            found.append({"wbs": wbs, "incurred_at": utc(at), "amount": money(more), "category": "labour"})
    return found


def _tracked(document: Any) -> Iterator[tuple[str, str, Any]]:
    above, wbs = parents(document), wbs_by_id(document)
    for period in document["tp"]:
        for row in period["rows"]:
            code = wbs[str(row["ID"])]
            if code not in above:
                yield period["status_date"], code, row
