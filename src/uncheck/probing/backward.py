"""The backward pass: strided layers spread gradients as deconvolutions spread signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.errors import UncheckError, first_line
from uncheck.measuring import Component
from uncheck.measuring.batches import amplitude_of, batch_lattice
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.observed import BatchComponent
from uncheck.plain import Brief, Plain, as_dict
from uncheck.probing.forward import Runner
from uncheck.reading import CallKey, CallWatcher, Recording, Strided, call, forward_error
from uncheck.reading.possible import LONGEST_LEFT
from uncheck.reading.tensors import tensors_in

#: Grey levels per standard deviation of a gradient: three to either side fill the range 0..255.
LEVELS_PER_SIGMA = 42.5


@dataclass(frozen=True)
class StridedBlame(Brief):
    """One subsampling layer, its period in input pixels and its share of the gradient's lattice."""

    name: str
    kind: str
    stride: tuple[int | float, ...]
    kernel_size: tuple[int, ...]
    input_period: tuple[int, ...]
    share: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return as_dict(self, "name", "kind", "stride", "kernel_size", "input_period") | {"blame": self.share}


@dataclass(frozen=True)
class Gradient(Plain):
    """The gradient of the output with respect to the input.

    Attributes:
        lattice: of the gradient itself (its phase means; first order), in grey levels of which 42.5 are one
            standard deviation of the gradient.
        magnitude: of its magnitude (how large it is at each phase; second order), likewise.
        strided: the subsampling layers in forward order, with their share of both.
    """

    lattice: tuple[Component, ...]
    magnitude: tuple[Component, ...]
    strided: tuple[StridedBlame, ...]

    @property
    def found(self) -> bool:
        """Whether there is a lattice of either order."""
        return bool(self.lattice or self.magnitude)


class _Branching(CallWatcher):
    """Give each strided call an input of its own, whose gradient can be smoothed while it is `active`."""

    def __init__(self, model: nn.Module, strided: Sequence[Strided]) -> None:
        super().__init__(model)
        self._by_key = {step.key: step for step in strided}
        self.active: CallKey | None = None
        self.sizes: dict[CallKey, tuple[int, ...]] = {}

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        step = self._by_key.get(key)
        if step is None or len(args) <= step.position:
            return out
        x = args[step.position]
        if not isinstance(x, Tensor) or not x.requires_grad:
            return out
        stride = tuple(max(1, round(s)) for s in step.stride)
        self.sizes[key] = tuple(x.shape[-len(stride) :])
        branch = x.view_as(x)
        branch.register_hook(  # type: ignore[no-untyped-call]
            lambda grad: _smooth(grad, stride) if self.active == key else None
        )
        return func(*args[: step.position], branch, *args[step.position + 1 :], **kwargs)


def _smooth(grad: Tensor, stride: tuple[int, ...]) -> Tensor:
    """Average over a window of one stride, which leaves no lattice of that period."""
    ndim = len(stride)
    if grad.dim() not in (ndim + 1, ndim + 2):
        return grad
    pad = [n for s in reversed(stride) for n in ((s - 1) // 2, s // 2)]
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[ndim - 1]
    smooth: Tensor = pool(F.pad(grad, pad, mode="replicate"), stride, 1)
    return smooth


def gradient_lattice(
    runner: Runner, strided: Sequence[Strided], periods: Sequence[int], threshold: float
) -> Gradient:
    """Find the lattice of the gradient with respect to the input, and the strided layers to blame.

    The output is projected on a fixed random vector over its channels, constant over positions, as a loss
    would. The counterfactual of a strided layer smooths the gradient that comes out of it over one stride,
    which is what a blur before the layer would do; its share is how much of the lattice goes.

    Periods are in input pixels, the threshold in the grey levels of `Gradient`.

    Raises:
        UncheckError: the first input is no map of real numbers, the output does not depend on it, or NaN.

    Cost: one forward pass, which keeps its activations, and 1 + n backward passes for n strided layers.
    """
    signal = runner.signal
    if not signal.is_floating_point() or signal.dim() < 3:
        raise UncheckError(
            "a gradient lattice needs a floating input with spatial axes, "
            f"got {tuple(signal.shape)} {signal.dtype}"
        )
    watcher = _Branching(runner.model, strided)
    leaf = signal.detach().clone().requires_grad_(True)
    runner.advance("gradient")
    runner.passes += 1
    with torch.enable_grad():
        try:
            with watcher:
                output = call(runner.model, runner.with_signal(leaf))
        except Exception as error:
            raise forward_error(runner.model, watcher.reached, error, leaf) from error
        projected = _projection(output)
    if projected is None:
        name = type(runner.model).__name__
        raise UncheckError(f"the output of {name} has no gradient with respect to its input")

    def pull(active: CallKey | None) -> NDArray[np.float32]:
        watcher.active = active
        runner.passes += 1
        try:
            (grad,) = torch.autograd.grad(projected, leaf, retain_graph=True)
        except RuntimeError as error:
            raise UncheckError(
                f"the backward pass failed: {first_line(error)}; train with this network to see where"
            ) from error
        values = np.moveaxis(grad.detach().float().cpu().numpy(), 1, -1)
        if not np.isfinite(values).all():
            raise UncheckError(
                "the gradient holds NaN or infinite values; check the weights and the input range"
            )
        return values

    orders = _orders(pull(None))
    first, second = (batch_lattice(values, periods, threshold).present for values in orders)
    # Smoothing one layer's gradient shows what that layer adds; the others go on as they are.
    shares: dict[CallKey, float | None] = {}
    for step in strided:
        shares[step.key] = None
        if (first or second) and step.key in watcher.sizes:
            runner.advance(f"gradient, smoothed at {step.name}")
            shares[step.key] = _share(zip(orders, _orders(pull(step.key)), (first, second), strict=True))
    return Gradient(
        tuple(f.component for f in first),
        tuple(f.component for f in second),
        tuple(_strided_blame(s, watcher.sizes, signal.shape, shares[s.key]) for s in strided),
    )


def gradient_of(runner: Runner, recording: Recording, threshold: float) -> Gradient:
    """Find the lattice of the gradient at the periods that the steps of a network can leave.

    Raises:
        UncheckError: as `gradient_lattice`.

    Cost: as `gradient_lattice`, for the steps along as many axes as the signal has.
    """
    ndim = max(1, min(3, runner.signal.dim() - 2))
    strided = [s for s in recording.strided if len(s.stride) == ndim]
    periods = sorted(set(PERIODS) | {p for p in (2**i for i in range(1, 6)) if p <= LONGEST_LEFT[ndim]})
    return gradient_lattice(runner, strided, periods, threshold)


def _projection(output: Any) -> Tensor | None:
    generator = torch.Generator().manual_seed(0)
    total: Tensor | None = None
    for tensor in tensors_in(output):
        if tensor.requires_grad and not tensor.is_complex():
            shape = [1, tensor.shape[1] if tensor.dim() > 1 else 1] + [1] * max(0, tensor.dim() - 2)
            weights = torch.randn(shape[: max(1, tensor.dim())], generator=generator).to(tensor)
            term = (tensor * weights).sum()
            total = term if total is None else total + term
    return total


def _orders(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return a gradient and its magnitude, in grey levels."""
    length = np.sqrt(np.square(values, dtype=np.float64).sum(axis=-1, keepdims=True))
    return [
        np.asarray(one / max(float(one.std()), 1e-30) * LEVELS_PER_SIGMA, np.float32)
        for one in (values, length)
    ]


def _share(
    cases: Iterable[tuple[NDArray[np.float32], NDArray[np.float32], Sequence[BatchComponent]]],
) -> float:
    """Return the share of the power-weighted amplitude, over both orders, that is removed."""
    weight = gone = 0.0
    for before, after, present in cases:
        for found in present:
            old, new = amplitude_of(before, found), amplitude_of(after, found)
            weight += old**2
            gone += old * (old - new)
    return float(np.clip(gone / weight, 0.0, 1.0)) if weight else 0.0


def _strided_blame(
    step: Strided, sizes: dict[CallKey, tuple[int, ...]], shape: Sequence[int], share: float | None
) -> StridedBlame:
    size = sizes.get(step.key, ())
    whole = tuple(shape[-len(size) :]) if size else ()
    period = tuple(round(s * round(w / n)) for s, w, n in zip(step.stride, whole, size, strict=False))
    return StridedBlame(step.name, step.kind, step.stride, step.kernel_size, period, share)
