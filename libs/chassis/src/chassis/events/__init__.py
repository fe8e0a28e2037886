"""Events over HTTP: the log, its sequencer, its feed, and reading the logs of siblings."""
