"""What the phases of a layer's output have of their own: gains, variances, and the means after a ReLU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

DRAWS = 10
WIDTH = 64
ORDER_TOLERANCE = 1e-3


def spread(values: Tensor) -> float:
    """sqrt(sum (v - mean_p v)^2 / sum v^2), phases p on the last axis: the equation of the gain spread."""
    total = float(values.square().sum())
    return (float((values - values.mean(-1, keepdim=True)).square().sum()) / total) ** 0.5 if total else 0.0


def split(y: Tensor, border: int = 4) -> Tensor:
    """(N, C, H, W) without its border as (C, values, 4 phases)."""
    y = y[..., border:-border, border:-border].double()
    n, c, h, w = y.shape
    return (
        y.reshape(n, c, h // 2, 2, w // 2, 2).permute(1, 0, 2, 4, 3, 5).reshape(c, n * (h // 2) * (w // 2), 4)
    )


def second_order(before: Tensor, after: Tensor) -> dict[str, float]:
    """Spread of the variances of an upsampler's output, and of the means after normalisation and ReLU."""
    values = split(before)
    return {
        "variance_spread": spread(values.var(1)),
        "ripple_after_relu": spread(split(after).mean(1)),
    }


def on_noise(layer: nn.Module, seed: int) -> dict[str, float]:
    """The same on white noise, where unequal gains alone leave no trace; each channel normalised."""
    generator = torch.Generator().manual_seed(seed)
    channels = WIDTH
    x = torch.randn(8, channels, 40, 40, generator=generator)
    with torch.no_grad():
        y = layer(x)
        flat = split(y).flatten(1)
        z = (y - flat.mean(1).float()[:, None, None]) / flat.std(1).float()[:, None, None]
    return second_order(y, z.relu())


def main() -> dict[str, object]:
    """Every candidate as it starts, WIDTH channels in and out, averaged over DRAWS initialisations."""
    from candidates import CANDIDATES, kernel_of

    from uncheck.phases import gain_spread, strang_fix_order

    rows = []
    for candidate in CANDIDATES:
        drawn = []
        for seed in range(DRAWS):
            torch.manual_seed(seed)
            layer = candidate.make(WIDTH, WIDTH)
            kernel = kernel_of(layer)
            with torch.no_grad():
                variance = float(layer(torch.randn(2, WIDTH, 40, 40))[..., 4:-4, 4:-4].var())
            drawn.append(
                {
                    "order": strang_fix_order(kernel, ORDER_TOLERANCE),
                    "gain_spread": gain_spread(kernel),
                    "output_variance": variance,
                    **on_noise(layer, seed),
                }
            )
        mean = {k: round(sum(d[k] for d in drawn) / DRAWS, 4) for k in drawn[0] if k != "order"}
        rows.append({"candidate": candidate.name, "order": min(d["order"] for d in drawn), **mean})
    return {"width": WIDTH, "draws": DRAWS, "rows": rows}
