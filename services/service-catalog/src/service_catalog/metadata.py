"""The one list of this service's tables; each slice adds its own."""

from sqlalchemy import MetaData

METADATA = MetaData()
