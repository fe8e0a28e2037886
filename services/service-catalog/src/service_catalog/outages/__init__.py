"""Outages: the spans in which a service was down, partly down or degraded."""
