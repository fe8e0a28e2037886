"""The schedule: a pure function of plan, calendars and status time."""
