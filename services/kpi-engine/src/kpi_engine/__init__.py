"""Key performance indicators of services and projects."""
