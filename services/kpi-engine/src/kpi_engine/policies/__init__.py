"""How an organisation wants to be measured: weights of outages, notice of maintenance, tolerance."""
