"""Super-resolution networks on flat colours: the ripple is exact, and every colour can be asked for."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import torch
from colour_networks import RELEASED, given
from lab.cases import network

#: Values of each channel of the flat colours.
VALUES = (0.1, 0.3, 0.5, 0.7, 0.9)


def on_flat(name: str, mean: Any, bias: Any) -> dict[str, Any]:
    """[distance from `mean`, distance from `bias`, amplitude] of each flat colour, grey levels.

    Distances are of the colour that comes out. `zero`: amplitude with the activations before the last layer
    set to zero, which is what its bias alone shows.
    """
    cases, model = network(name)
    period = RELEASED[name][1]
    colours = (
        list(product(VALUES, repeat=3)) if name != "espcn_x3" else [(v, v, v) for v in np.linspace(0, 1, 21)]
    )
    points = []
    for colour in colours:
        flat = torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1).expand(1, 3, 24, 24)
        shown, amplitude = ripple_of(model, given(name, cases, flat), period)
        near = (float(np.linalg.norm(shown - centre)) for centre in (mean, bias))
        points.append([*(round(d, 1) for d in near), round(amplitude, 4)])
    last = model.conv3 if name == "espcn_x3" else model.deconv
    hook = last.register_forward_pre_hook(lambda module, args: (torch.zeros_like(args[0]),))
    zero = ripple_of(model, given(name, cases, torch.zeros(1, 3, 24, 24)), period)[1]
    hook.remove()
    return {"points": points, "zero": round(zero, 4)}


def ripple_of(model: Any, flat: torch.Tensor, period: int) -> tuple[Any, float]:
    """Colour (channels,) and amplitude, grey levels, in the middle of the output, clear of the border."""
    with torch.no_grad():
        output = model(flat)[0].double() * 255
    start = output.shape[-1] // 2 // period * period
    pattern = output[:, start : start + period, start : start + period]
    power = (torch.fft.fft2(pattern).abs() / period**2) ** 2
    power[:, 0, 0] = 0
    # A line and its conjugate are one wave of twice their size; at period 2 every line is real.
    amplitude = ((1 if period == 2 else 2) * power.sum((1, 2))).sqrt().max()
    return pattern.mean((1, 2)).numpy(), float(amplitude)
