"""Distillation: train a copy of the network towards outputs without the lattice."""

from uncheck.repairing.methods.distill.lessons import distill

__all__ = ["distill"]
