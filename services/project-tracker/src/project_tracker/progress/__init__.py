"""Progress reports: how much of a task was done at a time."""
