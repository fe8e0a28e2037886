"""Problems: what incidents come from, from the first suspicion to the end of its cause."""
