"""The whole platform on one machine: embedded PostgreSQL, Envoy, all processes."""
