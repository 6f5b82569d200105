"""Masks: what is filled is smooth and of the range of the rest; transparent pixels are masked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from uncheck import measure
from uncheck.errors import UncheckError
from uncheck.signals.files import read_signals
from uncheck.signals.items import items
from uncheck.signals.masks import filled
from uncheck.signals.signal import Given


def masked(shape, seed, share):
    rng = np.random.default_rng(seed)
    values = rng.normal(100, 30, (*shape, 2)).astype(np.float32)
    mask = rng.random(shape) < share
    mask.flat[int(rng.integers(mask.size))] = True
    return values, mask


@given(st.lists(st.integers(1, 17), min_size=1, max_size=3), st.integers(0, 10**6), st.floats(0.02, 0.98))
def test_measured_values_stay_and_others_are_means_of_them(shape, seed, share):
    values, mask = masked(tuple(shape), seed, share)
    values[~mask] = np.nan
    out = filled(values, mask)
    assert (out[mask] == values[mask]).all()
    for channel in range(2):
        low, high = values[mask][:, channel].min(), values[mask][:, channel].max()
        assert low - 1e-3 <= out[..., channel].min() <= out[..., channel].max() <= high + 1e-3


def test_what_was_there_does_not_matter():
    values, mask = masked((20, 30), 1, 0.5)
    other = values.copy()
    other[~mask] = 1e30
    assert (filled(values, mask) == filled(other, mask)).all()


def test_nothing_is_masked_or_all():
    values, mask = masked((6, 7), 2, 0.5)
    assert filled(values, np.ones_like(mask)) is values
    assert not filled(values, np.zeros_like(mask)).any()


@pytest.mark.parametrize("shape", [(64, 64), (61, 70)])
def test_the_fill_has_no_power_at_a_lattice_and_no_edge(shape):
    y, x = np.indices(shape)
    mask = (y - 30) ** 2 + (x - 30) ** 2 < 25**2
    values = (100 + y + 0.5 * x + 20 * (-1.0) ** (x + y))[..., None].astype(np.float32)

    def outside(made):
        line = made[..., 0] * (-1.0) ** (x + y)
        return abs(line[~mask].mean())

    def step(made):
        # Two samples on each side of the border, so that the lattice itself does not count.
        rows = made[29:31, :, 0].mean(axis=0)
        return abs(rows[56:58].mean() - rows[53:55].mean())

    made = filled(values, mask)
    assert outside(made) < 0.5
    assert step(made) < 6
    # Planted: a constant instead has an edge.
    constant = np.where(mask[..., None], values, 0)
    assert step(constant) > 50


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_of_files_are_masked(tmp_path, mode):
    rng = np.random.default_rng(3)
    hidden = np.indices((40, 48)).sum(axis=0) < 30
    colour = rng.integers(1, 256, (40, 48, 3), dtype=np.uint8)
    if mode == "P":
        image = Image.fromarray(np.where(hidden, 0, 1 + colour[..., 0] % 7).astype(np.uint8), "P")
        image.putpalette(rng.integers(0, 256, 24).tolist())
        image.save(tmp_path / "a.png", transparency=0)
    else:
        alpha = np.where(hidden, 0, rng.integers(1, 256, hidden.shape)).astype(np.uint8)
        bands = colour if mode == "RGBA" else colour[..., :1]
        Image.fromarray(np.dstack([bands, alpha])).save(tmp_path / "a.png")
    (signal,) = read_signals(str(tmp_path / "a.png"), Given())
    assert (signal.mask == ~hidden).all()
    assert signal.notes == (f"{100 * hidden.mean():.0f} % of it is transparent and was left out.",)
    assert signal.values.shape == (40, 48, 1 if mode == "LA" else 3)


def test_transparent_pixels_of_arrays_are_masked_and_opaque_ones_are_not():
    sprite = np.full((2, 32, 32, 4), 200, np.uint8)
    sprite[0, :20, :, 3] = 0
    first, second = (item.signals()[0] for item in items(sprite, Given()))
    assert first.mask.mean() == 12 / 32
    assert second.mask is None
    floats = np.moveaxis(np.full((32, 32, 4), 0.5, np.float32), -1, 0).copy()
    floats[3, 5, 6] = 0
    assert np.argwhere(~items(floats, Given())[0].signals()[0].mask).tolist() == [[5, 6]]


def test_all_transparent_is_an_error():
    with pytest.raises(UncheckError, match=r"it has 1024 pixels, transparent .* take the alpha channel"):
        items(np.zeros((32, 32, 4), np.uint8), Given())[0].signals()


def test_what_is_hidden_does_not_change_the_verdict():
    rng = np.random.default_rng(4)
    y, x = np.indices((128, 128))
    sprite = np.dstack([rng.normal(120, 6, (128, 128, 3)), np.full((128, 128), 255)])
    sprite[..., :3] += 3 * (-1.0) ** (x + y)[..., None]
    sprite[(y - 64) ** 2 + (x - 64) ** 2 > 50**2, 3] = 0
    black, noisy = sprite.astype(np.uint8), sprite.astype(np.uint8)
    black[black[..., 3] == 0] = 0
    noisy[noisy[..., 3] == 0, :3] = rng.integers(0, 256, (int((noisy[..., 3] == 0).sum()), 3))
    first, second = measure([black, noisy]).images
    assert first.verdict == second.verdict == "lattice"
    assert first.strength == pytest.approx(3, rel=0.1)
    assert first.strength == pytest.approx(second.strength, rel=1e-3)
