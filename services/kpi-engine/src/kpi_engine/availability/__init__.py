"""Availability of a service, and what else follows from its outages."""
