"""Resize, then convolve: the cure for checkerboards, at the price of a transposed convolution."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.layers.algebra import PADDING_MODES, fuse_matrix, fusing
from uncheck.layers.axes import Sizes, axes_of, check_channels, per_axis, symmetric_padding
from uncheck.layers.eager import Weights, fused_weight, make_forms, run
from uncheck.layers.filters import FixedFilters
from uncheck.layers.forms import (
    conv_transpose,
    cut_ends,
    input_pads,
    pad_input,
    phase_matrix,
    resize_conv,
    resize_mode,
    too_small,
)
from uncheck.layers.rule import Case, Choices, channels_last, choose, choose_compiled
from uncheck.layers.surroundings import exporting, tracing, watched
from uncheck.phases.hold import MODES


class ResizeConv(FixedFilters):
    """Resize by an integer factor, then convolve:  y = conv(pad(resize(x))).

    A constant comes out constant whatever the weights, so the layer cannot checker to first order. The k x k
    weight is the parameter, as in torch.nn.Conv; the computation is that of one transposed convolution of k
    + s - 1 taps (nearest), or of all its phases at once, whichever was measured to be faster for these
    sizes, or the plain two steps where neither is, or where the padding does not allow it (`fused` says so,
    `why_not` the reason).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: k, one integer or one per axis.
        scale_factor: s, integer >= 1, one or one per axis.
        padding: pixels added at both ends after the resize; None keeps the output at s times the input, for
        which
            k must be odd.
        dilation: pixels between taps.
        groups: divides in_channels and out_channels.
        bias: whether there is one, per output channel.
        padding_mode: "reflect", "replicate", "zeros" or "circular".
        mode: "nearest", or "linear" ("bilinear", "trilinear"): half-pixel centres, align_corners=False.
        ndim: axes, 1 to 3; taken from a tuple among the sizes, else 2.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: a factor that is no integer, an even kernel with padding, an unknown mode, groups that do
        not
            divide; in forward, an input smaller than its reflect padding.

    Shape: (batch, in_channels, *size) -> (batch, out_channels, *(s * size)) with the default padding; the
        batch may be left out.

    Cost: nearest, per input pixel and channel pair prod(k + s - 1) multiplications instead of prod(k s).

    Source: Odena, Dumoulin, Olah, Distill 2016, "Better Upsampling"; fused: Karras et al., 2017.

    """

    _name: str
    _axes: int
    in_channels: int
    out_channels: int
    groups: int
    mode: str
    padding_mode: str
    fused: bool
    _interpolation: str
    _scale: list[float]
    _padding: list[int]
    _dilation: list[int]
    _pads: list[tuple[list[int], str]]
    _taps: list[int]
    _stride: list[int]
    _crop: list[int]
    _extra: list[int]
    _cut: list[tuple[int, int]]
    _matrix: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        scale_factor: Sizes = 2,
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
    ) -> None:
        super().__init__()
        axes = axes_of(ndim, kernel_size, scale_factor, padding, dilation)
        check_channels(in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis("kernel_size", kernel_size, axes, 1)
        self.scale_factor = per_axis("scale_factor", scale_factor, axes, 1)
        self.dilation = per_axis("dilation", dilation, axes, 1)
        if not isinstance(mode, str) or mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {', '.join(PADDING_MODES)}, not {padding_mode!r}")
        self.mode, self.padding_mode = MODES[mode], padding_mode
        self.padding = symmetric_padding(padding, self.kernel_size, self.dilation)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels // groups, *self.kernel_size, device=device, dtype=dtype)
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()
        self._plan()

    def _plan(self) -> None:
        axes = self._axes = len(self.kernel_size)
        self._choices = Choices()
        self._name = f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {self.kernel_size})"
        self._interpolation = resize_mode(self.mode, axes)
        self._scale = [float(s) for s in self.scale_factor]
        self._padding, self._dilation = list(self.padding), list(self.dilation)
        pairs = [(p, p) for p in self.padding]
        self.why_not = ""
        try:
            plan = fusing(
                self.kernel_size, self.scale_factor, self.mode, pairs, self.padding_mode, self.dilation
            )
        except ValueError as reason:
            self.fused, self.why_not = False, str(reason)
            # never used, but TorchScript wants their types
            plan = fusing(self.kernel_size, self.scale_factor, "nearest", pairs, "zeros", self.dilation)
        else:
            self.fused = True
        self._forms = forms = make_forms(plan, self.groups)
        self._case = Case(
            self.scale_factor, self.kernel_size, self.mode, self.in_channels, self.out_channels, self.groups
        )
        self._compiled = choose_compiled(self._case) if self.fused else "plain"
        self._pads, self._taps = input_pads(plan), list(plan.taps)
        self._stride = list(forms.transposed.stride)
        self._crop, self._extra = list(forms.transposed.padding), list(forms.transposed.output_padding)
        self._cut = list(forms.transposed.cut)
        matrix, phases = self._maps()
        self.register_buffer("_matrix", matrix.to(self.weight), persistent=False)
        self.register_buffer(
            "_phase_matrix", None if phases is None else phases.to(self.weight), persistent=False
        )

    def _maps(self) -> tuple[Tensor, Tensor | None]:
        matrix = fuse_matrix(
            self.kernel_size, self.scale_factor, self.mode if self.fused else "nearest", self.dilation
        )
        phases = self._forms.phases
        return matrix, None if phases is None else phase_matrix(matrix, phases)

    def make_filters(self) -> None:
        """Compute the maps to the fused forms anew, and forget what was chosen."""
        self._choices = Choices()
        matrix, phases = self._maps()
        self._matrix = matrix.to(self._matrix)
        if phases is not None:
            self._phase_matrix = phases.to(self._matrix)

    def reset_parameters(self) -> None:
        """Initialise as torch.nn.Conv does."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample a batch, (batch, in_channels, *size)."""
        single = x.dim() == self._axes + 1
        if single:
            x = x.unsqueeze(0)
        if x.dim() != self._axes + 2 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"{self._name} takes (batch, {self.in_channels}, {self._axes} axes), "
                f"not shape {list(x.shape)}"
            )
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            y = self._transposed(x) if self.fused else self._plain(x, self.weight, self.bias)
        else:  # TorchScript leaves a branch out only where it is written as one
            y = self._eager(x)
        return y.squeeze(0) if single else y

    def _plain(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return resize_conv(
            x,
            weight,
            bias,
            self._scale,
            self._interpolation,
            self._padding,
            self.padding_mode,
            self._dilation,
            self.groups,
            self._name,
        )

    def _transposed(self, x: Tensor) -> Tensor:
        fused = fused_weight(self.weight, self._matrix, self._taps, self.groups, False)
        x = pad_input(x, self._pads)
        y = conv_transpose(x, fused, self.bias, self._stride, self._crop, self._extra, self.groups)
        return cut_ends(y, self._cut)

    @torch.jit.unused
    def _eager(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling() or tracing():
            # an exported graph holds the two plain steps, which every runtime knows
            if self._compiled == "transposed" and not (tracing() or exporting()):
                return self._transposed(x)
            return self._plain(x, self.weight, self.bias)
        try:
            return self._run(x, self.weight, self.bias)
        except RuntimeError as error:
            sizes = (self.kernel_size, self.scale_factor, self.padding, self.dilation)
            reason = too_small(x.shape, *sizes, self.padding_mode)
            if not reason:
                raise
            raise ValueError(f"{self._name}: {reason}") from error

    @torch.jit.unused
    def _run(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.is_meta or not torch.is_autocast_enabled(x.device.type):
            return self._chosen(x, weight, bias)
        dtype = torch.get_autocast_dtype(x.device.type)
        if torch.float64 in (x.dtype, weight.dtype):
            return self._chosen(x, weight, bias)  # as torch does: autocast leaves float64 alone
        with torch.autocast(x.device.type, enabled=False):
            return self._chosen(x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype))

    @torch.jit.unused
    def _chosen(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not self.fused or watched():
            return self._plain(x, weight, bias)
        training = torch.is_grad_enabled() and (
            x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
        )
        # what was chosen for such an input before; small layers would feel the time of choosing
        key = (x.shape, x.stride(), x.dtype, x.device, training, torch.get_num_threads())
        known = self._choices.known.get(key)
        if known is None:
            last = channels_last(x, weight)
            known = choose(self._case, x.shape, x.dtype, x.device.type, last, training), last
            self._choices.add(key, known)
        form, last = known
        if form == "plain":
            return self._plain(x, weight, bias)
        weights = Weights(self._matrix, self._phase_matrix)
        if weights.transposed.dtype != weight.dtype:
            weights = weights.to(weight.dtype)
        return run(x, weight, bias, weights, self._forms, self._pads, form, last, training)

    def extra_repr(self) -> str:
        """Describe as torch.nn does."""
        words = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"scale_factor={self.scale_factor}, mode={self.mode!r}"
        )
        if any(self.padding):
            words += f", padding={self.padding}, padding_mode={self.padding_mode!r}"
        if any(d != 1 for d in self.dilation):
            words += f", dilation={self.dilation}"
        if self.groups != 1:
            words += f", groups={self.groups}"
        return words + (", bias=False" if self.bias is None else "")


class ResizeConv1d(ResizeConv):
    """`ResizeConv` on one axis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=1)


class ResizeConv2d(ResizeConv):
    """`ResizeConv` on two axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=2)


class ResizeConv3d(ResizeConv):
    """`ResizeConv` on three axes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, ndim=3)
