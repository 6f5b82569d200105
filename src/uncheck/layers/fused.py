"""The fused form of a resize-convolution that is finished: for networks that are only run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from uncheck.layers.algebra import fuse_weight, fusing
from uncheck.layers.axes import CallSignature
from uncheck.layers.eager import Forms, apply_transposed, run
from uncheck.layers.forms import pad_input
from uncheck.layers.rule import LayerTraits, channels_last, choose, tracing, watched
from uncheck.phases.resize import MODES


class FusedResizeConv(nn.Module):
    """A resize by an integer and a convolution as one transposed convolution of fixed weight.

    y = crop(conv_transpose(continue(x), h)),  h = flip(W) * g

    It gives what the two steps give, borders included, up to rounding. In eager mode on the CPU the phases
    are computed instead where that was measured to be faster. Made by `from_conv`; `uncheck.fuse` puts it
    into networks. The weight can be trained further, but then it need not stay a resize-convolution: train
    `ResizeConv` instead.

    Attributes:
        weight: h, (in, out / groups, *taps), as torch.nn.ConvTranspose holds it.
        bias: (out,) or None.

    Shape: (batch, in, *size) -> (batch, out, *(s * size + margin)).

    Example:
        >>> conv = nn.Conv2d(3, 8, 3, padding=1)
        >>> FusedResizeConv.from_conv(conv.weight, conv.bias, (2, 2), padding=((1, 1), (1, 1)))
        FusedResizeConv(3, 8, kernel_size=(3, 3), scale_factor=(2, 2), mode='nearest', taps=(4, 4))
    """

    __signature__ = CallSignature()

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sequence[int],
        scale_factor: Sequence[int],
        mode: str,
        padding: Sequence[tuple[int, int]],
        padding_mode: str,
        dilation: Sequence[int],
        groups: int,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        plan = fusing(kernel_size, scale_factor, mode, padding, padding_mode, dilation)
        self.groups = groups
        self._traits = LayerTraits(
            tuple(scale_factor), tuple(kernel_size), MODES[mode], in_channels, out_channels, groups, True
        )
        self._forms = Forms(plan, groups)
        shape = (in_channels, out_channels // groups, *plan.taps)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)

    @classmethod
    def from_conv(
        cls,
        weight: Tensor,
        bias: Tensor | None,
        scale_factor: Sequence[int],
        mode: str = "nearest",
        padding: Sequence[tuple[int, int]] | None = None,
        padding_mode: str = "zeros",
        dilation: Sequence[int] | None = None,
        groups: int = 1,
    ) -> FusedResizeConv:
        """Fuse a convolution of stride 1 with the resize before it.

        Args:
            weight: of the convolution, (out, in / groups, *k).
            bias: (out,) or None.
            scale_factor: s of the resize, per axis.
            mode: "nearest", or "linear" ("bilinear", "trilinear"), align_corners=False.
            padding: pixels (before, after) added between the two, per axis; None for none.
            padding_mode: "zeros", "reflect", "replicate" or "circular".
            dilation: of the convolution, per axis; None for 1.
            groups: of the convolution.

        Returns:
            The layer, with parameters of the weight's type and device, made in float64 and rounded once.

        Raises:
            UncheckError: the padding does not allow it; the message is the reason.
        """
        k = weight.shape[2:]
        steps = [1] * len(k) if dilation is None else dilation
        layer = cls(
            weight.shape[1] * groups,
            weight.shape[0],
            k,
            scale_factor,
            mode,
            [(0, 0)] * len(k) if padding is None else padding,
            padding_mode,
            steps,
            groups,
            bias is not None,
            device=weight.device,
            dtype=weight.dtype,
        )
        with torch.no_grad():
            layer.weight.copy_(fuse_weight(weight.double(), scale_factor, mode, steps, groups))
            if bias is not None:
                layer.bias.copy_(bias)
        return layer

    def forward(self, x: Tensor) -> Tensor:
        """Upsample a batch, (batch, in, *size)."""
        kind = x.device.type
        if (
            torch.compiler.is_compiling()
            or tracing()
            or watched()
            or kind != "cpu"
            or torch.is_autocast_enabled(kind)
            or x.ndim != self.weight.ndim
        ):
            return self._transposed(x)
        last = channels_last(x, self.weight)
        training = torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)
        form = choose(self._traits, x.shape, x.dtype, kind, last, training)
        return run(x, self.weight, self.bias, None, self._forms, form, last, training)

    def _transposed(self, x: Tensor) -> Tensor:
        return apply_transposed(pad_input(x, self._forms.pads), self.weight, self.bias, self._forms)

    def extra_repr(self) -> str:
        """Describe as torch.nn does."""
        traits = self._traits
        return (
            f"{traits.in_channels}, {traits.out_channels}, kernel_size={traits.kernel_size}, "
            f"scale_factor={traits.scale_factor}, mode={traits.mode!r}, taps={self._forms.plan.taps}"
        )
