"""Tapered Fourier coefficients along axes and at low frequencies, in batches and as tensors."""

import numpy as np
import pytest
import torch

from oracles.measuring_naive import naive_spectrum
from uncheck.errors import UncheckError
from uncheck.measuring import eigenspectra as room
from uncheck.measuring import find_lattice, measure
from uncheck.measuring.eigenspectra import eigenspectra, window_sums
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_fit
from uncheck.measuring.passes import AxialPass, FullPass, LowPass

WINDOWS = {1: [(13.0, 24)], 2: [(3.0, 5)] * 2, 3: [(2.0, 3)] * 3}
SHAPES = [((400,), 1), ((401,), 3), ((131, 150), 3), ((128, 97), 1), ((30, 37, 41), 1)]
PERIODS = (2, 3, 5, 9, 17, 24, 31)


def noise(shape, seed):
    values = np.random.default_rng(seed).normal(size=shape) * 10
    return (values - values.mean(axis=tuple(range(1, values.ndim - 1)), keepdims=True)).astype(np.float32)


def ranges(scheme):
    """(pass, indices of its lines) in order."""
    start = 0
    for one in scheme.passes:
        count = sum(map(len, one.numerators)) if isinstance(one, AxialPass) else len(one.bins)
        yield one, range(start, start + count)
        start += count
    assert start == len(scheme.frequencies)


def lines_of(scheme, kind):
    return [i for one, where in ranges(scheme) for i in where if isinstance(one, kind)]


def wave(shape, frequency, mu):
    angle = 2 * np.pi * sum(f * n for f, n in zip(frequency, np.indices(shape), strict=True))
    return (2 * (mu * np.exp(1j * angle)).real).astype(np.float32)


@pytest.mark.parametrize(("shape", "channels"), SHAPES)
def test_a_batch_equals_its_arrays_one_by_one(shape, channels):
    batch, scheme = noise((3, *shape, channels), 1), plan(shape, PERIODS)
    together = eigenspectra(batch, scheme)
    assert together.shape == (3, len(scheme.frequencies), channels, scheme.sums.shape[-1])
    for one, spectra in zip(batch, together, strict=True):
        np.testing.assert_allclose(eigenspectra(one[None], scheme)[0], spectra, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("shape", "channels"), SHAPES)
def test_tensors_equal_arrays(shape, channels):
    batch, scheme = noise((2, *shape, channels), 2), plan(shape, PERIODS)
    ours = eigenspectra(batch, scheme)
    theirs = eigenspectra(torch.tensor(batch), scheme)
    assert theirs.dtype == torch.complex64
    # Noise of 10 levels has coefficients of about 10.
    np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-4, atol=1e-4)
    double = eigenspectra(torch.tensor(batch, dtype=torch.float64), scheme)
    np.testing.assert_allclose(double.numpy(), ours, rtol=1e-4, atol=1e-4)


def test_no_periods_give_no_lines():
    assert eigenspectra(noise((2, 12, 12, 3), 0), plan((12, 12), (64,))).shape[:3] == (2, 0, 3)


@pytest.mark.parametrize("shape", [(130, 121), (101, 96)])
@pytest.mark.parametrize("channels", [1, 3])
def test_lines_along_an_axis_agree_with_naive(shape, channels):
    array = noise((1, *shape, channels), 3)
    scheme = plan(shape, (9, 10, 17, 23))
    spectra, chosen = eigenspectra(array, scheme)[0], lines_of(scheme, AxialPass)
    assert {axis for i in chosen for axis in np.flatnonzero(scheme.frequencies[i])} == set(range(len(shape)))
    for i in chosen[:: 1 + len(chosen) // 8]:
        slow = naive_spectrum(array[0], scheme.frequencies[i], WINDOWS[len(shape)])
        np.testing.assert_allclose(spectra[i], slow, rtol=1e-4, atol=1e-3)


def test_all_lines_of_long_periods_in_one_dimension_agree_with_naive():
    array = noise((1, 700, 2), 4)
    scheme = plan((700,), (45,))
    assert all(isinstance(one, FullPass) for one in scheme.passes)
    for i in range(0, len(scheme.frequencies), 4):
        slow = naive_spectrum(array[0], scheme.frequencies[i], WINDOWS[1])
        np.testing.assert_allclose(eigenspectra(array, scheme)[0, i], slow, rtol=1e-4, atol=1e-3)


def low_error(shape, period):
    """Largest relative error of the complex amplitude of injected low lines of the period."""
    scheme, mu = plan(shape, (period,)), 3 * np.exp(0.7j)
    chosen = lines_of(scheme, LowPass)
    worst = 0.0
    for i in chosen[:: 1 + len(chosen) // 6]:
        array = wave(shape, scheme.frequencies[i], mu)[None, ..., None]
        fitted, _, _ = line_fit(eigenspectra(array, scheme)[:, i : i + 1], window_sums(shape))
        worst = max(worst, abs(complex(fitted[0, 0, 0]) - mu) / abs(mu))
    return worst


# Sides of no whole number of shrunk pixels too.
@pytest.mark.parametrize(
    ("shape", "period"),
    [
        ((127, 131), 17),
        ((143, 160), 31),
        ((160, 155), 37),
        ((256, 256), 64),
        ((263, 271), 61),
        ((63, 65, 70), 9),
    ],
)
def test_low_lines_keep_amplitude_and_phase(shape, period):
    assert low_error(shape, period) < 0.02


def test_defects_of_the_low_lines_are_caught(monkeypatch):
    right = room._direct
    defects = {
        "no response": lambda m, r: (m, np.ones_like(r)),
        "conjugated response": lambda m, r: (m, r.conj()),
        "wrong sign": lambda m, r: (m.conj(), r),
        "no phase": lambda m, r: (m, np.abs(r)),
    }
    assert low_error((143, 160), 31) < 0.02
    for name, spoil in defects.items():
        monkeypatch.setattr(room, "_direct", lambda *args, spoil=spoil: spoil(*right(*args)))
        assert low_error((143, 160), 31) > 0.02, name


def test_defects_of_the_lines_along_an_axis_are_caught(monkeypatch):
    array = noise((1, 101, 96, 1), 3)
    scheme = plan((101, 96), (17,))
    i = lines_of(scheme, AxialPass)[1]
    slow = naive_spectrum(array[0], scheme.frequencies[i], WINDOWS[2])
    right = room._dft
    monkeypatch.setattr(room, "_dft", lambda *args: right(*args).conj())
    assert np.abs(eigenspectra(array, scheme)[0, i] - slow).max() > 1
    monkeypatch.setattr(room, "_dft", lambda *args: np.abs(right(*args)))
    assert np.abs(eigenspectra(array, scheme)[0, i] - slow).max() > 1


@pytest.mark.parametrize("period", [17, 25, 48, 49, 64])
def test_white_noise_of_the_low_lines_stays_within_the_stated_bound(period):
    shape = (256, 264)
    scheme = plan(shape, (period,))
    spectra = eigenspectra(np.random.default_rng(1).normal(size=(4, *shape, 1)).astype(np.float32), scheme)
    power = (np.abs(spectra) ** 2).mean(axis=(0, 2, 3))
    chosen = lines_of(scheme, LowPass)
    # Block sums of white noise are white; undoing what they did to a line amplifies it.
    expected, most = [], []
    for i in chosen:
        f = np.minimum(scheme.frequencies[i], 1 - scheme.frequencies[i])
        one = next(o for o, where in ranges(scheme) if i in where)
        kept = np.sinc(f * one.shrink) / np.sinc(f)
        expected.append(float(np.prod(1 / kept**2)))
        most.append(1.2 if np.rint(f * period).max() == 1 else 5.5)
    assert (np.array(expected) <= most).all()
    # 25 tapers of four arrays: a power has a standard deviation of a tenth.
    assert np.abs(power[chosen] / expected - 1).max() < 0.5
    assert np.mean(power[chosen] / expected) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("shape", [(1, 50), (2, 50), (3, 50), (50, 1), (4, 4), (1, 1), (1, 2, 40)])
def test_thin_arrays_have_lines_along_their_long_axis(shape):
    array, scheme = noise((1, *shape, 2), 1), plan(shape, (2, 5))
    spectra = eigenspectra(array, scheme)
    assert spectra.shape[1] == len(scheme.frequencies)
    assert scheme.tested == ((2, 5) if max(shape) > 4 else (2,) if max(shape) == 4 else ())
    assert np.isfinite(spectra).all()
    if scheme.tested:
        assert spectra.shape[-1] == scheme.sums.shape[-1]


def checks(shape, seed):
    pattern = (-1.0) ** np.indices(shape).sum(axis=0)[..., None]
    return np.random.default_rng(seed).normal(128, 10, (*shape, 3)) + 5 * pattern


def test_types_and_layouts_agree():
    array = checks((96, 100), 1)
    expected = find_lattice(array.astype(np.float32))
    assert [c.period for c in expected.present] == [(2, 2)]
    swapped = np.ascontiguousarray(array.swapaxes(0, 1)).swapaxes(0, 1)
    padded = np.zeros((192, 200, 6))
    padded[::2, ::2, :3] = array
    for other in (array, np.asfortranarray(array), swapped, padded[::2, ::2, :3], torch.tensor(array)):
        found = find_lattice(other)
        assert [c.period for c in found.present] == [(2, 2)]
        assert found.strength == pytest.approx(expected.strength, rel=1e-4)
    assert find_lattice(array.astype(np.float16)).strength == pytest.approx(expected.strength, rel=0.01)
    assert find_lattice(array + 1e6).strength == pytest.approx(expected.strength, rel=0.01)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4000), (4000, 4), (2, 300), (1, 300), (300, 1), (3, 5)])
def test_tiny_and_long_pictures_are_measured(shape):
    noisy = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for periods in (range(2, 17), range(2, 65), (17,), (64,)):
        (image,) = measure(noisy, periods=periods).images
        assert image.verdict == "clean"
        assert len(image.found.tested) + len(image.found.not_tested) == len(periods)
    if max(shape) == 4000:
        striped = measure(np.clip(checks(shape, 1), 0, 255).astype(np.uint8)).images[0]
        assert [c.period for c in striped.found.present] == [(2, 2)]


@pytest.mark.parametrize("made", [np.where(np.indices((90, 80))[1] % 80 < 40, 0, 255), np.eye(90, 80) * 255])
def test_saturated_pictures_are_clean(made):
    assert measure(made.astype(np.uint8)).verdict == "clean"


def test_dead_and_equal_channels():
    array = checks((90, 100), 2)
    dead = array.copy()
    dead[..., 1] = 7
    assert [c.period for c in find_lattice(dead).present] == [(2, 2)]
    grey = array[..., :1].repeat(3, axis=-1)
    same, one = find_lattice(grey), find_lattice(array[..., :1])
    assert same.strength == pytest.approx(one.strength, rel=1e-3)


def test_arrays_of_nothing():
    for shape in ((20, 20, 0), (0, 20, 3)):
        with pytest.raises(UncheckError, match="expected numbers, got an array of shape"):
            find_lattice(np.zeros(shape))
