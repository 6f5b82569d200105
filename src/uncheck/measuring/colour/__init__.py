"""Dependence of a lattice on brightness and colour."""
