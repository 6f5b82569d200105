"""A stage as it is first found, with what is common to all kinds."""

from __future__ import annotations

from typing import Any

from uncheck.reading.graph import Node
from uncheck.reading.padding import call_name
from uncheck.reading.stage import Stage

Found = tuple[Stage, tuple[int, ...]]
"""A stage without place, count and period, and the spatial axes of its upsampling call's output."""


def make_stage(
    node: Node, kind: str, stride: tuple[int | float, ...], dims: tuple[int, ...], **known: Any
) -> Found:
    """A stage with what is common to all kinds filled in."""
    ndim = len(stride)
    plain: dict[str, Any] = {
        "kernel_size": stride,
        "padding": (0,) * ndim,
        "output_padding": (0,) * ndim,
        "dilation": (1,) * ndim,
        "groups": 1,
        "overlap": "none",
        "kernel": None,
        "exact": True,
        "even_key": node.key,
        "even_axes": dims,
    }
    stage = Stage(
        index=0,
        name=call_name(node),
        call=0,
        kind=kind,
        ndim=ndim,
        stride=stride,
        output_size=tuple(node.shape[dim] for dim in dims),
        output_period=None,
        key=node.key,
        **plain | known,
    )
    return stage, dims


def last_axes(node: Node, ndim: int) -> tuple[int, ...]:
    """The last axes of a node's output: the spatial ones of torch's own layers."""
    return tuple(range(len(node.shape) - ndim, len(node.shape)))
