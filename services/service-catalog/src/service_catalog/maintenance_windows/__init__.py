"""Maintenance windows: announced spans in which services may be down without it counting."""
