"""Improvements: the register of what is to make services better."""
