"""How sure a figure is, by how its rows depend on each other: one bound for each kind."""
