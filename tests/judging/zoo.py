"""Networks with a lattice that is known."""

import torch
from torch import nn

from cases import make_case


def photographs(count=3, size=128, channels=3, seed=0):
    """Pictures with a natural spectrum, in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, channels, size, size, generator=generator)
    f = torch.fft.fftfreq(size)
    radius = (f[:, None] ** 2 + f[None] ** 2).sqrt()
    radius[0, 0] = torch.inf
    shaped = torch.fft.ifft2(torch.fft.fft2(noise) / radius).real
    return (0.5 + 0.15 * shaped / shaped.std(dim=(2, 3), keepdim=True)).clamp(0, 1)


class Planted(nn.Module):
    """The input, a ripple of `amplitude` grey levels of one period, and more contrast at even pixels."""

    def __init__(self, amplitude=0.0, period=2, contrast=0.0, noise=0.0):
        super().__init__()
        self.amplitude, self.period, self.contrast, self.noise = amplitude, period, contrast, noise

    def forward(self, x):
        rows, columns = (torch.arange(n, dtype=torch.float64) for n in x.shape[2:])
        wave = torch.cos(2 * torch.pi * (rows[:, None] + columns[None]) / self.period)
        ripple = (self.amplitude / 255 * wave).to(x)
        even = ((rows[:, None] + columns[None]) % 2 == 0).to(x)
        smooth = nn.functional.avg_pool2d(x, 5, 1, 2, count_include_pad=False)
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
        return x + ripple + self.contrast * even * (x - smooth) + self.noise / 255 * noise.to(x)


def case_of(model, held, *, periods=(2, 4), ndim=2, scale=(1.0, 1.0), span=(0.0, 1.0)):
    """A case to judge on."""
    return make_case(
        model, *held[:1], held=held, periods=periods, ndim=ndim, scale=scale, span=span, recorded=False
    )
