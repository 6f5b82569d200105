"""Sizes only: overlap maps of upsampling layers, alone and in chains. Integers, neither torch nor weights."""

from __future__ import annotations

from uncheck.geometry.chain import chain, overlap, surviving_periods
from uncheck.geometry.layer import Layer, Sizes, count_axes, layer, output_size, per_axis, sizes_per_axis
from uncheck.geometry.result import Overlap, Scale

__all__ = [
    "Layer",
    "Overlap",
    "Scale",
    "Sizes",
    "chain",
    "count_axes",
    "layer",
    "output_size",
    "overlap",
    "per_axis",
    "sizes_per_axis",
    "surviving_periods",
]
