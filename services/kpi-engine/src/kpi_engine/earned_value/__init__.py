"""Earned value and earned schedule of a project against an approved baseline."""
