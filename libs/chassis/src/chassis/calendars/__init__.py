"""Calendars: when people work or a service is open; the same resource in every service that plans or measures."""
