"""Projects: what is to be reached, by when, at which cost, and how far it has come."""
