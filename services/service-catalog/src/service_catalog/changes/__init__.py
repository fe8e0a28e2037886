"""Changes (change enablement): what is to be changed of services, how risky it is, who approves it, and when."""
