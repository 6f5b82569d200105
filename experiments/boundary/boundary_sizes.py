"""How deep a border can be, from the sizes alone."""

from __future__ import annotations


def reach(name: str, stages: int) -> int:
    """Output pixels from the border that padding can touch: d -> 2 d + (k - 1) / 2 per stage.

    A deconvolution k3 p1 or k4 p1 reads one input pixel beyond the border for its outermost pixel: 2 d + 1.
    """
    kind, size = name.split(" k")
    each = 1 if kind == "deconv" else (int(size) - 1) // 2
    depth = 0
    for _ in range(stages):
        depth = 2 * depth + each
    return depth
