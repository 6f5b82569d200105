"""Volumes whose slices are not independent: still, slow, or alike along an axis."""

import numpy as np
import pytest
import torch
from torch import nn

from tiers import cases
from uncheck.measuring import measure
from uncheck.measuring.batches import batch_lattice
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_test
from uncheck.measuring.lattice import find_lattice

SHAPE = (20, 40, 44)


def volume(seed, kind, shape=SHAPE):
    """1/f pictures that hold still, drift slowly, or change from slice to slice along one axis."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(shape[1])[:, None], np.fft.fftfreq(shape[2]))
    f[0, 0] = 1.0
    drawn = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) / f).real
    drawn *= 30 / drawn.std()
    if kind == "still":
        drawn = np.repeat(drawn[:1], shape[0], axis=0) + rng.normal(0, 1e-3, shape)
    if kind == "slow":
        drawn = np.cumsum(drawn, axis=0) / 6 + 5 * drawn[:1]
    if kind == "flicker":
        drawn = np.repeat(drawn[:, :1, :1], shape[1], axis=1).repeat(shape[2], axis=2)
        drawn = drawn + rng.normal(0, 1e-2, shape)
    return (128 + drawn)[..., None].astype(np.float32)


@pytest.mark.parametrize("kind", ["still", "slow", "flicker", "independent"])
def test_volumes_without_a_lattice_are_clean(kind):
    alarms = sum(
        bool(find_lattice(volume(seed, kind), periods=(2, 3, 4, 5, 8)).everything) for seed in range(12)
    )
    assert alarms == 0


def test_counting_still_frames_as_samples_would_alarm():
    # Planted: all tapers of a volume for pictures that hold still, as it was: samples that are none.
    scheme, low = plan(SHAPE[1:], (2, 3, 4, 5, 8)), {1: 0, 3: 0}
    time = {1: np.array([1.0]), 3: np.array([1.0, 0.0, 0.5])}
    for seed in range(12):
        frames = volume(seed, "still").mean(axis=0)
        spectra = eigenspectra((frames - frames.mean())[None], scheme)
        for count, sums in time.items():
            often = (spectra[..., None] * sums).reshape(*spectra.shape[:3], -1)
            tests = line_test(often, np.outer(scheme.sums[0], sums).ravel(), scheme.real)[0]
            low[count] += int((tests.p_joint < 1e-3).sum())
    assert low[1] <= 2
    assert low[3] > 20


@pytest.mark.parametrize("kind", ["still", "slow", "independent"])
@pytest.mark.parametrize("period", [(1, 4, 4), (2, 2, 2), (4, 1, 1), (1, 2, 2), (1, 1, 4), (2, 4, 1)])
def test_lattices_of_volumes_are_found(kind, period):
    tile = np.random.default_rng(1).normal(size=period)
    tile -= tile.mean()
    repeats = [-(-n // p) for n, p in zip(SHAPE, period, strict=True)]
    pattern = np.tile(tile, repeats)[tuple(map(slice, SHAPE))] / np.abs(tile).max()
    content = volume(3, kind)
    content *= 30 / content.std()  # frames that drift slowly go far
    found = find_lattice(content + 30 * pattern[..., None].astype(np.float32), periods=(2, 3, 4, 6))
    assert np.lcm.reduce([c.cycle for c in found.present]) == np.lcm.reduce(period)
    assert all(p % d == 0 for c in found.everything for p, d in zip(period, c.period, strict=True))


def decoder(channels=8):
    """A video decoder of resize-convolutions: factors of 2 and 2 along time, of 8 along both others."""

    def conv(before, after):
        return nn.Conv3d(before, after, 3, padding=1, padding_mode="replicate")

    layers = [conv(4, channels)]
    for factor in ((1, 2, 2), (2, 2, 2), (2, 2, 2)):
        layers += [nn.Upsample(scale_factor=factor), conv(channels, channels), nn.SiLU()]
    return nn.Sequential(*layers, conv(channels, 3))


@pytest.mark.parametrize("seed", cases([0], range(1, 8)))
def test_a_slow_decoder_has_no_lattice_at_periods_it_cannot_leave(seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        values = np.moveaxis(decoder()(torch.randn(1, 4, 3, 12, 12)).numpy(), 1, -1)
    levels = 255 * (values - values.min()) / np.ptp(values)
    for found in batch_lattice(levels, range(2, 17)).everything:
        assert 8 % found.component.cycle == 0
    for component in measure(np.moveaxis(values, -1, 1)).images[0].found.everything:
        assert 8 % component.cycle == 0
