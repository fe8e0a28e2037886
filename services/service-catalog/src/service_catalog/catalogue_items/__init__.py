"""Catalogue items: what users may ask a service for, the form they fill in, and how long it takes to get it."""
