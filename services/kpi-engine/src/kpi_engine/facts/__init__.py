"""What the siblings have told about services and projects, kept as rows to compute from."""
