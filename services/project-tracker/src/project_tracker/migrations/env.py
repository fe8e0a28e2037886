"""Alembic's entry into the migrations of project-tracker."""

from chassis.migrating import environment
from project_tracker.baselines import tables as _baselines  # noqa: F401  (each slice adds its tables by being imported)
from project_tracker.budget_lines import tables as _budget_lines  # noqa: F401
from project_tracker.calendars import tables as _calendars  # noqa: F401
from project_tracker.costs import tables as _costs  # noqa: F401
from project_tracker.metadata import METADATA
from project_tracker.plans import tables as _plans  # noqa: F401
from project_tracker.progress import tables as _progress  # noqa: F401
from project_tracker.projects import tables as _projects  # noqa: F401

environment(METADATA)
