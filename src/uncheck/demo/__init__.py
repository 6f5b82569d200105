"""A small trained network with a lattice, and two photographs to see it on."""

from __future__ import annotations

from uncheck.demo.network import DemoNetwork, load, origin, pictures

__all__ = ["DemoNetwork", "load", "origin", "pictures"]
