"""What goes wrong between a loop and its database without being anybody's fault."""

import asyncpg

# A connection that was cut off may show itself as an internal error of the driver.
DATABASE_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
