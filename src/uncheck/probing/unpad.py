"""Counterfactuals of padding: replicate the border instead of adding zeros or mirroring."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.reading import CallKey, CallWatcher

_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")


class Replicating(CallWatcher):
    """Run the model with some of its paddings replaced by replication.

    A padded convolution gets its input replicated first; a padding call replicates; a transposed convolution,
    which takes the outside for zero without any padding, gets neighbours and its output cut back.

    Args:
        model: the model.
        keys: the calls to change; a call that cannot be changed is left as it is.
    """

    def __init__(self, model: nn.Module, keys: Collection[CallKey]) -> None:
        super().__init__(model)
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
    if name.startswith("conv_transpose"):
        given = dict(zip(_TRANSPOSED, args, strict=False)) | kwargs
        x, weight = given["input"], given["weight"]
        ndim = weight.dim() - 2
        stride, dilation = _each(given.get("stride", 1), ndim), _each(given.get("dilation", 1), ndim)
        reach = [-(-d * k // s) for d, k, s in zip(dilation, weight.shape[2:], stride, strict=True)]
        given["input"] = _pad(x, [(r, r) for r in reach])
        out: Tensor = func(**given)
        for axis, (r, s) in enumerate(zip(reach, stride, strict=True), start=out.dim() - ndim):
            out = out.narrow(axis, r * s, out.shape[axis] - 2 * r * s)
        return out
    if name.startswith("conv"):
        given = dict(zip(_CONVOLUTION, args, strict=False)) | kwargs
        x, weight = given["input"], given["weight"]
        ndim = weight.dim() - 2
        dilation, padding = _each(given.get("dilation", 1), ndim), given.get("padding", 0)
        if padding == "same":
            total = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
            amount = [(t // 2, t - t // 2) for t in total]
        else:
            amount = [(p, p) for p in _each(padding, ndim)]
        given["input"], given["padding"] = _pad(x, amount), 0
        result: Tensor = func(**given)
        return result
    if name == "pad":
        x, flat = args[0] if args else kwargs["input"], args[1] if len(args) > 1 else kwargs["pad"]
        return F.pad(x, list(flat), mode="replicate")
    return None


def _each(value: Any, ndim: int) -> list[int]:
    values = list(value) if isinstance(value, tuple | list) else [value]
    return [int(v) for v in (values * ndim if len(values) == 1 else values)]


def _pad(x: Tensor, amount: list[tuple[int, int]]) -> Tensor:
    return F.pad(x, [n for pair in reversed(amount) for n in pair], mode="replicate")
