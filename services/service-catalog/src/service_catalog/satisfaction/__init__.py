"""Satisfaction: who is asked about a service, and what they answer."""
