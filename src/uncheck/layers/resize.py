"""Resize, then convolve: the cure for checkerboards, at the price of a transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes
from uncheck.layers.algebra import fuse_matrix, fused_weight, fusing
from uncheck.layers.axes import ConvLayer, check_word, on_axes, one_factor, symmetric_padding
from uncheck.layers.eager import Forms, Weights, apply_transposed, run
from uncheck.layers.filters import FixedFilters
from uncheck.layers.forms import pad_input, phase_matrix
from uncheck.layers.rule import (
    LayerTraits,
    channels_last,
    choose,
    choose_compiled,
    exporting,
    tracing,
    watched,
)
from uncheck.phases.axes import conv, flat_pads
from uncheck.phases.resize import MODES


class ResizeConv(FixedFilters, ConvLayer):
    """Resize by an integer factor, then convolve:  y = conv(pad(resize(x))).

    A constant comes out constant whatever the weights, so the layer cannot checker to first order. The k x k
    weight is the parameter, as in torch.nn.Conv; the computation is that of one transposed convolution of k
    + s - 1 taps (nearest), or of all its phases at once, whichever was measured to be faster for these
    sizes, or the plain two steps where neither is, or where the padding does not allow it (`fused` says so,
    `why_not` the reason).

    Args:
        in_channels, out_channels, groups, bias, device, dtype: as for torch.nn.Conv2d.
        kernel_size: k, one integer or one per axis.
        scale_factor: s, integer >= 1, one or one per axis; 2 if not given.
        padding: pixels added at both ends after the resize; None keeps the output at s times the input, for
            which k must be odd.
        dilation: pixels between taps.
        padding_mode: "reflect", "replicate", "zeros" or "circular".
        mode: "nearest", or "linear" ("bilinear", "trilinear"): half-pixel centres, align_corners=False.
        ndim: axes, 1 to 3; taken from a tuple among the sizes, else 2.
        upscale_factor, stride: other names of scale_factor.

    Raises:
        UncheckError: a factor that is no integer, an even kernel with padding, an unknown mode, groups that
            do not divide; in forward, an input smaller than its reflect padding.

    Shape: (batch, in_channels, *size) -> (batch, out_channels, *(s * size)) with the default padding; the
        batch may be left out.

    Cost: nearest, per input pixel and channel pair prod(k + s - 1) multiplications instead of prod(k s).

    Source: Odena, Dumoulin, Olah, Distill 2016, "Better Upsampling"; fused: Karras et al., 2017.

    Example:
        >>> ResizeConv2d(3, 8, 3, scale_factor=2)(torch.ones(1, 3, 4, 4)).shape
        torch.Size([1, 8, 8, 8])
    """

    scale_factor: tuple[int, ...]
    _matrix: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        scale_factor: Sizes | None = None,
        padding: Sizes | None = None,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "reflect",
        *,
        mode: str = "nearest",
        ndim: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        upscale_factor: Sizes | None = None,
        stride: Sizes | None = None,
    ) -> None:
        super().__init__()
        factor = one_factor(2, scale_factor=scale_factor, upscale_factor=upscale_factor, stride=stride)
        self.set_channels(in_channels, out_channels, groups, padding_mode)
        self.set_sizes(
            ndim,
            kernel_size=kernel_size,
            scale_factor=factor,
            padding=None if isinstance(padding, str) else padding,
            dilation=dilation,
        )
        self.padding = symmetric_padding(padding, self.kernel_size, self.dilation)
        check_word("mode", mode, MODES)
        self.mode = MODES[mode]
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.set_parameters(shape, bias, device, dtype)
        self.reset_parameters()
        self._plan()

    def _plan(self) -> None:
        self._traits = LayerTraits(
            self.scale_factor, self.kernel_size, self.mode, self.in_channels, self.out_channels, self.groups
        )
        self._forms: Forms | None = None
        self.why_not, self._compiled = "", "plain"
        axes = zip(self.kernel_size, self.scale_factor, self.padding, self.dilation, strict=True)
        more = {"reflect": 1, "circular": 0}.get(self.padding_mode, -max(self.padding))
        # pixels after the resize: what the padding repeats, and one window of the convolution
        self._reach = [-(-max(1, p + more, d * (k - 1) + 1 - 2 * p) // s) for k, s, p, d in axes]
        pads = [(p, p) for p in self.padding]
        try:
            plan = fusing(
                self.kernel_size, self.scale_factor, self.mode, pads, self.padding_mode, self.dilation
            )
        except UncheckError as reason:
            self.why_not = str(reason)
        else:
            self._forms = Forms(plan, self.groups)
            self._compiled = choose_compiled(self._traits)
        empty = self.weight.detach().new_empty(0)
        phases = None if self._forms is None or self._forms.phases is None else empty
        self.register_buffer("_matrix", empty, persistent=False)
        self.register_buffer("_phase_matrix", phases, persistent=False)
        self.make_filters()

    @property
    def fused(self) -> bool:
        """Whether the padding allows the fused forms; `why_not` has the reason where it does not."""
        return self._forms is not None

    def make_filters(self) -> None:
        """Compute the maps to the fused forms anew."""
        if self._forms is None:
            return
        matrix = fuse_matrix(self.kernel_size, self.scale_factor, self.mode, self.dilation)
        self._matrix = matrix.to(self._matrix)
        if self._forms.phases is not None:
            self._phase_matrix = phase_matrix(matrix, self._forms.phases).to(self._matrix)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample a batch, (batch, in_channels, *size)."""
        self.check_input(x, self.in_channels)
        single = x.dim() == self.ndim + 1
        y = self._upsampled(x.unsqueeze(0) if single else x)
        return y.squeeze(0) if single else y

    def _upsampled(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling() or tracing():
            # an exported graph holds the two plain steps, which every runtime knows
            if self._compiled == "transposed" and not (tracing() or exporting()):
                return self._transposed(x)
            return self._plain(x, self.weight, self.bias)
        try:
            return self._run(x, self.weight, self.bias)
        except RuntimeError:
            self.check_reach(x, self._reach, "use a larger input, or less padding")
            raise

    def _plain(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Resize and convolve in two plain steps, by torch's own functions."""
        mode = ("linear", "bilinear", "trilinear")[self.ndim - 1] if self.mode == "linear" else self.mode
        y = F.interpolate(x, None, [float(s) for s in self.scale_factor], mode)
        padding: Sequence[int] = self.padding
        if self.padding_mode != "zeros" and any(padding):
            y = F.pad(y, flat_pads([(p, p) for p in padding]), self.padding_mode)
            padding = [0] * self.ndim
        return conv(y, weight, bias, 1, padding, self.dilation, self.groups)

    def _transposed(self, x: Tensor) -> Tensor:
        assert self._forms is not None
        fused = fused_weight(self.weight, self._matrix, self._forms.plan.taps, self.groups, False)
        return apply_transposed(pad_input(x, self._forms.pads), fused, self.bias, self._forms)

    def _run(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.is_meta or not torch.is_autocast_enabled(x.device.type):
            return self._chosen(x, weight, bias)
        dtype = torch.get_autocast_dtype(x.device.type)
        if torch.float64 in (x.dtype, weight.dtype):
            return self._chosen(x, weight, bias)  # as torch does: autocast leaves float64 alone
        with torch.autocast(x.device.type, enabled=False):
            return self._chosen(x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype))

    def _chosen(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self._forms is None or watched():
            return self._plain(x, weight, bias)
        training = torch.is_grad_enabled() and (
            x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
        )
        last = channels_last(x, weight)
        form = choose(self._traits, x.shape, x.dtype, x.device.type, last, training)
        if form == "plain":
            return self._plain(x, weight, bias)
        weights = Weights(self._matrix, self._phase_matrix).to(weight.dtype)
        return run(x, weight, bias, weights, self._forms, form, last, training)

    def extra_repr(self) -> str:
        """Describe as torch.nn does."""
        padding = ("padding", "padding_mode") if any(self.padding) else ()
        return self.describe("kernel_size", "scale_factor", "mode", *padding, dilation=1)


ResizeConv1d, ResizeConv2d, ResizeConv3d = on_axes(ResizeConv)
