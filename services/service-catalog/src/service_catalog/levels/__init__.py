"""Service levels: what is agreed of a service, by which clock, and since when."""
