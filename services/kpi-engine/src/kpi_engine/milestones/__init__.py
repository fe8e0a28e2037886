"""Milestones held against their baseline dates."""
