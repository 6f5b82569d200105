"""Replace the transposed convolutions of a network by layers that cannot checker, to go on training."""

import torch
from torch import nn

import uncheck
from uncheck.training import gain_penalty

torch.manual_seed(0)
decoder = nn.Sequential(
    nn.ConvTranspose2d(8, 16, 3, 2, 1, 1), nn.ReLU(),
    nn.ConvTranspose2d(16, 3, 3, 2, 1, 1), nn.Tanh(),
)  # fmt: skip
codes = torch.randn(16, 8, 16, 16)

swapped = uncheck.swap(decoder, codes)  # a copy; `to="smooth"` or "equal_gain" keep the kernel size
print(swapped)
for name, network in (("before", decoder), ("after", swapped.model)):
    with torch.no_grad():
        images = network(codes)
        unequal = gain_penalty(network, codes)
    strength = uncheck.lattice_strength(images, span=(-1, 1), together=True)
    print(f"{name}: lattice {strength:.2f} grey levels, squared gain spreads {unequal:.4f}")
