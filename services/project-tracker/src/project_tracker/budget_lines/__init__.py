"""Budget lines: planned value that is said outright, over a period."""
