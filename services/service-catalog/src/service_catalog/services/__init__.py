"""Services: what users are given, within which boundaries, and where in its life each is."""
