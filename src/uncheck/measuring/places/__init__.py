"""Local measurement: the places of a picture that have a lattice."""
