"""Networks whose outputs are not (N, C, *spatial), or more than one, with the maps that are in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reading.zoo_networks import Fn


class Scales(NamedTuple):
    fine: Tensor
    coarse: Tensor


@dataclass
class Decoded:
    """As the outputs of diffusers and transformers are: a dataclass with fields that may be None."""

    sample: Tensor
    latent: Tensor | None = None
    aux: dict[str, list[Tensor]] | None = None


@dataclass(frozen=True)
class Output:
    """A network, the shapes of its inputs, and for each output the shape of its map and the stages' periods.

    `maps` has for each name the shape as maps and the period of each stage there, or why there is none.
    """

    name: str
    make: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]
    maps: dict[str, tuple[tuple[int, ...], tuple[tuple[int, ...] | None, ...]] | str]

    def model(self) -> nn.Module:
        torch.manual_seed(0)
        return self.make().eval()

    def inputs(self) -> tuple[Tensor, ...]:
        return tuple(torch.full(shape, 0.7) for shape in self.shapes)


def up(before: int = 4, after: int = 3) -> nn.Module:
    return nn.ConvTranspose2d(before, after, 3, 2, 1, 1)


def frames(self: Any, x: Tensor) -> Tensor:
    b, c, t, h, w = x.shape
    y = self.up(x.transpose(1, 2).reshape(b * t, c, h, w))
    return y.view(b, t, 3, 2 * h, 2 * w).transpose(1, 2)


def masks(self: Any, x: Tensor, prompts: Tensor) -> Tensor:
    n, k, _ = prompts.shape
    y = self.up(x)
    return (prompts @ y.flatten(2)).view(n, 1, k, *y.shape[2:])


def heads(self: Any, x: Tensor) -> dict[str, Tensor]:
    h = self.trunk(x).relu()
    return {"depth": self.depth(h), "normals": self.normals(h), "labels": self.normals(h).argmax(1)}


def vae(self: Any, x: Tensor) -> Decoded:
    z = self.down(x)
    return Decoded(self.up(z), z, {"loss": [(z**2).mean(), z.mean((2, 3))]})


def attended(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    tokens = self.down(x).flatten(2).transpose(1, 2)
    weights = (tokens @ tokens.transpose(1, 2)).softmax(-1)
    y = (weights @ tokens).transpose(1, 2).unflatten(2, (16, 16))
    return self.up(y), weights


def pyramid(self: Any, x: Tensor) -> list[Tensor]:
    a = self.up(x)
    b = self.up(self.mix(a))
    return [a, b, F.interpolate(x, scale_factor=2)]


OUTPUTS = (
    Output(
        "frames", lambda: Fn(frames, up=up()), ((1, 4, 3, 8, 10),), {"output": ((3, 3, 16, 20), ((2, 2),))}
    ),
    Output(
        "views",
        lambda: Fn(lambda s, x: s.up(x.flatten(0, 1)).unflatten(0, x.shape[:2]), up=up()),
        ((2, 5, 4, 8, 8),),
        {"output": ((10, 3, 16, 16), ((2, 2),))},
    ),
    Output(
        "stacked frames",
        lambda: Fn(lambda s, x: torch.stack([s.up(f) for f in x.unbind(2)], 2), up=up()),
        ((1, 4, 2, 8, 8),),
        {"output": ((2, 3, 16, 16), ((2, 2), (2, 2)))},
    ),
    Output(
        "a temporal stage and a spatial one",
        lambda: Fn(lambda s, x: frames(s, s.slow(x)), slow=nn.Upsample(scale_factor=(2, 1, 1)), up=up()),
        ((1, 4, 5, 8, 8),),
        {"output": ((1, 3, 10, 16, 16), ((2, 1, 1), (1, 2, 2)))},
    ),
    Output(
        "sources",
        lambda: Fn(lambda s, x: s.up(x).view(len(x), 2, 2, -1), up=nn.ConvTranspose1d(4, 4, 3, 2, 1, 1)),
        ((1, 4, 40),),
        {"output": ((2, 2, 80), ((2,),))},
    ),
    Output(
        "sources of one channel",
        lambda: Fn(lambda s, x: s.up(x).unsqueeze(2), up=nn.ConvTranspose1d(4, 3, 4, 4)),
        ((2, 4, 40),),
        {"output": ((2, 3, 160), ((4,),))},
    ),
    Output(
        "sound with channels last",
        lambda: Fn(lambda s, x: s.up(x).transpose(1, 2), up=nn.ConvTranspose1d(4, 2, 3, 2, 1, 1)),
        ((1, 4, 40),),
        {"output": ((1, 2, 80), ((2,),))},
    ),
    Output(
        "masks",
        lambda: Fn(masks, up=up()),
        ((2, 4, 8, 8), (2, 5, 3)),
        {"output": ((2, 5, 16, 16), ((2, 2),))},
    ),
    Output(
        "pixels as tokens",
        lambda: Fn(lambda s, x: s.up(x).flatten(2).transpose(1, 2), up=up()),
        ((2, 4, 8, 12),),
        {"output": ((2, 3, 16, 24), ((2, 2),))},
    ),
    Output(
        "all pixels of a batch in one axis",
        lambda: Fn(lambda s, x: s.up(x).permute(0, 2, 3, 1).reshape(-1, 3), up=up()),
        ((2, 4, 8, 12),),
        {"output": ((2, 3, 16, 24), ((2, 2),))},
    ),
    Output(
        "channels last",
        lambda: Fn(lambda s, x: s.up(x).permute(0, 2, 3, 1), up=up(4, 7)),
        ((2, 4, 8, 12),),
        {"output": ((2, 7, 16, 24), ((2, 2),))},
    ),
    Output(
        "real and imaginary part last",
        lambda: Fn(lambda s, x: s.up(x).permute(0, 2, 3, 1), up=up(4, 2)),
        ((2, 4, 8, 12),),
        {"output": ((2, 2, 16, 24), ((2, 2),))},
    ),
    Output(
        "complex numbers",
        lambda: Fn(lambda s, x: torch.view_as_complex(s.up(x).permute(0, 2, 3, 1).contiguous()), up=up(4, 2)),
        ((2, 4, 8, 12),),
        {"output": ((2, 2, 16, 24), ((2, 2),))},
    ),
    Output(
        "complex numbers taken apart",
        lambda: Fn(
            lambda s, x: torch.view_as_real(torch.complex(s.up(x), s.mix(s.up(x)))).movedim(-1, 1),
            **{"up": up(), "mix": nn.Conv2d(3, 3, 1)},
        ),
        ((2, 4, 8, 12),),
        {"output": ((4, 3, 16, 24), ((2, 2), (2, 2)))},
    ),
    Output(
        "a lone picture",
        lambda: Fn(lambda s, x: s.up(x)[0], up=up()),
        ((1, 4, 8, 8),),
        {"output": ((1, 3, 16, 16), ((2, 2),))},
    ),
    Output(
        "no channels",
        lambda: Fn(lambda s, x: s.up(x).squeeze(1), up=up(4, 1)),
        ((2, 4, 8, 8),),
        {"output": ((2, 1, 16, 16), ((2, 2),))},
    ),
    Output(
        "two heads",
        lambda: Fn(
            heads,
            trunk=nn.Conv2d(3, 16, 3, 2, 1),
            depth=nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 1)),
            normals=up(16, 3),
        ),
        ((1, 3, 32, 32),),
        {
            "depth": ((1, 1, 32, 32), ((2, 2), None, None)),
            "normals": ((1, 3, 32, 32), (None, (2, 2), None)),
            "labels": ((1, 1, 32, 32), (None, None, (2, 2))),
        },
    ),
    Output(
        "scales",
        lambda: Fn(pyramid, up=up(), mix=nn.Conv2d(3, 4, 1)),
        ((1, 4, 8, 8),),
        {
            "0": ((1, 3, 16, 16), ((2, 2), None, None)),
            "1": ((1, 3, 32, 32), ((4, 4), (2, 2), None)),
            "2": ((1, 4, 16, 16), (None, None, (2, 2))),
        },
    ),
    Output(
        "named tuple",
        lambda: Fn(lambda s, x: Scales(s.up(x), F.avg_pool2d(s.up(x), 4)), up=up()),
        ((1, 4, 16, 16),),
        {"fine": ((1, 3, 32, 32), ((2, 2), None)), "coarse": ((1, 3, 8, 8), (None, (1, 1)))},
    ),
    Output(
        "autoencoder",
        lambda: Fn(vae, down=nn.Conv2d(3, 4, 3, 2, 1), up=up()),
        ((1, 3, 32, 32),),
        {
            "sample": ((1, 3, 32, 32), ((2, 2),)),
            "latent": "lies before the upsampling",
            "aux.loss.0": "is a single number",
            "aux.loss.1": "has no positions, as scores or codes",
        },
    ),
    Output(
        "weights of an attention",
        lambda: Fn(attended, down=nn.Conv2d(3, 4, 3, 2, 1), up=up()),
        ((1, 3, 32, 32),),
        {
            "0": ((1, 3, 32, 32), ((2, 2),)),
            "1": "holds a value for each pair of positions, as attention does",
        },
    ),
    Output(
        "a volume beside a picture",
        lambda: Fn(
            lambda s, x: (s.up(x), s.deep(x.unsqueeze(2).expand(-1, -1, 4, -1, -1))),
            up=up(),
            deep=nn.Upsample(scale_factor=(3, 2, 2)),
        ),
        ((1, 4, 8, 8),),
        {"0": ((1, 3, 16, 16), ((2, 2), None)), "1": ((1, 4, 12, 16, 16), (None, (3, 2, 2)))},
    ),
    Output(
        "tokens without a grid",
        lambda: Fn(lambda s, x: (s.mix(x), x > 0), mix=nn.Linear(8, 8)),
        ((1, 30, 8),),
        {
            "0": "has no axes that a spatial layer took for positions, as tokens or boxes",
            "1": "holds true and false only",
        },
    ),
    Output(
        "codes laid out as a picture",
        lambda: nn.Sequential(nn.Linear(6, 192), nn.Unflatten(1, (3, 8, 8))),
        ((2, 6),),
        {"output": ((2, 3, 8, 8), ())},
    ),
    Output(
        "patch tokens",
        lambda: Fn(lambda s, x: s.patch(x).flatten(2).transpose(1, 2), patch=nn.Conv2d(3, 8, 4, 4)),
        ((1, 3, 32, 32),),
        {"output": ((1, 8, 8, 8), ())},
    ),
)
