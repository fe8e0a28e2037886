"""Catalogue items."""
