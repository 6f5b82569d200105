"""Counterfactual runs: phases made alike or scrambled, paddings replaced by replication."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from types import TracebackType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.utils.hooks import RemovableHandle

from uncheck.measuring.lines import hann
from uncheck.phases.axes import flat_pads
from uncheck.phases.project import ROUNDING_VARIANCE, evening_map
from uncheck.reading import CallKey, CallWatcher, Stage
from uncheck.reading.calls import torch_sizes
from uncheck.reading.signatures import SIGNATURES

#: Samples per channel and phase that a covariance needs to be worth evening.
SAMPLES = 8

#: More channels than this are evened in variance only: eigendecompositions would cost more than the network.
MOST_CHANNELS = 256

Edits = Mapping[CallKey, Callable[[Tensor], Tensor]]
"""For some calls, what to do with their outputs."""


def even_phases(
    tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...], *, second_order: bool
) -> Tensor:
    """Make all output phases alike in mean, and in covariance over channels if asked.

    Equation: y[s i + p] <- T_p (y[s i + p] - m_p) + m, with m_p the mean of phase p over positions and
    batch, m the average of the m_p, and T_p = 1 (first order) or the least move that turns covariance C_p
    into the average C of all phases, T_p = C_p^(-1/2) (C_p^(1/2) C C_p^(1/2))^(1/2) C_p^(-1/2) (second
    order). With fewer than `SAMPLES` samples per channel and phase, variances alone: T_p = diag(s / s_p).
    Moments are weighted by Hann's window, so that neither borders nor a trend of the content count.

    Args:
        tensor: a batch of feature maps; axis 0 is the batch, axis 1 the channels unless it is spatial.
        axes: the spatial axes of `tensor`.
        stride: phases per axis, whole numbers.
        second_order: also even the covariances, not the means alone.

    Returns:
        A new tensor; nothing else of the signal changes. An axis with fewer than two samples of a phase is
        left alone.

    Cost: a few passes over the tensor, and per phase an eigendecomposition of size channels.
    Source: Olkin and Pukelsheim (1982) for the least move between covariances.
    """
    stride = tuple(s if tensor.shape[a] >= 2 * s else 1 for s, a in zip(stride, axes, strict=True))
    phases = list(product(*(range(s) for s in stride)))
    if len(phases) == 1:
        return tensor
    channel = next((a for a in range(1, tensor.dim()) if a not in axes), 0)
    precise = torch.float32 if tensor.device.type == "mps" else torch.float64  # MPS has no float64
    windows = [torch.from_numpy(hann(tensor.shape[a])).to(tensor.device, precise) for a in axes]
    inner, weights = [], []
    for p in phases:
        x = tensor[_phase(tensor, axes, stride, p)]
        w = torch.ones((), dtype=precise, device=tensor.device)
        for axis, s, start, window in zip(axes, stride, p, windows, strict=True):
            shape = [1] * tensor.dim()
            shape[axis] = -1
            w = w * window[start::s].reshape(shape)
        w = w.expand([n if a != channel else 1 for a, n in enumerate(x.shape)]).movedim(channel, -1).flatten()
        inner.append(x.movedim(channel, -1).flatten(0, -2).to(precise))
        weights.append(w / w.sum())
    means = [w @ x for x, w in zip(inner, weights, strict=True)]
    mean = torch.stack(means).mean(dim=0)
    turns = _turns(inner, means, weights) if second_order else [None] * len(phases)
    out = tensor.clone()
    for phase, own, turn in zip(phases, means, turns, strict=True):
        where = _phase(tensor, axes, stride, phase)
        part = tensor[where].movedim(channel, -1).to(precise) - own
        if turn is not None:
            part = part * turn if turn.dim() == 1 else part @ turn
        out[where] = (part + mean).movedim(-1, channel).to(tensor.dtype)
    return out


def _turns(inner: list[Tensor], means: list[Tensor], weights: list[Tensor]) -> list[Tensor | None]:
    """Return T_p of each phase: a matrix, or the diagonal of one where samples are few."""
    centred = [x - m for x, m in zip(inner, means, strict=True)]
    channels = means[0].numel()
    square = torch.stack([w @ x.square() for x, w in zip(inner, weights, strict=True)]).mean(dim=0)
    least = ROUNDING_VARIANCE * square.mean() + 1e-30
    # Unequal weights make fewer samples count.
    samples = min(1 / float(w.square().sum()) for w in weights)
    if samples < SAMPLES * channels or channels > MOST_CHANNELS:
        variances = [w @ x.square() for x, w in zip(centred, weights, strict=True)]
        target = torch.stack(variances).mean(dim=0)
        return [((target + least) / (v + least)).sqrt() for v in variances]
    floor = least * torch.eye(channels, dtype=square.dtype, device=square.device)
    covariances = [(x * w[:, None]).T @ x + floor for x, w in zip(centred, weights, strict=True)]
    wanted = torch.stack(covariances).mean(dim=0)
    return [evening_map(own, wanted) for own in covariances]


def _phase(
    tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...], phase: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the index of one phase."""
    index = [slice(None)] * tensor.dim()
    for axis, s, p in zip(axes, stride, phase, strict=True):
        index[axis] = slice(p, None, s)
    return tuple(index)


class Replay(CallWatcher):
    """Run the model again with the outputs of some calls replaced.

    Calls are watched only while the modules run that make those: to watch all of them costs more than
    many small calls themselves.
    """

    def __init__(self, model: nn.Module, edits: Edits) -> None:
        super().__init__(model, foreign=any(key.foreign for key in edits))
        self.edits = edits
        self._modules = dict(model.named_modules())
        self._hooks: list[RemovableHandle] = []
        self._inside, self._everywhere = 0, False
        self.met: set[CallKey] = set()

    def __enter__(self) -> Replay:
        places = [self._modules.get(path) for path in {key.module for key in self.edits}]
        self._everywhere = self._modules[""] in places or any(
            module is None or isinstance(module, ScriptModule) for module in places
        )
        if self._everywhere:
            super().__enter__()
            return self
        for module in filter(None, places):
            self._hooks.append(module.register_forward_pre_hook(self._begin, prepend=True))
            self._hooks.append(module.register_forward_hook(self._end, always_call=True))
        return self

    def _begin(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._inside += 1
        if self._inside == 1:
            super().__enter__()
            self._push(module, args)  # hooks common to all modules had their turn before these were there

    def _end(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._inside -= 1
        if self._inside == 0:
            super().__exit__(None, None, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._inside or self._everywhere:
            super().__exit__(kind, error, trace)
        while self._hooks:
            self._hooks.pop().remove()
        self._inside = 0

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Replace the output of the calls to edit."""
        edit = self.edits.get(key)
        if isinstance(edit, _Whole) and isinstance(args[0], Tensor):  # a write through a view
            self.met.add(key)
            whole = args[0] if args[0]._base is None else args[0]._base
            whole.copy_(edit(whole))
            return out
        if edit is not None and out is None and args and isinstance(args[0], Tensor):  # a write to positions
            self.met.add(key)
            args[0].copy_(edit(args[0]))
            return None
        if edit is None or not isinstance(out, Tensor):
            return out
        self.met.add(key)
        return edit(out)


@dataclass(frozen=True)
class _Whole:
    """An edit of the whole tensor that a call wrote to through a view."""

    edit: Callable[[Tensor], Tensor]

    def __call__(self, tensor: Tensor) -> Tensor:
        return self.edit(tensor)


def evening(stages: Collection[Stage], *, second_order: bool) -> Edits:
    """Return the edits that even these stages, but for those that cannot be evened."""
    return _edits(stages, lambda stage: partial(even_phases, second_order=second_order))


def can_even(stage: Stage) -> bool:
    """Test whether a stage has whole phases and a grid to even them on, which the batch is no axis of."""
    whole = all(float(s).is_integer() for s in stage.stride)
    return whole and len(stage.even_axes) == len(stage.stride) and 0 not in stage.even_axes


def _edits(stages: Collection[Stage], change: Callable[[Stage], Callable[..., Tensor]]) -> Edits:
    edits: dict[CallKey, Callable[[Tensor], Tensor]] = {}
    for stage in filter(can_even, stages):
        edit = partial(change(stage), axes=stage.even_axes, stride=tuple(map(int, stage.stride)))
        edits[stage.even_key] = _Whole(edit) if stage.evens_whole else edit
    return edits


def scramble_phases(tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...], seed: int) -> Tensor:
    """Shift blocks of a map, two strides wide, each by its own number of pixels below the stride.

    Every phase keeps whatever distinguishes it, also what means and covariances do not tell, but blocks
    show it at different places, so that it no longer adds up to a lattice. All shifts are used equally
    often, in random order. Contents move by less than a stride. The arguments are those of `even_phases`.

    Returns:
        A new tensor of the same values, some repeated and some left out where blocks meet.

    Cost: one gather.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = [tensor.shape[a] for a in axes]
    blocks = [2 * s for s in stride]
    starts = [int(torch.randint(b, (1,), generator=generator)) for b in blocks]
    counts = [(n + o - 1) // b + 1 for n, o, b in zip(sizes, starts, blocks, strict=True)]
    shifts = torch.tensor(list(product(*(range(s) for s in stride))))
    needed = tensor.shape[0] * prod(counts)
    rounds = [
        shifts[torch.randperm(len(shifts), generator=generator)] for _ in range(-(-needed // len(shifts)))
    ]
    table = torch.cat(rounds)[:needed].reshape(tensor.shape[0], *counts, len(stride))
    sample, *places = torch.meshgrid(*(torch.arange(n) for n in (tensor.shape[0], *sizes)), indexing="ij")
    block = [(place + o) // b for place, o, b in zip(places, starts, blocks, strict=True)]
    shift = table[(sample, *block)]
    source = [
        _inside(place + shift[..., k] - s // 2, n, s)
        for k, (place, n, s) in enumerate(zip(places, sizes, stride, strict=True))
    ]
    front = (0, *axes)
    order = tuple(range(len(front)))
    index = tuple(i.to(tensor.device) for i in (sample, *source))
    return tensor.movedim(front, order)[index].movedim(order, front)


def _inside(place: Tensor, size: int, stride: int) -> Tensor:
    """Move places beyond the border back by whole strides, which keeps their phase."""
    place = torch.where(place < 0, place + stride, place)
    place = torch.where(place >= size, place - stride, place)
    return place.clamp(0, size - 1)


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


class Replicating(CallWatcher):
    """Run the model with some of its paddings replaced by replication.

    A padded convolution gets its input replicated first; a padding call replicates; a transposed convolution,
    which takes the outside for zero without any padding, gets neighbours and its output cut back. A call that
    cannot be changed is left as it is.
    """

    def __init__(self, model: nn.Module, keys: Collection[CallKey]) -> None:
        super().__init__(model, foreign=any(key.foreign for key in keys))
        self._keys = keys

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Compute the call anew with replication."""
        if key not in self._keys or not isinstance(out, Tensor):
            return out
        try:
            new = _replicated(key.function, func, args, kwargs)
        except (RuntimeError, NotImplementedError, ValueError, TypeError):
            return out  # a shape replication does not support: the border stays as it was
        return new if new is not None and new.shape == out.shape else out


def _replicated(
    name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor | None:
    if name not in SIGNATURES or not name.startswith(("conv", "pad")):
        return None
    given = dict(zip(SIGNATURES[name].split(), args, strict=False)) | kwargs
    x = given["input"]
    if name == "pad":
        return F.pad(x, list(given["pad"]), mode="replicate")
    kernel = given["weight"].shape[2:]
    ndim = len(kernel)
    dilation = torch_sizes(given.get("dilation"), ndim)
    if name.startswith("conv_transpose"):
        stride = torch_sizes(given.get("stride"), ndim)
        reach = [-(-d * k // s) for d, k, s in zip(dilation, kernel, stride, strict=True)]
        given["input"] = _pad(x, [(r, r) for r in reach])
        out: Tensor = func(**given)
        for axis, (r, s) in enumerate(zip(reach, stride, strict=True), start=out.dim() - ndim):
            out = out.narrow(axis, r * s, out.shape[axis] - 2 * r * s)
        return out
    padding = given.get("padding")
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        amount = [(t // 2, t - t // 2) for t in total]
    else:
        amount = [(p, p) for p in torch_sizes(padding, ndim, 0)]
    given["input"], given["padding"] = _pad(x, amount), 0
    result: Tensor = func(**given)
    return result


def _pad(x: Tensor, amount: list[tuple[int, int]]) -> Tensor:
    return F.pad(x, flat_pads(amount), mode="replicate")
