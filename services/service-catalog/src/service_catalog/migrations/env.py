"""Alembic's entry into the migrations of service-catalog."""

import service_catalog.services.tables  # noqa: F401  (each slice's tables enter the list by being imported)
from chassis.history import HISTORY_METADATA
from chassis.migrating import environment
from service_catalog.metadata import METADATA

environment(HISTORY_METADATA, METADATA)
