"""Classifiers that differ in how they first subsample, their gradients, and what follows those gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from lab.generator import CODE, Generator
from torch import Tensor, nn

import uncheck
from uncheck.layers import BlurConv, BlurPool, MaxBlurPool

First = Callable[[int, str], list[nn.Module]]

#: Longest period of a gradient that is kept.
LONGEST = 8


def _conv(size: int, stride: int, padding: int) -> First:
    return lambda n, mode: [nn.Conv2d(3, n, size, stride, padding, padding_mode=mode), nn.ReLU()]


def _pooled(pool: Callable[[], nn.Module]) -> First:
    return lambda n, mode: [*_conv(3, 1, 1)(n, mode), pool()]


#: name -> (width, padding) -> the layers that subsample; all by 2 but the first, and the one that does twice.
FIRST: dict[str, First] = {
    "stride 1 k3": _conv(3, 1, 1),
    "stride 2 k3": _conv(3, 2, 1),
    "stride 2 k4": _conv(4, 2, 1),
    "stride 2 k5": _conv(5, 2, 2),
    "stride 2 k3 twice": lambda n, mode: [
        *_conv(3, 2, 1)(n, mode),
        nn.Conv2d(n, n, 3, 2, 1, padding_mode=mode),
        nn.ReLU(),
    ],
    "max 2": _pooled(lambda: nn.MaxPool2d(2)),
    "max 3 s2": _pooled(lambda: nn.MaxPool2d(3, 2, 1)),
    "average 2": _pooled(lambda: nn.AvgPool2d(2)),
    "BlurPool": _pooled(BlurPool),
    "BlurConv k3": lambda n, mode: [BlurConv(3, n, 3, 2, 1, padding_mode=mode), nn.ReLU()],
    "MaxBlurPool 3": _pooled(lambda: MaxBlurPool(3, 2, 1)),
}

#: After a name: the picture goes on at its other side, instead of zeros around it.
WRAPPED = " wrapped"


def network(first: str, width: int, outputs: int) -> nn.Sequential:
    """The first layers, two convolutions of stride 1, the mean over all places, a linear layer."""
    mode = "circular" if first.endswith(WRAPPED) else "zeros"
    layers = FIRST[first.removesuffix(WRAPPED)](width, mode)
    for _ in range(2):
        layers += [nn.Conv2d(width, width, 3, 1, 1, padding_mode=mode), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs))


def trained(model: nn.Module, patches: Tensor, labels: Tensor, steps: int, seed: int) -> float:
    """Cross-entropy by Adam, batches of 32; the share it tells right in the second half of training."""
    draw = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    right = []
    for _ in range(steps):
        chosen = torch.randint(len(patches), (32,), generator=draw)
        said = model(patches[chosen])
        optimiser.zero_grad()
        F.cross_entropy(said, labels[chosen]).backward()
        optimiser.step()
        right.append((said.argmax(1) == labels[chosen]).float().mean().item())
    late = right[len(right) // 2 :]
    return sum(late) / len(late)


def gradient(model: nn.Module, inputs: Tensor) -> dict[str, Any]:
    """`uncheck.inspect`'s view of the gradient, and how unequally the four phases share its magnitude.

    `signed`, `magnitude`: period -> levels (42.5 are one standard deviation) of what is present. `favoured`:
    the mean magnitude at the most favoured phase of period 2 over that at the least.
    """
    found = uncheck.inspect(model, inputs, gradient=True).gradient
    assert found is not None
    leaf = inputs.clone().requires_grad_(True)
    weights = torch.randn(model(inputs[:1]).shape[1], generator=torch.Generator().manual_seed(0))
    (pulled,) = torch.autograd.grad((model(leaf) * weights).sum(), leaf)
    return {
        "signed": _levels(found.lattice),
        "magnitude": _levels(found.magnitude),
        "favoured": round(favoured(pulled), 3),
    }


def _levels(components: Any) -> dict[str, float]:
    return {str(max(c.period)): round(float(c.amplitude), 2) for c in components if max(c.period) <= LONGEST}


def favoured(pulled: Tensor, margin: int = 8) -> float:
    """Mean length over the colours of a gradient (N, C, H, W), per phase of period 2: most over least."""
    inner = pulled[..., margin:-margin, margin:-margin].square().sum(1).sqrt()
    means = [inner[:, i::2, j::2].mean().item() for i in (0, 1) for j in (0, 1)]
    return max(means) / max(min(means), 1e-12 * max(means), 1e-30)


def visualised(model: nn.Module, count: int, steps: int, jitter: int, seed: int, size: int = 64) -> Tensor:
    """(count, 3, size, size) in 0..1 that class 0 likes: steps of a hundredth along the scaled gradient.

    With `jitter` each step sees the picture shifted by 0 to jitter - 1 pixels, around its edges.
    """
    draw = torch.Generator().manual_seed(seed)
    pictures = (0.5 + 0.05 * torch.randn(count, 3, size, size, generator=draw)).clamp(0, 1)
    for _ in range(steps):
        shift = torch.randint(max(jitter, 1), (2,), generator=draw).tolist()
        seen = pictures.roll(shift, (2, 3)).requires_grad_(True)
        (pulled,) = torch.autograd.grad(model(seen)[:, 0].sum(), seen)
        scale = pulled.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-12)
        pictures = (pictures + 0.01 * (pulled / scale).roll([-s for s in shift], (2, 3))).clamp(0, 1)
    return pictures


class Pixels(nn.Module):
    """The freest generator: every picture is its own parameter, and no layer prefers any pattern."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.pictures = nn.Parameter(0.5 + 0.1 * torch.randn(count, 3, size, size))

    def forward(self, _: Tensor) -> Tensor:
        return self.pictures


class Drawn(nn.Module):
    """`lab.generator.Generator` with pictures in 0..1."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.generator = Generator(layer, layer, width=32)

    def forward(self, codes: Tensor) -> Tensor:
        pictures: Tensor = self.generator(codes) / 2 + 0.5
        return pictures


#: Pixels that move along the gradient itself.
PLAIN = "pixels, plain steps"


@torch.no_grad()
def _plain_step(made: nn.Module) -> None:
    """A hundredth along the gradient over its root mean square, one factor for all pixels."""
    for parameter in made.parameters():
        assert parameter.grad is not None
        parameter -= 0.01 * parameter.grad / parameter.grad.square().mean().sqrt().clamp(min=1e-20)


def moved(before: Tensor, after: Tensor) -> float:
    """How far the phase means of period 2, over all pictures, moved apart: most over colours and phases."""
    change = (after - before).double().mean(0)
    means = torch.stack([change[:, i::2, j::2].mean((1, 2)) for i in (0, 1) for j in (0, 1)])
    return float((means - means.mean(0)).abs().max())


def driven(
    maker: str, discriminator: str, width: int, real: Tensor, count: int, rounds: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Pictures before and after `rounds` of a discriminator's step and one along its gradient.

    With "pixels, plain steps" pixels move along the gradient itself, scaled as a whole, not by Adam.
    """
    made = Pixels(count, real.shape[-1]) if maker in ("pixels", PLAIN) else Drawn(maker)
    judge = network(discriminator, width, 1)
    draw = torch.Generator().manual_seed(seed)
    codes = torch.randn(count, CODE, generator=draw)
    mine = torch.optim.Adam(made.parameters(), 1e-2 if maker == "pixels" else 1e-3, betas=(0.5, 0.99))
    its = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.99))
    before = made(codes).detach().clone()
    for _ in range(rounds):
        seen = codes if isinstance(made, Pixels) else torch.randn(count, CODE, generator=draw)
        chosen = real[torch.randint(len(real), (count,), generator=draw)]
        loss = F.softplus(-judge(chosen)).mean() + F.softplus(judge(made(seen).detach())).mean()
        its.zero_grad()
        loss.backward()
        its.step()
        mine.zero_grad()
        F.softplus(-judge(made(seen))).mean().backward()
        if maker == PLAIN:
            _plain_step(made)
        else:
            mine.step()
    return before, made(codes).detach()
