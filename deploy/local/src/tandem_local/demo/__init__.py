"""The demonstration: real incidents and a real plan, loaded through the gateway, and the figures they give."""
