"""Timelines: what happened to an incident, in order, with the work notes that people add to it."""
