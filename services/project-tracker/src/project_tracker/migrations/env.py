"""Alembic's entry into the migrations of project-tracker."""

import project_tracker.wiring  # noqa: F401  (with it each slice's tables enter the list)
from chassis.migrating import environment
from project_tracker.metadata import METADATA

environment(METADATA)
