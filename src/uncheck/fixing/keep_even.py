"""Training on: upsamplers whose gains are equal stay so, whatever training does to their weights."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.nn.utils import parametrize

from uncheck.errors import UncheckError
from uncheck.layers.gains import EqualGain, equal_gain
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.phases import from_conv_transpose, strang_fix_order

Transposed = (PhaseConvTranspose, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)

#: Gains count as equal up to this share: what rounding leaves, half precision included.
TOLERANCE = 1e-3


def even_layers(model: nn.Module) -> tuple[str, ...]:
    """Paths of the transposed convolutions whose phase gains are equal, up to a share of 1e-3.

    Layers that hold a parametrised weight already are left out.

    Cost: one pass over their weights.
    """
    return tuple(path for path, module in model.named_modules() if _is_even(module))


def keep_even(model: nn.Module, paths: Iterable[str]) -> nn.Module:
    """Put the parametrisation EqualGain on the weights of these layers, in place.

    Args:
        model: changed in place; what it computes changes by rounding at most where gains are equal.
        paths: of transposed convolutions, from `even_layers`.

    Returns:
        The same model.

    Raises:
        UncheckError: a path that names no transposed convolution.
    """
    for path in paths:
        module = model.get_submodule(path)
        if isinstance(module, PhaseConvTranspose):
            weight = module.weight
            even = EqualGain(module.kernel_size, module.stride, device=weight.device, dtype=weight.dtype)
            parametrize.register_parametrization(module, "weight", even)
        elif isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
            equal_gain(module)  # type: ignore[type-var]  # one of three
        else:
            raise UncheckError(f"{path} is a {type(module).__name__}, whose gains cannot be kept equal")
    return model


def _is_even(module: nn.Module) -> bool:
    if not isinstance(module, Transposed) or max(module.stride) == 1:
        return False
    if any(d != 1 for d in getattr(module, "dilation", ())) or parametrize.is_parametrized(module, "weight"):
        return False
    weight = module._parameters.get("weight")
    if weight is None:
        return False
    # Gains do not ask how groups mix channels: each pair (in, out / groups) is one kernel.
    kernel = from_conv_transpose(weight.detach(), None, module.stride)
    return strang_fix_order(kernel, TOLERANCE) >= 1
