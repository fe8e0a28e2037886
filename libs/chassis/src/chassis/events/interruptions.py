"""What the driver raises where the database is away, for whoever goes on without it and asks again."""

import asyncpg

# A connection that was cut off may show itself as an internal error of the driver.
DATABASE_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
