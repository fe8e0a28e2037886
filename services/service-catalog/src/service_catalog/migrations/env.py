"""Alembic's entry into the migrations of service-catalog."""

import service_catalog.wiring  # noqa: F401  (with it each slice's tables enter the list)
from chassis.history import HISTORY_METADATA
from chassis.migrating import environment
from service_catalog.metadata import METADATA

environment(HISTORY_METADATA, METADATA)
