"""Acceptance criteria: what processes, technology and people have to be before a service is supported."""
