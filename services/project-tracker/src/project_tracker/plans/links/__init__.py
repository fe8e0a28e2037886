"""Links: which task waits for which."""
