"""Clocks: what all clocks of working time share, whatever they measure: their reckoning, their timers, their watch."""
