"""Plans: the work breakdown of a project and the links between its tasks."""
