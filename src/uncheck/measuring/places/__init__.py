"""Local measurement: where in a picture the lattice stands."""
