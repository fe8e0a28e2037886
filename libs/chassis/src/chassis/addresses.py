"""Where databases are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where a database is and as which role to enter: `host` is a name or the folder of a Unix socket."""

    host: str
    port: int
    name: str
    role: str
    password: str
