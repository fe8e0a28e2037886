"""Service requests: what somebody asked a service for, from its submission over its approval to its fulfilment."""
