"""Results of fusing: the new network, the account of it, and how far the outputs differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from uncheck.advising import advised
from uncheck.errors import Refused
from uncheck.plain import Plain, as_dict
from uncheck.showing import Plotted

SCHEMA = "uncheck.fuse/1"


@dataclass(frozen=True)
class Fused(Plain):
    """One resize and convolution that became one layer.

    Attributes:
        resize: the layer or function that resized.
        conv: the convolution; where it was a layer, the fused layer stands there in the new network.
        factor: of the resize, per axis.
        mode: "nearest" or "linear".
        kernel_size: of the convolution before.
        padding: (start, end) per axis at the high resolution, everything between taken together.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        folded: path of the BatchNorm that was folded in, None where there was none.
        calls: how often the example ran it.
        notes: what else to know, in sentences.

    >>> str(Fused("up", "conv", (2, 2), "nearest", (3, 3), ((1, 1), (1, 1)), "zeros", folded="norm"))
    'up (nearest x 2x2) + conv (3x3) + norm'
    """

    resize: str
    conv: str
    factor: tuple[int, ...]
    mode: str
    kernel_size: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    padding_mode: str
    folded: str | None = None
    calls: int = 1
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line."""
        factor, kernel = ("x".join(map(str, sizes)) for sizes in (self.factor, self.kernel_size))
        norm = f" + {self.folded}" if self.folded else ""
        return f"{self.resize} ({self.mode} x {factor}) + {self.conv} ({kernel}){norm}"


@dataclass(frozen=True)
class Difference(Plain):
    """Largest difference between the outputs of both networks.

    Attributes:
        example: on the example input.
        random: on a second input of the same shapes; None if the network could not be run on it.
        relative: the larger of the two, each over the largest absolute value of its output; that of the
            second input where the example is constant.
        allowed: what `relative` may be, sqrt of the machine epsilon of the output's type.

    >>> Difference(example=1e-7, random=None, relative=1e-7, allowed=3e-4).to_dict()["relative"]
    1e-07
    """

    example: float
    random: float | None
    relative: float
    allowed: float


@dataclass(frozen=True)
class Fusion(Plotted):
    """A network with its resize-convolutions fused, and the account of it.

    Attributes:
        model: the new network, a copy; the original is untouched.
        fused: what became one layer, in forward order.
        refused: what did not, with the reason, in forward order.
        difference: how far the outputs of both networks differ, measured.
        notes: about the whole, in sentences.

    >>> str(Fusion(nn.Identity(), (), (), Difference(0.0, 0.0, 0.0, 3e-4)))
    'nothing to fuse: no resize makes an axis longer'
    """

    model: nn.Module = field(repr=False)
    fused: tuple[Fused, ...]
    refused: tuple[Refused, ...]
    difference: Difference
    notes: tuple[str, ...] = ()

    @property
    def finding(self) -> bool:
        """Whether a resize was refused."""
        return bool(self.refused)

    def __str__(self) -> str:
        """Return what was fused, what was refused and why, and the difference measured, one to a line."""
        if not self.fused and not self.refused:
            return "nothing to fuse: no resize makes an axis longer"
        lines = [f"fused: {one}" for one in self.fused] + [f"refused: {one}" for one in self.refused]
        lines += [f"largest difference: {self.difference.relative:.2g} of the output's largest value"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dictionaries and numbers, ready for JSON, without the network."""
        refused = [{"resize": one.where, "reason": one.reason, "calls": one.calls} for one in self.refused]
        return advised({"schema": SCHEMA, **as_dict(self), "refused": refused})
