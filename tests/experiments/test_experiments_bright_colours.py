"""Local amplitude against the distance from a colour: planted lattices come out as they were planted."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "bright-colours")]

from bright_claims import correlation, peak  # noqa: E402
from colour_windows import against, dependence, shared_component, stacked, windows_of  # noqa: E402
from flat_colours import ripple_of  # noqa: E402
from lab.lattice import together  # noqa: E402
from lab.upsamplers import UPSAMPLERS  # noqa: E402

from uncheck.measuring.colour.brightness import brightness_dependence  # noqa: E402

#: The colour without a lattice, far from the mean colour of the planted pictures.
CLEAN = np.array([40.0, 60.0, 80.0])


def planted(kind):
    """(24, 48, 48, 3): flat patches of random colours, noise, rows that alternate as `kind` says."""
    rng = np.random.default_rng(0)
    colours = np.repeat(np.repeat(rng.uniform(30, 220, (24, 3, 3, 3)), 16, 1), 16, 2)
    sign = np.array([1.0, -1.0])[np.arange(48) % 2][None, :, None, None]
    distance = np.linalg.norm(colours - CLEAN, axis=-1, keepdims=True)
    amplitude = {"none": 0 * distance, "even": 3 + 0 * distance, "far from clean": 0.05 * distance}[kind]
    return (colours + sign * amplitude + rng.normal(0, 0.5, colours.shape)).astype(np.float32)


def test_growth_from_the_colour_without_a_lattice_is_found_with_its_slope():
    row = dependence(planted("far from clean"), 2, CLEAN)
    assert row["from_bias"]["slope"] == pytest.approx(0.05, rel=0.02)
    assert row["from_bias"]["correlation"] > 0.98
    assert row["from_bias"]["correlation"] > row["from_mean"]["correlation"] + 0.3


def test_a_lattice_alike_everywhere_does_not_grow():
    row = dependence(planted("even"), 2, CLEAN)
    assert row["amplitude"] == pytest.approx(3, rel=0.02)
    for which in ("from_bias", "from_mean"):
        assert abs(row[which]["slope"]) < 1e-3
        assert row[which]["near_over_far"] == pytest.approx(1, abs=0.03)


def test_the_distance_from_the_mean_colour_is_that_of_the_package():
    pictures = planted("far from clean")
    component = shared_component(pictures, 2)
    tower = stacked(pictures, component)
    windows = windows_of(tower, component)
    theirs, ours = brightness_dependence(tower, component).by_distance, against(windows, windows.mean)
    assert ours["slope"] == pytest.approx(theirs.slope, abs=1e-5)
    assert np.allclose(ours["bins"], [[b.position, b.amplitude] for b in theirs.bins], atol=6e-3)
    assert ours["bins"] != against(windows, CLEAN)["bins"]


def test_ripple_of_a_layer_on_flat_colour_is_the_amplitude_of_the_measure():
    torch.manual_seed(0)
    for name, period in (("deconv k3", 2), ("deconv k4", 2)):
        layer = UPSAMPLERS[name](3, 3)
        flat = torch.tensor([0.3, 0.6, 0.9]).view(1, 3, 1, 1).expand(1, 3, 40, 40)
        with torch.no_grad():
            inner = layer(flat)[..., 8:-8, 8:-8].repeat(2, 1, 1, 1)
        noisy = inner + 1e-3 * torch.randn(inner.shape)
        assert ripple_of(layer, flat, period)[1] == pytest.approx(together(noisy, (0, 1), 2), rel=0.02)


def test_a_wave_of_period_3_has_its_peak_amplitude():
    wave = torch.cos(2 * torch.pi * torch.arange(48) / 3).view(1, 1, 48, 1).expand(1, 1, 48, 48)
    shown, amplitude = ripple_of(torch.nn.Identity(), 0.5 + 0.1 * wave, 3)
    assert amplitude == pytest.approx(25.5, rel=1e-3)
    assert shown == pytest.approx([127.5])


def test_peak_and_correlation():
    assert peak([[0, 0, 0, 0], [1, 50, 4, 3], [2, 90, 8, 6], [4, 99, 16, 1.5]]) == (90, 0.25, 6)
    pairs = [(1.0, 2.0), (2.0, 1.0), (4.0, 7.0)]
    assert correlation(pairs) == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])
