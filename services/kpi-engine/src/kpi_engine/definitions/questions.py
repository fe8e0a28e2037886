"""What a client asks about a KPI, and what of it fits the KPI."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from datetime import date, datetime
from urllib.parse import urlencode
from uuid import UUID

from chassis.rejection import Fault, Rejection, invalid, not_found
from chassis.schemas import instant_text
from kpi_engine.definitions.catalogue import KpiDefinition
from kpi_engine.definitions.envelope import Period, Subject, SubjectType
from kpi_engine.definitions.periods import Grain, checked, midnight, zone_of

Moment = datetime | date
"""An instant, or a day whose instant depends on a zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One KPI of one subject, or of all of a kind, over some time.

    `links` is the path in front of the links of the answer. A day as `start` or `end` means its beginning.
    """

    kpi: KpiDefinition
    subject_type: SubjectType
    subject_id: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    grain: Grain = Grain.TOTAL
    timezone: str | None = None
    status_at: Moment | None = None
    baseline: str | None = None
    limit: int = 50
    after: str | None = None
    links: str = ""

    @property
    def binding(self) -> str:
        """What binds a cursor to this question: all of it but where a page begins and how long it is."""
        free = {"after", "limit", "links", "kpi"}
        parts = [getattr(self, one.name) for one in fields(self) if one.name not in free]
        return hashlib.sha256(repr([self.kpi.code, *parts]).encode()).hexdigest()

    @property
    def id_asked(self) -> UUID | None:
        """The id of the one subject asked for; what is no id is the id of nothing."""
        if self.subject_id is None:
            return None
        try:
            return UUID(self.subject_id)
        except ValueError:
            raise not_found(str(self.subject_type)) from None

    def span(self, usual_zone: str = "UTC") -> tuple[datetime, datetime, str]:
        """Return the whole period asked for and the zone to cut it in; both ends are needed."""
        missing = [
            Fault(name, "missing", "This is needed.")
            for name, value in (("from", self.start), ("to", self.end))
            if value is None
        ]
        if missing or self.start is None or self.end is None:
            raise invalid(*missing)
        timezone = self.timezone or usual_zone
        return (
            instant_of(self.start, timezone, "from"),
            instant_of(self.end, timezone, "to"),
            timezone,
        )

    def refuse(self, *parameters: str) -> None:
        """Refuse parameters that say nothing about this KPI."""
        values = {"status_at": self.status_at, "baseline": self.baseline}
        faults = [
            Fault(name, "parameter-not-applicable", f"{name} says nothing about {self.kpi.code}.")
            for name in parameters
            if values[name] is not None
        ]
        if faults:
            raise invalid(*faults)

    def evidence_of(self, subject: Subject, period: Period, **more: str) -> str:
        """Return the link to the facts behind one value."""
        asked = {
            "subject_type": str(subject.type),
            "subject_id": subject.id,
            "from": instant_text(period.start),
            "to": instant_text(period.end),
            "timezone": period.timezone,
            **more,
        }
        return f"{self.links}/v1/kpis/{self.kpi.code}/evidence?{urlencode(asked)}"


def instant_of(moment: Moment, timezone: str, parameter: str) -> datetime:
    """Return the instant meant: a day means its beginning in a zone."""
    at = moment if isinstance(moment, datetime) else midnight(moment, zone_of(timezone))
    return checked(at, parameter)


def unfit(subject_type: SubjectType, kpi: KpiDefinition) -> Rejection:
    """Refuse a kind of subject that a KPI is not about."""
    return invalid(Fault("subject_type", "subject-type-unfit", f"{kpi.code} is not computed for a {subject_type}."))
