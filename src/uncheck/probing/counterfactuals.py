"""Counterfactuals: which outputs of a network to change, and how, so that stages leave no lattice."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from torch import Tensor

from uncheck.probing.evening import even_phases
from uncheck.probing.replay import Edits, WholeEdit
from uncheck.probing.scrambling import scramble_phases
from uncheck.reading import CallKey, Stage


def evening(stages: Collection[Stage], *, second_order: bool) -> Edits:
    """Return the edits that even these stages, but for those that cannot be evened."""
    return _edits(stages, lambda stage: partial(even_phases, second_order=second_order))


def scrambling(stages: Collection[Stage]) -> Edits:
    """Return the edits that scramble these stages, each in its own order."""
    return _edits(stages, lambda stage: partial(scramble_phases, seed=stage.index))


def mending(stages: Collection[Stage]) -> Edits:
    """Return the edits that even these stages to second order and scramble what is left of their phases."""

    def change(stage: Stage) -> Callable[..., Tensor]:
        def mended(tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
            even = even_phases(tensor, axes, stride, second_order=True)
            return scramble_phases(even, axes, stride, stage.index)

        return mended

    return _edits(stages, change)


def can_even(stage: Stage) -> bool:
    """Test whether a stage has whole phases and a grid to even them on, which the batch is no axis of."""
    whole = all(float(s).is_integer() for s in stage.stride)
    return whole and len(stage.even_axes) == len(stage.stride) and 0 not in stage.even_axes


def _edits(stages: Collection[Stage], change: Callable[[Stage], Callable[..., Tensor]]) -> Edits:
    edits: dict[CallKey, Callable[[Tensor], Tensor]] = {}
    for stage in filter(can_even, stages):
        edit = partial(change(stage), axes=stage.even_axes, stride=tuple(map(int, stage.stride)))
        edits[stage.even_key] = WholeEdit(edit) if stage.evens_whole else edit
    return edits
