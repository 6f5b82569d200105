"""Distillation: train a copy of the network towards outputs without the lattice."""
