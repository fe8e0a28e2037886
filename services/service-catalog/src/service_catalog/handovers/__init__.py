"""Handovers: what projects hand over to services, and what the services' owners decide."""
