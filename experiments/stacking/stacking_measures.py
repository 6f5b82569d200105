"""One row for each kind of task."""

from __future__ import annotations

from math import isinf
from typing import Any

import torch
from stacking_chains import (
    composed,
    filled,
    foretold,
    kernel,
    levels,
    modules,
    noisy,
    pattern,
    relative,
    sizes,
    total,
    unevenness,
)
from torch import Tensor, nn

import uncheck
from uncheck.phases import frequency_response, visible_ripple

#: Decimals kept.
DIGITS = 4


def ones(chain: list[str], config: dict[str, Any]) -> dict[str, Any]:
    """Kernels of ones on an input of ones, against the overlap map."""
    counted = uncheck.chain(sizes(chain))
    layers = filled(modules(chain, 1, 1))
    y = torch.ones(1, 1, *counted.input_size, dtype=torch.float64)
    with torch.no_grad():
        for module in layers:
            y = module(y)
    taps = torch.from_numpy(counted.taps.astype(float))
    return {
        "deviation": float(f"{float((y[0, 0] - taps).abs().max() / taps.max()):.3g}"),
        "ratio": None if isinf(counted.ratio) else counted.ratio,
        "even": counted.even,
        "period": list(counted.period),
    }


def chain(chain: list[str], config: dict[str, Any]) -> dict[str, Any]:
    """Random weights: the linear chain on a constant, and with ReLU on noise, measured and foretold."""
    from lab.lattice import lattice

    counted, period = uncheck.chain(sizes(chain)), total(chain)
    layers = modules(chain, config["channels"])
    mean = torch.randn(config["channels"], dtype=torch.float64).abs()
    seen = pattern(layers, mean, period)
    said = visible_ripple(composed(layers), mean)
    row: dict[str, Any] = {
        "ratio": None if isinf(counted.ratio) else counted.ratio,
        "even": counted.even,
        "linear": round(unevenness(seen), DIGITS),
        "deviation": float(f"{float((said - seen).abs().max() / seen.abs().max()):.3g}"),
    }
    size = 2 * config["size"]
    noise = torch.randn(config["count"], config["channels"], size, size, dtype=torch.float64)
    y, passed = noisy(layers, mean.reshape(1, -1, 1, 1) * noise.abs(), period)
    middle, sigma = float(y.mean()), float(y.std())
    periods = tuple(p for p in range(2, period + 1) if period % p == 0)
    found = lattice(y, (middle - 3 * sigma, middle + 3 * sigma), periods)
    row["measured"] = {str(p): found.get(f"amplitude_{p}", 0.0) for p in periods}
    row["foretold"] = {
        str(p): round(v, 3) for p, v in sorted(levels(foretold(layers, passed, period), sigma).items())
    }
    return row


def pair(pair: list[str], config: dict[str, Any]) -> dict[str, Any]:
    """Random linear pairs: how uneven the first is, the second on the first's mean, and both together.

    `kept`: what is left of the first's lattice, relative to the mean colours. Without bias, which moves these
    and no lattice.
    """
    rows = []
    for _ in range(config["draws"]):
        one, second = modules(pair, config["channels"], bias=False)
        mean = torch.randn(config["channels"], dtype=torch.float64).abs()
        own, whole = total(pair[:1]), total(pair)
        before = pattern([one], mean, own)
        alone = pattern([second], before.mean((1, 2)), total(pair[1:]))
        together = pattern([one, second], mean, whole)
        ends = relative(together)
        left = ends[whole] / max(relative(before)[own], 1e-12)
        rows.append((unevenness(before), unevenness(alone), unevenness(together), left))
    table = torch.tensor(rows, dtype=torch.float64)
    a, b, both, left_over = table.T
    return {
        "first": round(float(a.median()), DIGITS),
        "second": round(float(b.median()), DIGITS),
        "both": round(float(both.median()), DIGITS),
        "more_than_first": round(float((both > a).double().mean()), DIGITS),
        "more_than_second": round(float((both > b * (1 - 1e-9)).double().mean()), DIGITS),
        "kept": round(float(left_over.median()), DIGITS),
        "cancelled": round(float((left_over < config["cancelled"]).double().mean()), DIGITS),
        "kept_some": [round(float(v), 3) for v in left_over[:20]],
    }


def counted(layers: list[str], config: dict[str, Any]) -> dict[str, Any]:
    """Overlap ratios of all pairs, rows the first layer, and of the layers alone."""
    return {
        "alone": [uncheck.chain(sizes([one])).ratio for one in layers],
        "pairs": [[round(uncheck.chain(sizes([a, b])).ratio, DIGITS) for b in layers] for a in layers],
    }


def built(_: str, config: dict[str, Any]) -> dict[str, Any]:
    """All-ones k4 s2 after and before k3 s2: of ones, and of any weights (with one filter per channel)."""
    mean = torch.ones(1, dtype=torch.float64)
    row: dict[str, Any] = {}
    for name, chain in (("3/2 4/2", ["3/2", "4/2"]), ("4/2 3/2", ["4/2", "3/2"])):
        row[name] = float(f"{unevenness(pattern(filled(modules(chain, 1, 1)), mean, 4)):.3g}")
    first, _ = modules(["3/2", "4/2"], config["channels"])
    means = torch.randn(config["channels"], dtype=torch.float64).abs()
    n = config["channels"]
    hold = filled([nn.ConvTranspose2d(n, n, 4, 2, groups=n, bias=False).double()])
    row["first alone"] = round(unevenness(pattern([first], means, 2)), DIGITS)
    row["any 3/2, then 4/2"] = float(f"{unevenness(pattern([first, *hold], means, 4)):.3g}")
    return row


def last(last: str, config: dict[str, Any]) -> dict[str, Any]:
    """Random stride-1 layers after two k3 s2: per period the factor relative to the mean colour; no bias."""
    factors: dict[int, list[float]] = {2: [], 4: []}
    for _ in range(config["draws"]):
        before = modules(["3/2", "3/2"], config["channels"], bias=False)
        after = [*before, *modules([last], 3, bias=False)]
        mean = torch.randn(config["channels"], dtype=torch.float64).abs()
        one, two = relative(pattern(before, mean, 4)), relative(pattern(after, mean, 4))
        for period, seen in factors.items():
            seen.append(two[period] / one[period])
    row: dict[str, Any] = {}
    for period, seen in factors.items():
        values = torch.tensor(seen, dtype=torch.float64)
        quartiles = torch.quantile(values, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64))
        row[str(period)] = {
            "quartiles": [round(float(q), 3) for q in quartiles],
            "stronger": round(float((values > 1).double().mean()), DIGITS),
        }
    return row


def average(last: str, config: dict[str, Any]) -> dict[str, Any]:
    """An averaging layer after two k3 s2: per line of period 2 or 4 its measured and foretold factor."""
    size = int(last[1:])
    before = modules(["3/2", "3/2"], config["channels"])
    mean = torch.randn(config["channels"], dtype=torch.float64).abs()
    averaging = filled([nn.Conv2d(3, 3, size, groups=3, bias=False).double()], 1 / size**2)
    one, two = (_lines(pattern(layers, mean, 4)) for layers in (before, [*before, *averaging]))
    plain = filled(modules([last], 1, 1), 1 / size**2)
    said = frequency_response(kernel(plain[0]), 4)[0, 0].abs()
    seen = {name: [] for name in ("2 along one", "2 along both", "4 along one", "4 along both")}
    worst = 0.0
    for a in range(4):
        for b in range(4):
            factor = float(two[:, a, b].norm() / one[:, a, b].norm())
            worst = max(worst, abs(factor - float(said[a, b])))
            if a or b:
                name = f"{2 if a % 2 == b % 2 == 0 else 4} along {'both' if a and b else 'one'}"
                seen[name].append(factor)
    return {
        "deviation": float(f"{worst:.3g}"),
        "factors": {name: [round(min(v), DIGITS), round(max(v), DIGITS)] for name, v in seen.items()},
    }


def _lines(phases: Tensor) -> Tensor:
    return torch.fft.fft2(phases).abs()
