"""Awkward networks with what must become of their resizes: fused, or refused with a reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations


@dataclass(frozen=True)
class Case:
    """A network and what is expected.

    Attributes:
        make: makes it, in eval mode unless it says otherwise.
        shapes: of the example's tensors.
        fused: (resize, convolution, folded norm) of what must be fused.
        refused: resize and a part of the reason, of what must be refused.
        others: shapes on which the fused network must agree as well.
        exact: whether it draws no noise.
    """

    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    fused: tuple[tuple[str, str, str | None], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[tuple[int, ...], ...], ...] = ()
    nest: Callable[..., Any] = field(default=lambda *tensors: tensors)


CASES: dict[str, Case] = {}


def case(name: str, *shapes: tuple[int, ...], **expected: Any) -> Callable[[Any], Any]:
    """Enter a class or function that makes a network."""

    def enter(make: Any) -> Any:
        CASES[name] = Case(make, shapes, **expected)
        return make

    return enter


def settle(net: nn.Module) -> nn.Module:
    """Give every BatchNorm statistics and weights worth folding."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            for tensor, low in (
                (module.running_mean, -1.0),
                (module.running_var, 0.2),
                (module.weight.data, 0.5),
                (module.bias.data, -1.0),
            ):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + low)
    return net.eval()


PICTURE = (2, 3, 6, 5)
LARGER = (1, 3, 9, 4)


@case("sequential", PICTURE, fused=(("0", "1", None),), others=((LARGER,),))
def sequential():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3, padding=1))


@case("model of one list", PICTURE, fused=(("0", "2", "3"), ("5", "6", None)), others=((LARGER,),))
def pix2pix():
    """The decoder many image-to-image networks use against the checkerboard."""
    return nn.Sequential(
        *(nn.Upsample(scale_factor=2, mode="bilinear"), nn.ReplicationPad2d(1), nn.Conv2d(3, 6, 3)),
        *(nn.BatchNorm2d(6), nn.ReLU(inplace=True)),
        *(nn.UpsamplingNearest2d(scale_factor=3), nn.Conv2d(6, 3, 5, padding=2, padding_mode="circular")),
        nn.Tanh(),
    )


@case("reflect", PICTURE, fused=(("0", "2", "3"),), others=((LARGER,),))
def reflect():
    return nn.Sequential(
        nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
    )


@case("reflect too far", PICTURE, refused=(("0", "only up to 1 can be fused"),))
def reflect_too_far():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.ReflectionPad2d(2), nn.Conv2d(3, 4, 5))


@case("uneven zeros", PICTURE, fused=(("0", "2", None),), others=((LARGER,),))
def uneven_zeros():
    return nn.Sequential(
        nn.Upsample(scale_factor=2), nn.ZeroPad2d((0, 1, 2, 1)), nn.Conv2d(3, 4, (4, 2), bias=False)
    )


@case("two paddings alike", PICTURE, fused=(("0", "2", None),), others=((LARGER,),))
def two_paddings():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.ZeroPad2d(1), nn.Conv2d(3, 4, 5, padding=1))


@case("two kinds of padding", PICTURE, refused=(("0", "padded twice"),))
def two_kinds():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 5, padding=1))


@case("padding by one half", PICTURE, refused=(("0", "other than zero"),))
def padding_by_a_half():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.ConstantPad2d(1, 0.5), nn.Conv2d(3, 4, 3))


@case("linear with zeros", PICTURE, refused=(("0", "step at the border"),))
def linear_with_zeros():
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(3, 4, 3, padding=1))


@case("linear that costs more", PICTURE, refused=(("0", "16 multiplications"),))
def linear_too_dear():
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(3, 4, 1))


@case("nearest-exact", PICTURE, refused=(("0", "write mode='nearest' to have it fused"),))
def nearest_exact():
    return nn.Sequential(nn.Upsample(scale_factor=3, mode="nearest-exact"), nn.Conv2d(3, 4, 3, padding=1))


@case("align_corners", PICTURE, refused=(("0", "align_corners=True"),))
def align_corners():
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), nn.Conv2d(3, 4, 3))


@case("bicubic", PICTURE, refused=(("0", "mode 'bicubic'"),))
def bicubic():
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bicubic"), nn.Conv2d(3, 4, 3))


@case("half steps", PICTURE, refused=(("0", "1.5 x 1.5 times"),))
def half_steps():
    return nn.Sequential(nn.Upsample(scale_factor=1.5), nn.Conv2d(3, 4, 3))


@case("nearly two", PICTURE, refused=(("0", "not a whole number"),))
def nearly_two():
    return nn.Sequential(nn.Upsample(scale_factor=2.0001), nn.Conv2d(3, 4, 3))


@case("recomputed", PICTURE, fused=(("0", "1", None),), others=((LARGER,),))
def recomputed():
    return nn.Sequential(
        nn.Upsample(scale_factor=2.0, recompute_scale_factor=True), nn.Conv2d(3, 4, 3, padding=1)
    )


@case("one axis", PICTURE, fused=(("0", "1", None),), others=((LARGER,),))
def one_axis():
    return nn.Sequential(nn.Upsample(scale_factor=(1, 4)), nn.Conv2d(3, 4, 3, padding=1))


@case("strided", PICTURE, refused=(("0", "1 has stride 2"),))
def strided():
    return nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(3, 4, 3, stride=2))


@case("activation between", PICTURE, refused=(("0", "1 takes what it makes, and is no convolution"),))
def activation_between():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.ReLU(), nn.Conv2d(3, 4, 3))


@case("dropout between", PICTURE, refused=(("0", "no convolution and no padding"),))
def dropout_between():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Dropout(0.5), nn.Conv2d(3, 4, 3))


@case("nothing follows", PICTURE, refused=(("1", "the model returns what it makes"),))
def nothing_follows():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Upsample(scale_factor=2))


@case("no resize", PICTURE)
def no_resize():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(2))


@case("shrinking", PICTURE)
def shrinking():
    return nn.Sequential(nn.Upsample(scale_factor=0.5), nn.Conv2d(3, 4, 1))


@case("training norm", PICTURE, fused=(("0", "1", None),))
def training_norm():
    net = nn.Sequential(
        nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
    )
    net[2].train()
    return net


@case("identity between", PICTURE, fused=(("0", "2", None),))
def identity_between():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Identity(), nn.Conv2d(3, 4, 3))


@case("one-dimensional audio", (2, 4, 9), fused=(("0", "1", None), ("3", "4", None)), others=(((1, 4, 5),),))
def audio():
    """Nearest by five and a long kernel, weights normalised in the old way and in the new."""
    return nn.Sequential(
        nn.Upsample(scale_factor=5),
        nn.utils.weight_norm(nn.Conv1d(4, 6, 11, padding=5)),
        nn.LeakyReLU(0.1),
        nn.Upsample(scale_factor=4),
        parametrizations.weight_norm(nn.Conv1d(6, 1, 9, padding=4)),
    )


@case("spectral norm", PICTURE, fused=(("0", "1", None),), others=((LARGER,),))
def spectral():
    return nn.Sequential(
        nn.Upsample(scale_factor=2), parametrizations.spectral_norm(nn.Conv2d(3, 4, 3, padding=1))
    )


@case("volume", (1, 2, 3, 4, 3), fused=(("0", "1", "2"),), others=(((2, 2, 2, 3, 5),),))
def volume():
    return nn.Sequential(
        nn.Upsample(scale_factor=(1, 2, 2)), nn.Conv3d(2, 3, 3, padding=1), nn.BatchNorm3d(3), nn.ReLU()
    )


@case("grouped and dilated", (2, 4, 6, 5), fused=(("0", "1", None),), others=(((1, 4, 9, 7),),))
def grouped():
    return nn.Sequential(
        nn.Upsample(scale_factor=3), nn.Conv2d(4, 6, 3, padding="same", dilation=2, groups=2)
    )


@case("hooked", PICTURE, refused=(("0", "1 has hooks"),))
def hooked():
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3))
    net[1].register_forward_hook(ignore)
    return net


def ignore(module, args, output):
    """A hook that does nothing."""


class Tap(nn.Module):
    """Keeps what passes."""

    def forward(self, x):
        self.kept = x
        return x


@case("a tap between", PICTURE, refused=(("0", "does not do what was recorded"),))
def tapped():
    return nn.Sequential(nn.Upsample(scale_factor=2), Tap(), nn.Conv2d(3, 4, 3))


@case("a hooked identity between", PICTURE, refused=(("0", "1 has hooks"),))
def hooked_identity():
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Identity(), nn.Conv2d(3, 4, 3))
    net[1].register_forward_hook(ignore)
    return net


@case("a hooked norm", PICTURE, fused=(("0", "1", None),), others=((LARGER,),))
def hooked_norm():
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3), nn.Sequential(nn.BatchNorm2d(4)))
    net[2].register_forward_hook(ignore)
    return net


class Upsample2D(nn.Module):
    """The layout of diffusers' Upsample2D."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.norm = None
        self.use_conv = self.interpolate = True
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, hidden_states: Tensor, output_size: int | None = None, *args, **kwargs) -> Tensor:
        if len(args) > 0 or kwargs.get("scale") is not None:
            raise ValueError("scale is deprecated")
        assert hidden_states.shape[1] == self.channels
        if self.norm is not None:
            hidden_states = self.norm(hidden_states)
        dtype = hidden_states.dtype
        if dtype == torch.bfloat16 and torch.__version__ < "2":
            hidden_states = hidden_states.to(torch.float32)
        if hidden_states.shape[0] >= 64:
            hidden_states = hidden_states.contiguous()
        if self.interpolate:
            scale = (
                2
                if output_size is None
                else max(f / s for f, s in zip(output_size, hidden_states.shape[-2:], strict=True))
            )
            if hidden_states.numel() * scale > pow(2, 31):
                hidden_states = hidden_states.contiguous()
            if output_size is None:
                hidden_states = F.interpolate(hidden_states, scale_factor=2.0, mode="nearest")
            else:
                hidden_states = F.interpolate(hidden_states, size=output_size, mode="nearest")
        if dtype == torch.bfloat16 and torch.__version__ < "2":
            hidden_states = hidden_states.to(dtype)
        if self.use_conv:
            hidden_states = self.conv(hidden_states)
        return hidden_states


@case(
    "diffusion decoder", PICTURE,
    fused=(("ups.0.interpolate", "ups.0.conv", None), ("ups.1.interpolate", "ups.1.conv", None)),
    others=((LARGER,), ((65, 3, 2, 2),)),
)  # fmt: skip
class DiffusionDecoder(nn.Module):
    """Group norm, SiLU, and resizes that follow the input's size or a size they are told."""

    def __init__(self):
        super().__init__()
        self.inside = nn.Conv2d(3, 8, 3, padding=1)
        self.ups = nn.ModuleList(Upsample2D(8) for _ in range(2))
        self.norms = nn.ModuleList(nn.GroupNorm(2, 8) for _ in range(2))
        self.out = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, z, size=None):
        z = self.inside(z)
        for up, norm in zip(self.ups, self.norms, strict=True):
            z = F.silu(norm(up(z, size)))
        return self.out(z)


class UpsampleConvLayer(nn.Module):
    """The layout of the fast style transfer of PyTorch's examples."""

    def __init__(self, inside, outside, kernel_size, upsample=None):
        super().__init__()
        self.upsample = upsample
        self.reflection_pad = nn.ReflectionPad2d(kernel_size // 2)
        self.conv2d = nn.Conv2d(inside, outside, kernel_size)

    def forward(self, x):
        x_in = x
        if self.upsample:
            x_in = F.interpolate(x_in, mode="nearest", scale_factor=self.upsample)
        out = self.reflection_pad(x_in)
        return self.conv2d(out)


@case(
    "fast style transfer", PICTURE,
    fused=(("up1.interpolate", "up1.conv2d", None), ("up2.interpolate", "up2.conv2d", None)),
    others=((LARGER,),),
)  # fmt: skip
class StyleDecoder(nn.Module):
    """Two enlarging layers, instance norm, then a layer of the same kind that does not enlarge."""

    def __init__(self):
        super().__init__()
        self.up1 = UpsampleConvLayer(3, 6, 3, upsample=2)
        self.norm = nn.InstanceNorm2d(6, affine=True)
        self.up2 = UpsampleConvLayer(6, 4, 3, upsample=2)
        self.last = UpsampleConvLayer(4, 3, 9)

    def forward(self, x):
        return self.last(F.relu(self.up2(F.relu(self.norm(self.up1(x))))))


class ConvBlock(nn.Module):
    """Convolution, norm, activation."""

    def __init__(self, inside, outside):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1)
        self.bn = nn.BatchNorm2d(outside)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


@case(
    "u-net told sizes", (1, 3, 8, 12),
    fused=(("interpolate", "up1.conv", "up1.bn"), ("interpolate", "up0.conv", "up0.bn")),
    others=(((2, 3, 9, 13),), ((1, 3, 10, 7),)),
)  # fmt: skip
class UNet(nn.Module):
    """Resizes to the size of the skip connection, then a block, then concatenation."""

    def __init__(self):
        super().__init__()
        self.down0, self.down1 = ConvBlock(3, 4), ConvBlock(4, 5)
        self.middle = ConvBlock(5, 6)
        self.up1, self.mix1 = ConvBlock(6, 5), ConvBlock(10, 5)
        self.up0, self.mix0 = ConvBlock(5, 4), ConvBlock(8, 3)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        a = self.down0(x)
        b = self.down1(self.pool(a))
        c = self.middle(self.pool(b))
        up = F.interpolate(c, size=b.shape[2:])
        y = self.mix1(torch.cat([self.up1(up), b], 1))
        up = F.interpolate(y, size=a.shape[-2:], mode="nearest")
        return self.mix0(torch.cat([self.up0(up), a], dim=1))


@case(
    "u-net that joins first", (1, 3, 8, 8),
    refused=(("up", "cat takes what it makes, and is no convolution"),),
)  # fmt: skip
class JoiningUNet(nn.Module):
    """Depth decoders and many U-Nets resize, then join, then convolve."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3, 2, 1), nn.Upsample(scale_factor=2)
        self.conv = nn.Conv2d(7, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(torch.cat([self.up(self.down(x)), x], 1))


@case(
    "one upsampler for all", PICTURE,
    fused=(("up", "a.conv", "a.bn"), ("up", "b", None)),
    refused=(("up", "the model returns what it makes"),), others=((LARGER,),),
)  # fmt: skip
class OneUpsampler(nn.Module):
    """One nn.Upsample called three times, the last time for nothing that convolves."""

    def __init__(self):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2)
        self.a, self.b = ConvBlock(3, 4), nn.Conv2d(4, 3, 5, padding=2)

    def forward(self, x):
        x = self.a(self.up(x))
        return self.up(torch.tanh(self.b(self.up(x))))


@case("layers in a module", PICTURE, fused=(("up", "conv", "norm"),), others=((LARGER,),))
class LayersInAModule(nn.Module):
    """All layers, called by hand, with an attribute and a method of its own."""

    def __init__(self):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2)
        self.pad = nn.ReplicationPad2d((1, 2, 0, 1))
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.spare = nn.Linear(2, 2)
        self.word = "kept"

    def forward(self, x):
        return F.relu(self.norm(self.conv(self.pad(self.up(x)))))

    def say(self):
        """A method that must stay."""
        return self.word


@case("functional weights", PICTURE, fused=(("interpolate", "conv2d", None),), others=((LARGER,),))
class FunctionalWeights(nn.Module):
    """Weights scaled on the way, as in progressive GANs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)))
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return F.conv2d(x, self.weight * 0.2, self.bias, padding=1)


@case("weights from the input", PICTURE, refused=(("interpolate", "is made from the input"),))
class WeightsFromTheInput(FunctionalWeights):
    def forward(self, x):
        weight = self.weight * x.mean()
        return F.conv2d(F.interpolate(x, scale_factor=2), weight, padding=1)


@case("shared convolution", PICTURE, refused=(("interpolate", "conv is called elsewhere, too"),))
class SharedConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(self.conv(x), scale_factor=2))


@case("shared weights", PICTURE, refused=(("interpolate", "a shares its weights"),))
class SharedWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(F.interpolate(x, scale_factor=2)))


class UpBlock(nn.Module):
    """Resize and convolve, by functional call."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv(F.interpolate(x, scale_factor=2)))


@case("one block three times", PICTURE, fused=(("block.interpolate", "block.conv", None),))
class Repeated(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = UpBlock(3)

    def forward(self, x):
        for _ in range(3):
            x = self.block(x)
        return x


@case(
    "a loop that depends on the size", PICTURE,
    fused=(("blocks.0.interpolate", "blocks.0.conv", None), ("blocks.1.interpolate", "blocks.1.conv", None)),
    others=((LARGER,), ((1, 3, 20, 20),)),
)  # fmt: skip
class DynamicLoop(nn.Module):
    """Python decides how often; the blocks themselves are simple."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(UpBlock(3) for _ in range(2))

    def forward(self, x):
        for block in self.blocks:
            if x.shape[-1] < 40:
                x = block(x)
        return x


@case(
    "a pair in, a dictionary out", (2, 3, 4, 4), (2, 3, 8, 8),
    fused=(("dec.interpolate", "dec.conv", None),), nest=lambda a, b: ((a, b),),
)  # fmt: skip
class Pairs(nn.Module):
    def __init__(self):
        super().__init__()
        self.dec = UpBlock(3)

    def forward(self, pair):
        small, large = pair
        return {"sum": self.dec(small) + large, "mean": large.mean()}


class Standardised(nn.Conv2d):
    """A layer with a forward of its own: padding by hand, weights standardised."""

    def forward(self, x):
        w = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        w = w / (w.flatten(1).std(1).view(-1, 1, 1, 1) + 1e-5)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), w, self.bias)


@case("standardised weights", PICTURE, fused=(("0", "1.conv2d", None),), others=((LARGER,),))
def standardised():
    return nn.Sequential(nn.Upsample(scale_factor=2), Standardised(3, 4, 3))


@case("passed by name", PICTURE, fused=(("up", "conv", None),), others=((LARGER,),))
class PassedByName(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.conv = nn.Upsample(scale_factor=2), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x, flag=False):
        return self.conv(input=self.up(input=x)) * (2 if flag else 1)


@case("padding from sizes", PICTURE, refused=(("interpolate", "decides by"),))
class PaddingFromSizes(nn.Module):
    """TensorFlow's SAME, reckoned from the size of the enlarged picture."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 4)

    def forward(self, x):
        y = F.interpolate(x, scale_factor=2)
        total = max((y.shape[2] - 1) + 4 - y.shape[2], 0)
        return self.conv(F.pad(y, (total // 2, total - total // 2) * 2))


@case("two takers", PICTURE, refused=(("interpolate", "2 calls take what it makes (conv, add)"),))
class TwoTakers(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        x = F.interpolate(x, scale_factor=2)
        return self.conv(x) + x


@case("noise between", PICTURE, refused=(("interpolate", "2 calls take what it makes (randn_like, add)"),))
class NoiseBetween(TwoTakers):
    def forward(self, x):
        x = F.interpolate(x, scale_factor=2)
        return self.conv(x + torch.randn_like(x))


@case("noise after", PICTURE, fused=(("interpolate", "conv", None),))
class NoiseAfter(TwoTakers):
    def forward(self, x):
        x = self.conv(F.interpolate(x, scale_factor=2))
        return x + torch.randn_like(x)


@case("noise drawn beside", PICTURE, refused=(("interpolate", "makes a tensor that does not come"),))
class NoiseBeside(TwoTakers):
    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2)) + torch.randn(1)


@case("a factor by lot", PICTURE, refused=(("interpolate", "writes the attribute 'turn'"),))
class FactorByLot(TwoTakers):
    def __init__(self):
        super().__init__()
        self.turn = 2

    def forward(self, x):
        self.turn = 5 - self.turn
        return self.conv(F.interpolate(x, scale_factor=self.turn))


@case("a coin in Python", PICTURE, refused=(("interpolate", "draws random numbers"),))
class Coin(TwoTakers):
    def forward(self, x):
        if random.random() < 2:
            x = F.interpolate(x, scale_factor=2)
        return self.conv(x)


@case("a factor from the input", PICTURE, refused=(("interpolate", "cannot be traced"),))
class FactorFromTheInput(TwoTakers):
    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=int(x.shape[0])))


@case("values decide", PICTURE, refused=(("interpolate", "depends on what the network computes"),))
class ValuesDecide(TwoTakers):
    def forward(self, x):
        y = F.interpolate(x, scale_factor=2)
        if x.mean() > 100:
            y = y * 2
        return self.conv(y)


@case("it keeps a list", PICTURE, refused=(("interpolate", "changes the attribute 'seen'"),))
class KeepsAList(TwoTakers):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.shape[0])
        return self.conv(F.interpolate(x, scale_factor=2))


@case("without gradients", PICTURE, refused=(("interpolate", "switches gradients or autocast"),))
class WithoutGradients(TwoTakers):
    def forward(self, x):
        with torch.no_grad():
            x = F.interpolate(x, scale_factor=2)
        return self.conv(x)


@case("asks for the kind", PICTURE, refused=(("interpolate", "(isinstance)"),))
class AsksForTheKind(TwoTakers):
    def forward(self, x):
        if isinstance(x, list):
            x = torch.cat(x)
        return self.conv(F.interpolate(x, scale_factor=2))


@case("a list of sizes", PICTURE, fused=(("interpolate", "conv", None),), others=((LARGER,),))
class ListOfSizes(TwoTakers):
    def forward(self, x):
        return self.conv(F.interpolate(x, size=[2 * n for n in x.shape[2:]]))


@case(
    "names of builtins", PICTURE, fused=(("interpolate", "conv", None),), others=((LARGER,), ((5, 3, 4, 4),))
)
class NamesOfBuiltins(TwoTakers):
    def forward(self, input, max=None, *, flag=True):
        if input.shape[0] > 3:
            input = input.relu()
        return self.conv(F.interpolate(input, scale_factor=2)) * (1 if flag else 2)


@case("it counts", PICTURE, refused=(("interpolate", "writes the attribute 'count'"),))
class Counts(TwoTakers):
    def __init__(self):
        super().__init__()
        self.count = 0

    def forward(self, x):
        self.count += 1
        return self.conv(F.interpolate(x, scale_factor=2)) * min(self.count, 1)


@case(
    "another way for large inputs", PICTURE, fused=(("interpolate", "conv", None),),
    others=((LARGER,), ((1, 3, 16, 3),)),
)  # fmt: skip
class AnotherWay(TwoTakers):
    def forward(self, x):
        y = F.interpolate(x, scale_factor=2)
        if x.shape[2] > 10:
            y = torch.relu(y)
        return self.conv(y)


@case("dropout by function", PICTURE, fused=(("interpolate", "conv", None),), others=((LARGER,),))
class FunctionalDropout(TwoTakers):
    def forward(self, x):
        return F.dropout(self.conv(F.interpolate(x, scale_factor=2)), training=self.training)


@case("asks for the size after", PICTURE, fused=(("up", "conv", None),), others=((LARGER,),))
class AsksForTheSize(nn.Module):
    """As many do that crop to what they started from."""

    def __init__(self):
        super().__init__()
        self.up, self.pad = nn.Upsample(scale_factor=2), nn.ReplicationPad2d((0, 1, 0, 1))
        self.conv = nn.Conv2d(3, 3, 2)

    def forward(self, x):
        large = self.pad(self.up(x))
        n, c, h, _ = large.size()
        return self.conv(large)[:, :, : h - 2, : large.shape[3] - 2].reshape(n, c, -1) * large.ndim


@case("changed in place", PICTURE, refused=(("interpolate", "relu"),))
class ChangedInPlace(TwoTakers):
    def forward(self, x):
        x = F.interpolate(x, scale_factor=2)
        F.relu(x, inplace=True)
        return self.conv(x)


@case("the input changed after", PICTURE, fused=(("interpolate", "conv", None),))
class InputChangedAfter(TwoTakers):
    def forward(self, x):
        x = x * 1
        y = F.interpolate(x, scale_factor=2)
        x.add_(1)
        return self.conv(y) + x.mean()


@case("a fixed size", PICTURE, fused=(("up", "conv", None),), others=(((2, 3, 5, 5),), ((1, 3, 12, 10),)))
class FixedSize(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Upsample(size=(12, 10))
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(self.up(x))


@case("a size that is no multiple", PICTURE, refused=(("0", "2.167 x 2 times the input's"),))
def no_multiple():
    return nn.Sequential(nn.Upsample(size=(13, 10)), nn.Conv2d(3, 4, 3))


@case("no batch", (3, 4, 6), refused=(("0", "no convolution"),))
def no_batch():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Flatten(0, 1), nn.Linear(12, 2))
