"""Base classes of layers on one to three axes: sizes, parameters, and the check of an input."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, count_axes, per_axis, sizes_per_axis
from uncheck.phases.axes import flat_pads
from uncheck.words import plural

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")
"""Those of torch.nn's convolutions."""

L = TypeVar("L", bound="AxisLayer")


class CallSignature:
    """The signature of a layer that is called, `layer?` in a notebook: that of its forward.

    torch states (*args, **kwargs) for every module. Classes have their own from `__init__`.
    """

    def __get__(self, layer: nn.Module | None, owner: type) -> inspect.Signature:
        """Return it, for objects alone."""
        if layer is None:
            raise AttributeError("__signature__")
        return inspect.signature(layer.forward)


class AxisLayer(nn.Module):
    """A layer on one to three axes. BlurPool2d and the like state the number as `_ndim`."""

    __signature__ = CallSignature()
    _ndim: int | None = None
    ndim: int

    def set_sizes(self, ndim: int | None, **sizes: Sizes | None) -> None:
        """Set `ndim` and each size as an attribute, one integer per axis; those that are None are left out.

        Raises:
            UncheckError: a size that is no integer, is too small, or has another number of axes.
        """
        self.ndim = count_axes(self._ndim or ndim, *sizes.values())
        if ndim not in (None, self.ndim):
            axes = plural(self.ndim, "axis", "axes")
            raise UncheckError(f"{type(self).__name__} has {axes}, not ndim={ndim}: leave it out")
        given = {name: value for name, value in sizes.items() if value is not None}
        for name, value in zip(given, sizes_per_axis(self.ndim, **given), strict=True):
            setattr(self, name, value)

    def named(self) -> str:
        """Return the class with its arguments, for messages."""
        return f"{type(self).__name__}({self.extra_repr()})"

    def check_input(self, x: Tensor, channels: int | None = None) -> None:
        """Refuse an input of other axes or channels; the batch may be left out."""
        n = self.ndim
        if x.dim() not in (n + 1, n + 2) or (channels is not None and x.shape[-n - 1] != channels):
            raise UncheckError(
                f"{self.named()} takes (batch, {'channels' if channels is None else channels}, "
                f"{n} axes), not shape {list(x.shape)}"
            )

    def check_reach(self, x: Tensor, reach: Sequence[int], advice: str = "use a larger input") -> None:
        """Refuse an input of fewer pixels than `reach` on some axis."""
        for axis in range(self.ndim):
            if x.shape[axis - self.ndim] < reach[axis]:
                raise UncheckError(
                    f"{self.named()} needs at least {list(reach)} pixels, but the input has shape "
                    f"{list(x.shape)}: {advice}"
                )

    def extend(self, x: Tensor, pads: Sequence[tuple[int, int]], mode: str) -> Tensor:
        """Pad by (before, after) per axis; symmetric repeats the border pixel, reflect does not.

        Raises:
            UncheckError: an input with fewer pixels than the mode repeats.
        """
        flat = flat_pads(pads)
        if not any(flat):
            return x
        if mode in ("reflect", "circular", "symmetric"):
            reach = [max(pair) + (1 if mode == "reflect" else 0) for pair in pads]
            self.check_reach(x, reach, "use a larger input or padding_mode='replicate'")
        if mode != "symmetric" or max(flat) == 1:
            return F.pad(x, flat, {"zeros": "constant", "symmetric": "replicate"}.get(mode, mode))
        for axis, (before, after) in enumerate(pads, start=-self.ndim):
            first = x.narrow(axis, 0, before).flip([axis])
            last = x.narrow(axis, x.shape[axis] - after, after).flip([axis])
            x = torch.cat([first, x, last], axis)
        return x


class ConvLayer(AxisLayer):
    """A layer with the arguments, the parameters and the start of torch.nn's convolutions."""

    in_channels: int
    out_channels: int
    groups: int
    kernel_size: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    padding_mode: str
    weight: Tensor
    bias: Tensor | None

    def set_channels(self, in_channels: int, out_channels: int, groups: int, padding_mode: str) -> None:
        """Set the arguments that are no sizes.

        Raises:
            UncheckError: a number below 1, groups that do not divide both, or an unknown padding_mode.
        """
        named = {"groups": groups, "in_channels": in_channels, "out_channels": out_channels}
        for name, value in named.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UncheckError(f"{name} must be a positive integer, not {value!r}")
            if value % groups:
                raise UncheckError(f"groups must divide {name}: {groups} does not divide {value}")
            setattr(self, name, value)
        check_word("padding_mode", padding_mode, PADDING_MODES)
        self.padding_mode = padding_mode

    def set_parameters(self, shape: Sequence[int], bias: bool, device: Any, dtype: Any) -> None:
        """Make the weight and, unless there is none, the bias, without values."""
        self.weight = nn.Parameter(torch.empty(tuple(shape), device=device, dtype=dtype))
        made = nn.Parameter(torch.empty(self.out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", made)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, as torch.nn's convolutions do."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def describe(self, *shown: str, **plain: object) -> str:
        """Return the text of `repr`: channels, the attributes `shown`, those not at their default."""
        words = [f"{self.in_channels}, {self.out_channels}"]
        words += [f"{name}={getattr(self, name)!r}" for name in shown]
        for name, value in {**plain, "groups": 1}.items():
            if getattr(self, name) not in (value, (value,) * self.ndim):
                words.append(f"{name}={getattr(self, name)!r}")
        return ", ".join(words) + ("" if self.bias is not None else ", bias=False")


def on_axes(layer: type[L]) -> tuple[type[L], type[L], type[L]]:
    """Return the classes of a layer that state one, two and three axes: BlurPool1d and so on."""

    def stated(n: int) -> type[L]:
        words = {
            "__module__": layer.__module__,
            "__doc__": f"`{layer.__name__}` on {n} {'axis' if n == 1 else 'axes'}.",
            "_ndim": n,
        }
        return type(f"{layer.__name__}{n}d", (layer,), words)

    return stated(1), stated(2), stated(3)


def one_factor(default: Sizes, **given: Sizes | None) -> Sizes:
    """Return the factor of an upsampler, whichever of its names it was given by, else the default.

    Raises:
        UncheckError: by several names.
    """
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) > 1:
        raise UncheckError(f"{' and '.join(named)} are names of one factor: give scale_factor alone")
    return next(iter(named.values()), default)


def check_word(name: str, value: object, known: Collection[str]) -> None:
    """Refuse a word that is none of those known.

    Raises:
        UncheckError: it is none of them.
    """
    if not isinstance(value, str) or value not in known:
        raise UncheckError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def symmetric_padding(padding: Any, kernel_size: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Return the padding per axis; None keeps the size, d (k - 1) / 2.

    Raises:
        UncheckError: an even kernel with padding on both sides, which would shift by half a pixel.
    """
    spans = [d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)]
    keep = padding is None or padding == "same"
    result = tuple(n // 2 for n in spans) if keep else per_axis("padding", padding, len(spans), 0)
    if any(span % 2 and (keep or p) for span, p in zip(spans, result, strict=True)):
        raise UncheckError(
            f"an even kernel (kernel_size {tuple(kernel_size)}, dilation {tuple(dilation)}) cannot be padded "
            "alike on both sides: use an odd kernel_size, or padding=0 and pad the input"
        )
    return result
