"""Tasks: the tree of a project's work, with durations, budgets and constraints."""
