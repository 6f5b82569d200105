"""Comparison of a changed network with the original on held-out inputs; shares no code with the methods."""
