"""Projects from charter to closing."""
