"""Write a weight so that the next forward uses it, whatever normalisation sits on the layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from uncheck.errors import UncheckError
from uncheck.layers.gains import EqualGain

POWER_ITERATIONS = 15
"""Steps that settle a spectral norm on its new weight; as many as torch takes when it registers one."""


def assign_weight(module: nn.Module, value: Tensor) -> None:
    """Make `value` the effective weight of the next forward, up to the scale of a spectral norm.

    A plain parameter is overwritten. Under weight_norm both magnitude and direction are, under spectral_norm
    the weight that is divided and the vectors that estimate the norm; other parametrisations are assigned
    through their right_inverse.

    Args:
        module: holds `weight`, plain or under torch.nn.utils.weight_norm, spectral_norm, or any
            torch.nn.utils.parametrize parametrisation; must not be lazy.
        value: of the shape of the weight.

    Raises:
        UncheckError: the weight cannot be set, or what comes out is not proportional to value. The module is
            then as before.
    """
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    try:
        with torch.no_grad():
            _write(module, value)
            _check(module, value)
    except Exception:
        module.load_state_dict(before)
        raise


def effective_weight(module: nn.Module) -> Tensor:
    """Return the weight that the next forward in eval mode uses, detached."""
    with torch.no_grad():
        for hook in _hooks(module):
            weight: Tensor = (
                hook.compute_weight(module, do_power_iteration=False)
                if isinstance(hook, SpectralNorm)
                else hook.compute_weight(module)
            )
            return weight.detach()
    with _in_mode(module, False), torch.no_grad():  # in which a norm takes no step
        stored = module.weight
        assert isinstance(stored, Tensor)
        even = getattr(module, "even", None)
        return even(stored.detach()) if isinstance(even, EqualGain) else stored.detach()


@contextmanager
def _in_mode(module: nn.Module, training: bool) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:
            part.training = training
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _hooks(module: nn.Module) -> list[WeightNorm | SpectralNorm]:
    return [
        hook
        for hook in module._forward_pre_hooks.values()
        if isinstance(hook, WeightNorm | SpectralNorm) and hook.name == "weight"
    ]


def _write(module: nn.Module, value: Tensor) -> None:
    hooks = _hooks(module)
    if isinstance(module._parameters.get("weight"), nn.Parameter):
        module._parameters["weight"].copy_(value)  # type: ignore[union-attr]
    elif parametrize.is_parametrized(module, "weight"):
        _write_parametrized(module, value)
    elif len(hooks) == 1 and isinstance(hooks[0], WeightNorm):
        norm = torch.norm_except_dim(value, 2, hooks[0].dim)
        module.get_parameter("weight_g").copy_(norm)
        module.get_parameter("weight_v").copy_(value)
        module.weight = hooks[0].compute_weight(module)
    elif len(hooks) == 1 and isinstance(hooks[0], SpectralNorm):
        module.get_parameter("weight_orig").copy_(value)
        for _ in range(POWER_ITERATIONS):
            module.weight = hooks[0].compute_weight(module, do_power_iteration=True)
    else:
        raise UncheckError(
            f"the weight of this {type(module).__name__} is computed in a way that cannot be initialised: "
            "initialise the layer before you wrap it"
        )


def _write_parametrized(module: nn.Module, value: Tensor) -> None:
    parts = module.get_submodule("parametrizations.weight")
    try:
        module.weight = value
        with _in_mode(parts, True):  # in which a spectral norm takes a power iteration per evaluation
            for _ in range(POWER_ITERATIONS):
                parts()
    except (RuntimeError, NotImplementedError) as error:
        raise UncheckError(
            f"the parametrisation of this {type(module).__name__} cannot be inverted ({error}): "
            "initialise the layer before you register it"
        ) from error


def _check(module: nn.Module, value: Tensor) -> None:
    if value.is_meta:
        return
    eps = torch.finfo(value.dtype).eps
    weight, value = effective_weight(module).double(), value.double()
    scale = (weight * value).sum() / value.square().sum().clamp_min(1e-30)
    error = (weight - scale * value).abs().max()
    if not error <= 64 * eps * weight.abs().max():
        raise UncheckError(
            f"the parametrisation or order of this {type(module).__name__} changes the weight, so that its "
            "initialisation would not hold: initialise the layer without it"
        )
