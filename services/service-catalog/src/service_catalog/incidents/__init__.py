"""Incidents: unplanned interruptions and losses of quality, from the first report to the end."""
