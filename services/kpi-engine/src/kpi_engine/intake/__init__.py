"""The events of the siblings and which facts they change."""
