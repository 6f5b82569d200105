"""Equal phase gains by construction: a parametrisation of the weight of a transposed convolution."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils import parametrize

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, per_axis, sizes_per_axis
from uncheck.layers.axes import CallSignature
from uncheck.layers.filters import FixedFilters
from uncheck.phases import from_conv_transpose, project
from uncheck.phases.axes import CONV_TRANSPOSES

Layer = TypeVar("Layer", nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class EqualGain(FixedFilters):
    """Project a weight onto equal phase gains, or a higher order:  W' = W P  on the taps.

    P is the orthogonal projection of phases.project, the least change of weights: symmetric, so that it
    projects the gradient too, and fixed, so that training with it is plain training in fewer dimensions.

    Args:
        kernel_size: k, taps per axis, a sequence.
        stride: of the transposed convolution, one integer or one per axis.
        dilation: output pixels between taps, prime to the stride.
        order: 1: constants come out constant. L: polynomials of degree < L without ripple. At stride s a
            kernel needs at least L (s - 1) + 1 taps per axis.
        device: of the buffer P, which no checkpoint holds.
        dtype: of the buffer P, that of the weight.

    Shape: (in, out / groups, *k) to the same.

    Raises:
        UncheckError: the kernel is too small for this order, or some phase has no taps.

    Cost: in * out / groups * prod(k)^2 multiplications a step; the transposed convolution itself takes
        prod(k) times in * out / groups for each input pixel.

    Example:
        >>> EqualGain((3,), stride=2)(torch.tensor([[[1.0, 4.0, 1.0]]])).round(decimals=4)
        tensor([[[1.6667, 3.3333, 1.6667]]])
    """

    __signature__ = CallSignature()

    projection: Tensor

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes,
        dilation: Sizes = 1,
        order: int = 1,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        n = 1 if isinstance(kernel_size, int) else len(kernel_size)
        self.kernel_size, self.stride, self.dilation = sizes_per_axis(
            n, kernel_size=kernel_size, stride=stride, dilation=dilation
        )
        (self.order,) = per_axis("order", order, 1, 1)
        # a dilation prime to the stride only permutes the phases and scales the moments: P is the same
        for d, step in zip(self.dilation, self.stride, strict=True):
            if math.gcd(d, step) > 1:
                raise UncheckError(
                    f"dilation {self.dilation} and stride {self.stride} share a factor, so that some phase "
                    "has no taps whatever the kernel: use a dilation prime to the stride"
                )
        kind = dtype or torch.get_default_dtype()
        self.register_buffer("projection", self.exact().to(dtype=kind, device=device), persistent=False)

    def exact(self) -> Tensor:
        """Return P in float64 on the CPU, (prod(k), prod(k))."""
        return projection_matrix(self.kernel_size, self.stride, self.order).clone()

    def forward(self, weight: Tensor) -> Tensor:
        """Return the projected weight."""
        return torch.matmul(weight.flatten(2), self.projection.to(weight.dtype)).view(weight.shape)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Return the weight to store for one to use: itself, since projecting twice is projecting once."""
        return weight

    def make_filters(self) -> None:
        """Compute P anew."""
        self.projection = self.exact().to(self.projection)

    def extra_repr(self) -> str:
        """Name the order and the stride."""
        return f"order={self.order}, stride={self.stride}"


def equal_gain(module: Layer, order: int = 1) -> Layer:
    """Put EqualGain on the weight of a transposed convolution, in place; it then cannot checker, to order L.

    The checkpoint holds the raw weight under `parametrizations.weight.original`; old checkpoints with a plain
    `weight` load too. torch.nn.utils.parametrize.remove_parametrizations(module, "weight") leaves a plain
    layer with the projected weight, for pickling and release.

    The weights in use change by the projection: at torch's initialisation of kernel 3, stride 2 in 2-D they
    lose a third of their energy, of kernel 4 a fifth, and the variances of the phases of kernel 3 end up 7:1
    instead of 4:1, which a nonlinearity turns into a lattice of second order. SmoothConvTranspose starts with
    all variances alike; icnr_transpose_ and, where it fits, bilinear_ do so for an existing layer.

    Put it on last: parametrisations below it, such as torch.nn.utils.parametrizations.weight_norm and
    spectral_norm, then keep the gains equal whatever they do.

    Args:
        module: torch.nn.ConvTranspose1d, 2d or 3d; stride, dilation, groups and output_padding as they are.
        order: 1 for constants, L for polynomials of degree < L.

    Returns:
        The module.

    Raises:
        UncheckError: another module, a weight that is not a parameter, or a kernel too small for this order.

    Cost: that of EqualGain, once per use of the weight; torch.nn.utils.parametrize.cached() saves repeats.

    Example:
        >>> layer = equal_gain(nn.ConvTranspose1d(1, 1, 3, stride=2, bias=False))
        >>> bool(layer(torch.ones(1, 1, 4))[0, 0, 2:-2].std() < 1e-6)
        True
    """
    name = type(module).__name__
    if not isinstance(module, CONV_TRANSPOSES):
        raise UncheckError(f"equal_gain takes a transposed convolution of torch.nn, not {name}")
    if parametrize.is_parametrized(module, "weight"):
        if any(
            isinstance(one, EqualGain) for one in module.get_submodule("parametrizations.weight").modules()
        ):
            raise UncheckError(f"this {name} has equal gains already: remove the parametrisation first")
    elif not isinstance(module._parameters.get("weight"), nn.Parameter):
        raise UncheckError(
            f"the weight of this {name} is not a parameter: use torch.nn.utils.parametrizations instead of "
            "the hooks of torch.nn.utils, which would overwrite it"
        )
    elif isinstance(module.weight, UninitializedParameter):
        raise UncheckError(f"{name} has no weight yet: run it once, then make its gains equal")
    weight = module.weight
    try:
        even = EqualGain(
            module.kernel_size,
            module.stride,
            module.dilation,
            order,
            device=weight.device,
            dtype=weight.dtype,
        )
    except UncheckError as error:
        raise UncheckError(f"equal_gain on {name}: {error}") from error
    parametrize.register_parametrization(module, "weight", even)
    module._register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]
        _take_plain_weight, with_module=True
    )
    return module


def _take_plain_weight(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    raw = f"{prefix}parametrizations.weight.original"
    plain = f"{prefix}weight"
    if plain in state and "parametrizations.weight.original" in dict(module.named_parameters()):
        state.setdefault(raw, state.pop(plain))


@lru_cache(maxsize=64)
def projection_matrix(kernel_size: tuple[int, ...], stride: tuple[int, ...], order: int) -> Tensor:
    """Return the projection on the taps of one pair of channels:  vec(h') = P vec(h),  P = P^T = P P.

    Returns:
        float64 (prod(k), prod(k)) on the CPU.

    Raises:
        UncheckError: the kernel is too small for this order.

    Cost: once, a singular value decomposition of prod(k) columns.
    """
    taps = math.prod(kernel_size)
    with torch.device("cpu"), torch.no_grad():  # also where layers are being made on the meta device
        units = torch.eye(taps, dtype=torch.float64).reshape(1, taps, *kernel_size)
        return project(from_conv_transpose(units, None, stride), order).weight.flatten(1)
