"""Calendars: the hours in which services are agreed to be available."""
