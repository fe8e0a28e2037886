"""Costs of services: what they take to run and to own."""
