"""Runs of a network with some of its paddings replaced by replication."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.phases.axes import flat_pads
from uncheck.reading import CallKey, CallWatcher
from uncheck.reading.calls import torch_sizes
from uncheck.reading.signatures import SIGNATURES


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
