"""What other slices ask of progress: how far each task was at a time."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.database import Reading, Statement
from chassis.resource import Instant
from project_tracker.progress.tables import progress_report

_LATEST = Statement(
    select(progress_report.c.task_id, progress_report.c.percent_complete)
    .ext(distinct_on(progress_report.c.task_id))
    .where(
        progress_report.c.project_id == bindparam("project_id", type_=Uuid),
        progress_report.c.status_at <= bindparam("status_at", type_=Instant),
    )
    .order_by(progress_report.c.task_id, progress_report.c.status_at.desc())
)


async def latest_progress(tx: Reading, project_id: UUID, status_at: datetime) -> dict[UUID, Decimal]:
    """Return what each task's last report until then says, in percent."""
    rows = await tx.all(_LATEST, project_id=project_id, status_at=status_at)
    return {row["task_id"]: row["percent_complete"] for row in rows}
