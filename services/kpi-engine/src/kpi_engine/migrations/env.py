"""Alembic's entry into the migrations of kpi-engine."""

from chassis.migrating import environment
from kpi_engine.facts import tables as facts  # noqa: F401  (each slice's tables enter the list by being imported)
from kpi_engine.metadata import METADATA
from kpi_engine.policies import tables as policies  # noqa: F401

environment(METADATA)
