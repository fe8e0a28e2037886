"""The sample service's one table."""

from sqlalchemy import Column, MetaData, Text

from chassis.resource import tenant_table

METADATA = MetaData()

thing = tenant_table("thing", METADATA, Column("name", Text, nullable=False))
