"""Calendars of projects and tasks."""
