"""Keep the gains of repaired upsamplers equal while they are trained further."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from uncheck.errors import UncheckError
from uncheck.layers.assign import effective_weight
from uncheck.layers.gains import EqualGain, equal_gain
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.phases.axes import CONV_TRANSPOSES

#: Largest change of a weight or bias, of its norm, that counts as rounding: that of a measured order.
SAME = 1e-3


class EvenBias(nn.Module):
    """A bias per phase that is the same on all phases:  b'[o, p] = mean_q b[o, q]."""

    def forward(self, bias: Tensor) -> Tensor:
        """Return the mean, on every phase."""
        return bias.flatten(1).mean(1).reshape(-1, *[1] * (bias.dim() - 1)).expand_as(bias)

    def right_inverse(self, bias: Tensor) -> Tensor:
        """Return the bias to store for one to use: itself."""
        return bias


def keep_even(model: nn.Module, paths: Iterable[str], order: int = 1, change: bool = False) -> nn.Module:
    """Put EqualGain on upsamplers, in place, so that fine-tuning keeps their gains equal.

    On a PhaseConvTranspose a bias per phase is tied to its mean too: a constant then stays constant whatever
    is learnt. torch.nn.utils.parametrize.remove_parametrizations(layer, "weight") (and "bias") takes it off.

    Args:
        model: the repaired network.
        paths: of torch.nn.ConvTranspose or PhaseConvTranspose modules in it.
        order: 1 for constants, L for polynomials of degree < L.
        change: whether to go on where that changes the weights by more than 0.001 of their norm, as it does
            after "match", which makes moments equal and not gains.

    Returns:
        The model.

    Raises:
        UncheckError: no such module, a kernel too small for the order, or a change that was not asked for; no
            module is then touched.

    Cost: that of EqualGain, once per use of a weight.

    >>> net = nn.Sequential(nn.ConvTranspose2d(1, 1, 2, 2))
    >>> _ = nn.init.constant_(net[0].weight, 0.5)
    >>> type(keep_even(net, ["0"])[0].parametrizations.weight[0]).__name__
    'EqualGain'
    """
    layers = []
    for path in paths:
        try:
            layer = model.get_submodule(path)
        except AttributeError as error:
            raise UncheckError(f"keep_even: {type(model).__name__} has no module {path!r}") from error
        if not isinstance(layer, CONV_TRANSPOSES):
            if not isinstance(layer, PhaseConvTranspose):
                raise UncheckError(
                    f"keep_even: {path!r} is a {type(layer).__name__}, which has no transposed convolution's "
                    "weight: only torch.nn.ConvTranspose and PhaseConvTranspose can be kept even"
                )
            if parametrize.is_parametrized(layer):
                raise UncheckError(f"keep_even: {path!r} is parametrised already: remove that first")
        moved = _moved(path, layer, order)
        if moved > SAME and not change:
            raise UncheckError(
                f"keep_even would change {path!r} by {moved:.2g} of its norm, for its gains are not equal to "
                f"order {order}: repair it by projection first, or give change=True"
            )
        layers.append(layer)
    for layer in layers:
        if isinstance(layer, PhaseConvTranspose):
            parametrize.register_parametrization(layer, "weight", _even(layer, order))
            if layer.per_phase:
                parametrize.register_parametrization(layer, "bias", EvenBias())
        else:
            equal_gain(layer, order)  # type: ignore[type-var]
    return model


def _moved(path: str, layer: nn.Module, order: int) -> float:
    """Return the largest relative change of the weight and of a bias per phase."""
    weight = effective_weight(layer)
    try:
        changes = [(weight, _even(layer, order)(weight))]
    except UncheckError as error:
        raise UncheckError(f"keep_even on {path!r}: {error}") from error
    if isinstance(layer, PhaseConvTranspose) and layer.per_phase:
        assert layer.bias is not None
        changes.append((layer.bias.detach(), EvenBias()(layer.bias.detach())))
    with torch.no_grad():
        return max(float((new - old).norm() / old.norm().clamp_min(1e-30)) for old, new in changes)


def _even(layer: Any, order: int) -> EqualGain:
    like = effective_weight(layer)
    dilation = getattr(layer, "dilation", 1)
    return EqualGain(layer.kernel_size, layer.stride, dilation, order, device=like.device, dtype=like.dtype)
