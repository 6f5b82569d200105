"""Fourier transforms: there and back at one length they keep the grid, back at another they resize it."""

from __future__ import annotations

from fractions import Fraction

from uncheck.reading.calls import arguments, axes_of, main_input
from uncheck.reading.graph import Graph, Node

_BACK = frozenset(f"fft_{stem}{n}" for stem in ("ifft", "irfft") for n in ("", "2", "n"))
_THERE = frozenset(f"fft_{stem}{n}" for stem in ("fft", "rfft") for n in ("", "2", "n"))


def spectral_scales(graph: Graph, node: Node) -> tuple[Fraction, ...] | None:
    """Return the length of an inverse transform over that of the transform before it, per axis transformed.

    None for other calls, and where no transform of the same axes leads to it: then it makes positions of
    features, as a matrix does.
    """
    if node.name not in _BACK:
        return None
    axes = _axes(node)
    reached, new = set(), list(node.parents)
    while new:
        index = new.pop()
        before = graph.nodes[index]
        if before.name in _THERE and len(before.shape) == len(node.shape) and _axes(before) == axes:
            lengths = _lengths(before)
            return tuple(Fraction(node.shape[a], n) for a, n in zip(axes, lengths, strict=True))
        if index not in reached and before.name not in _BACK:
            reached.add(index)
            new += before.parents
    return None


def _axes(node: Node) -> tuple[int, ...]:
    """Return the axes that a call transforms, from the last."""
    given = arguments(node)
    rank = len(node.shape)
    dim = given.get("dim")
    if dim is None:
        sizes = given.get("s")
        count = {"2": 2, "n": len(sizes) if isinstance(sizes, tuple | list) else rank}.get(node.name[-1], 1)
        return tuple(range(-count, 0))
    return tuple(axis - rank for axis in axes_of(dim, rank))


def _lengths(node: Node) -> tuple[int, ...]:
    """Return the number of positions that a transform takes, padding included."""
    given = arguments(node)
    axes, before = _axes(node), main_input(node).shape
    asked = given.get("s", given.get("n"))
    sizes = asked if isinstance(asked, tuple | list) else (asked,) * len(axes)
    return tuple(before[a] if n is None or n == -1 else int(n) for a, n in zip(axes, sizes, strict=True))
