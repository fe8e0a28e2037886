"""Rules about alerts: each has a page that helps, and counts what is counted."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from manifests.objects import Object, of_kind
from manifests.rendering import REPOSITORY

HEADINGS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
SEVERITIES = ("critical", "warning")
OWN_METRIC = re.compile(r"\btandem_[a-z0-9_]+")
DERIVED = re.compile(r"_(total|bucket|count|sum|created)$")


def alerts(objects: Sequence[Object]) -> list[dict[str, Any]]:
    """Return all alerts."""
    return [
        rule
        for each in of_kind(objects, "PrometheusRule")
        for group in each["spec"]["groups"]
        for rule in group["rules"]
    ]


def alerts_have_a_page(objects: Sequence[Object]) -> Iterator[str]:
    """An alert names a page with all four headings, how severe it is, and what has happened."""
    for alert in alerts(objects):
        notes = alert.get("annotations", {})
        page = REPOSITORY / notes.get("runbook", "docs/runbooks/none.md")
        headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.is_file() else []
        if tuple(headings) != HEADINGS:
            yield f"{alert['alert']}: {page.name} is not a page about it"
        if alert.get("labels", {}).get("severity") not in SEVERITIES:
            yield f"{alert['alert']}: how severe is it?"
        if not notes.get("summary"):
            yield f"{alert['alert']}: what has happened?"


def pages_have_an_alert(objects: Sequence[Object]) -> Iterator[str]:
    """No page is about an alert that is gone, where alerts are rendered."""
    named = {alert.get("annotations", {}).get("runbook") for alert in alerts(objects)}
    for page in sorted((REPOSITORY / "docs" / "runbooks").glob("*.md")) if named else ():
        if f"docs/runbooks/{page.name}" not in named:
            yield f"{page.name}: no alert leads to it"


def alerts_count_what_is_counted(objects: Sequence[Object]) -> Iterator[str]:
    """A metric of the platform's own that an alert asks for is one that some process counts."""
    for alert in alerts(objects):
        for name in OWN_METRIC.findall(alert["expr"]):
            if DERIVED.sub("", name) not in own_metrics():
                yield f"{alert['alert']}: nobody counts {name}"


@cache
def own_metrics() -> frozenset[str]:
    """Return the names of the metrics in the source of the services and of what they share."""
    sources = [path for folder in ("libs", "services") for path in (REPOSITORY / folder).glob("*/src/**/*.py")]
    texts = (path.read_text(encoding="utf-8") for path in sources)
    return frozenset(DERIVED.sub("", name) for text in texts for name in re.findall(r'"(tandem_[a-z0-9_]+)"', text))
