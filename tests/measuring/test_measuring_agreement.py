"""Inspection, repair, `measure --set`, the metric and the tracker agree on which periods outputs show."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import released
from tiers import cases
from uncheck.measuring import measure
from uncheck.measuring.batches import Outputs, batch_lattice, interior
from uncheck.measuring.brought import certain_periods
from uncheck.measuring.components import SIGNIFICANCE
from uncheck.measuring.observed import observe
from uncheck.reading.outputs import maps_in
from uncheck.training import LatticeMetric, LatticeTracker

SPAN = (0.0, 255.0)


def network(seed):
    """A decoder of one to three stages of any kind and random weights, and how many inputs it gets."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    width, layers = 4, []
    for _ in range(int(rng.integers(1, 4))):
        kind, s = rng.choice(["transposed", "even", "nearest", "shuffle"]), int(rng.choice([2, 2, 3]))
        if kind in ("transposed", "even"):
            layers.append(nn.ConvTranspose2d(width, 6, 2 * s if kind == "even" else 3, s, 1))
        elif kind == "nearest":
            layers += [nn.Upsample(scale_factor=s), nn.Conv2d(width, 6, 3, 1, 1)]
        else:
            layers += [nn.Conv2d(width, 6 * s * s, 3, 1, 1), nn.PixelShuffle(s)]
        layers.append(rng.choice([nn.ReLU(), nn.Tanh(), nn.Identity()]))
        width = 6
    colours = int(rng.choice([1, 3]))
    return nn.Sequential(*layers, nn.Conv2d(width, colours, 3, 1, 1)).eval(), int(rng.choice([1, 2, 5, 9]))


def outputs_of(seed):
    """Grey levels (N, H, W, C): the network's, in noise that hides its lattice to an extent of its own."""
    model, count = network(seed)
    with torch.no_grad():
        made = model(torch.randn(count, 4, 24, 22)).movedim(1, -1).numpy()[:, :100, :96]
    rng = np.random.default_rng(seed)
    made = (made - made.mean()) / max(float(made.std()), 1e-6) * 10 ** rng.uniform(-1.0, 1.3)
    return (128 + made + rng.normal(0, 6, made.shape)).clip(0, 255).astype(np.float32)


def cycles(found):
    periods = [c.period for c in found] + [p for c in found for p, _ in c.harmonics]
    return {int(np.lcm.reduce(period)) for period in periods}


def everyone(levels, periods, folder, images=False):
    """The significant periods of outputs (N, *spatial, C) by each of those who say so."""
    tensor = torch.from_numpy(np.moveaxis(levels, -1, 1).copy())
    paths = []
    for i, one in enumerate(levels):
        path = folder / f"{i}.{'png' if images else 'npy'}"
        if images:
            Image.fromarray(one.astype(np.uint8)[..., 0 if one.shape[-1] == 1 else slice(None)]).save(path)
        else:
            np.save(path, one)
        paths.append(path)
    parts = Outputs(periods)
    for batch in np.array_split(levels, min(3, len(levels))):
        parts.add(batch)
    metric = LatticeMetric(periods, span=SPAN)
    for batch in tensor.split(2):
        metric.update(batch)
    found = {name: value.item() for name, value in metric.compute().items()}
    tested = [p for p in periods if f"strength_{p}" in found]
    tracked = LatticeTracker(every=1, periods=periods, span=SPAN, visible=1e9).step(tensor)
    together = measure(paths, periods=periods, together=True, span=None if images else SPAN).together
    return {
        "inspect": cycles(one.component for one in batch_lattice(levels, periods).everything),
        "inspect, batch by batch": cycles(one.component for one in parts.lattice().everything),
        "repair": set(certain_periods(levels, None, periods)),
        "the judge": observe(interior(levels), periods).periods,
        "measure --set": cycles(together.found.everything),
        "the metric": {p for p in tested if found[f"strength_{p}"] > 0},
        "the metric's p": {p for p in tested if found[f"p_value_{p}"] < SIGNIFICANCE},
        "the tracker": {p for p, strength in tracked.strengths.items() if strength > 0},
        "the tracker's p": {p for p, value in tracked.p_values.items() if value < SIGNIFICANCE},
    }


def assert_agreed(answers):
    assert len({frozenset(one) for one in answers.values()}) == 1, answers


@pytest.mark.parametrize("seed", cases(range(3), range(3, 40)))
def test_all_agree_on_random_networks(seed, tmp_path):
    periods = (2, 3, 4, 6, 8)
    assert_agreed(everyone(outputs_of(seed), periods, tmp_path))


@pytest.mark.parametrize("seed", cases([40], range(41, 50)))
def test_all_agree_on_pictures_in_8_bits(seed, tmp_path):
    assert_agreed(everyone(np.rint(outputs_of(seed)), (2, 3, 4, 6, 8), tmp_path, images=True))


@pytest.mark.integration
def test_the_networks_show_all_there_is_to_agree_on():
    seen = [frozenset(observe(interior(outputs_of(seed)), (2, 3, 4, 6, 8)).periods) for seed in range(40)]
    assert frozenset() in seen
    assert len(set(seen)) > 5


def test_another_border_would_show(tmp_path):
    # Planted: the metric once kept the border, where padding leaves its own.
    levels = np.random.default_rng(0).normal(128, 4, (6, 64, 64, 1)).astype(np.float32)
    levels[:, ::5, :4] += 60
    levels[:, ::5, -4:] += 60
    assert_agreed(everyone(levels, (5,), tmp_path))
    assert observe(levels, (5,)).periods == {5}
    assert observe(interior(levels), (5,)).periods == set()


@pytest.mark.integration
@pytest.mark.parametrize(
    "name",
    [*released.BUNDLED, "cwgan_mnist", "dcgan_svhn", "style_rain_princess", "upconv7_photo"],
)
def test_all_agree_on_released_networks(name, tmp_path):
    with torch.no_grad():
        made = released.load(name).eval()(released.example_input(name))
    tensor = max((one for _, one in maps_in(made, 2, strict=True)), key=torch.Tensor.numel)
    values = tensor.float().movedim(1, -1).numpy()
    low, high = float(values.min()), float(values.max())
    levels = (255 * (values - low) / (high - low)).astype(np.float32)
    assert_agreed(everyone(levels, (2, 3, 4, 8), tmp_path))
