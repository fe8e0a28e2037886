"""Costs that a project has really had."""
