"""Alembic's entry into the sample service's migrations."""

from chassis.migrating import environment
from chassis.testkit.sample.tables import METADATA

environment(METADATA)
