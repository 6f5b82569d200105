"""Layouts followed without data agree with indices pushed through the calls."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from oracles.reading_layout import block_factors, index_map
from reading.zoo_networks import Fn
from tiers import examples
from uncheck.reading.graph import Graph
from uncheck.reading.layout import HELD, Layout, follow, is_layout_call, sizes, source_layout
from uncheck.reading.record import record

Call = Callable[[Tensor], Tensor]


def traced(model: nn.Module, x: Tensor) -> Graph:
    return record(model, x).graph


def followed(calls: list[Call], shape: tuple[int, ...]) -> Layout | None:
    def forward(self: Any, x: Tensor) -> Tensor:
        for call in calls:
            x = call(x)
        return x

    graph = traced(Fn(forward), torch.zeros(shape))
    layout: Layout | None = source_layout(shape)
    for node in graph.nodes[1:]:
        if layout is None or not is_layout_call(node):
            return None
        layout = follow(node, layout)
    return layout


def indices(layout: Layout, shape: tuple[int, ...]) -> Tensor:
    """The flat source index at each position that a layout describes, its crops at the start left out."""
    strides = [int(torch.tensor(shape[axis + 1 :]).prod()) for axis in range(len(shape))]
    axes = []
    for axis in layout:
        runs = [
            [0] * a.size if a.axis == HELD else [a.step * i * strides[a.axis] for i in range(a.size)]
            for a in axis
        ]
        axes.append([sum(parts) for parts in product(*runs)])
    flat = [sum(parts) for parts in product(*axes)]
    return torch.tensor(flat).reshape(sizes(layout))


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[Call], tuple[int, ...]]:
    shape = tuple(draw(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=2, max_size=4)))
    current = shape
    calls: list[Call] = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["permute", "split", "merge", "expand", "repeat", "slice", "squeeze"]))
        axis = draw(st.integers(0, len(current) - 1))
        n = current[axis]
        if kind == "permute":
            order = tuple(draw(st.permutations(range(len(current)))))
            calls.append(lambda t, order=order: t.permute(order))
        elif kind == "split" and len(current) < 6:
            inner = draw(st.sampled_from([d for d in range(1, n + 1) if n % d == 0]))
            calls.append(lambda t, axis=axis, inner=inner: t.unflatten(axis, (-1, inner)))
        elif kind == "merge" and axis + 1 < len(current):
            calls.append(lambda t, axis=axis: t.flatten(axis, axis + 1))
        elif kind == "expand" and len(current) < 6:
            calls.append(lambda t, axis=axis: t.unsqueeze(axis).expand(*t.shape[:axis], 2, *t.shape[axis:]))
        elif kind == "repeat":
            calls.append(lambda t, axis=axis: t.repeat_interleave(2, dim=axis))
        elif kind == "slice":
            calls.append(lambda t, axis=axis: t.narrow(axis, 0, max(1, t.shape[axis] - 1)))
        else:
            calls.append(lambda t: t.reshape(1, *t.shape))
        current = tuple(calls[-1](torch.empty(current)).shape)
    return calls, shape


@examples(5, 100)
@given(chains())
def test_random_chains(case: tuple[list[Call], tuple[int, ...]]) -> None:
    calls, shape = case
    layout = followed(calls, shape)
    if layout is not None:  # a crop through a block cannot be written in atoms
        assert torch.equal(indices(layout, shape), index_map(shape, calls))


def test_planted_defect_is_seen() -> None:
    """The same shapes with two phases swapped give another map."""
    calls: list[Call] = [lambda t: t.view(1, 3, 2, 2, 4, 4), lambda t: t.permute(0, 1, 4, 2, 5, 3)]
    swapped: list[Call] = [calls[0], lambda t: t.permute(0, 1, 4, 3, 5, 2)]
    layout = followed(calls, (1, 12, 4, 4))
    assert layout is not None
    assert torch.equal(indices(layout, (1, 12, 4, 4)), index_map((1, 12, 4, 4), calls))
    assert not torch.equal(indices(layout, (1, 12, 4, 4)), index_map((1, 12, 4, 4), swapped))


@pytest.mark.parametrize(("patch", "order"), [(2, (0, 5, 1, 3, 2, 4)), (3, (0, 5, 1, 4, 2, 3))])
def test_block_sizes(patch: int, order: tuple[int, ...]) -> None:
    calls: list[Call] = [
        lambda t: t.reshape(1, 4, 6, patch, patch, 2),
        lambda t: t.permute(order),
        lambda t: t.reshape(1, 2, 4 * patch, 6 * patch),
    ]
    shape = (1, 24, 2 * patch * patch)
    assert block_factors(index_map(shape, calls), shape, (1,)) == {2: patch, 3: patch}
    layout = followed(calls, shape)
    assert layout is not None
    assert [axis[-1].size for axis in layout[2:]] == [patch, patch]
