"""Baselines: plans as they were frozen, to be measured against."""
