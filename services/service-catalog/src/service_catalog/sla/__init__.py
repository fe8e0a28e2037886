"""SLA clocks: how much of the time agreed for an incident is used up, told from its history."""
