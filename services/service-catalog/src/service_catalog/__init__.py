"""Services from proposal to retirement."""
