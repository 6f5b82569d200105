"""The counterfactual of a stage: all output phases alike."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from uncheck.probing.counterfactuals import evening
from uncheck.probing.evening import SAMPLES, even_phases
from uncheck.probing.replay import Replay
from uncheck.reading import CallKey, record


def lopsided(shape, stride, axes, seed=0):
    """Phases with their own means and variances."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator)
    for axis, s in zip(axes, stride, strict=True):
        index = torch.arange(shape[axis]) % s
        view = [-1 if a == axis else 1 for a in range(len(shape))]
        x = x * (1 + index).reshape(view) + 3 * index.reshape(view)
    return x


def hann(n):
    return [np.sin(np.pi * (i + 0.5) / n) ** 2 for i in range(n)]


def phase_statistics(x, axes, stride):
    """Naive oracle: Hann-weighted means and covariances of each phase, channel axis 1, pixel by pixel."""
    windows = [hann(x.shape[a]) for a in axes]
    values, weights = {}, {}
    for place in np.ndindex(*[x.shape[a] for a in axes]):
        phase = tuple(w % s for w, s in zip(place, stride, strict=True))
        for n in range(x.shape[0]):
            values.setdefault(phase, []).append(x[(n, slice(None), *place)].double().numpy())
            weights.setdefault(phase, []).append(np.prod([w[i] for w, i in zip(windows, place, strict=True)]))
    means = {p: np.average(v, axis=0, weights=weights[p]) for p, v in values.items()}
    covariances = {p: np.cov(np.array(v).T, aweights=weights[p], bias=True) for p, v in values.items()}
    return means, covariances


@pytest.mark.parametrize(
    ("shape", "stride"), [((2, 3, 96), (2,)), ((2, 2, 30, 36), (3, 2)), ((1, 2, 12, 12, 18), (2, 2, 3))]
)
def test_second_order_evens_means_and_covariances(shape, stride):
    axes = tuple(range(2, len(shape)))
    out = even_phases(lopsided(shape, stride, axes), axes, stride, second_order=True)
    means, covariances = phase_statistics(out, axes, stride)
    first = (0,) * len(stride)
    for phase in means:
        np.testing.assert_allclose(means[phase], means[first], rtol=0, atol=1e-4)
        np.testing.assert_allclose(covariances[phase], covariances[first], rtol=1e-3, atol=1e-3)


def test_first_order_evens_means_alone():
    axes, stride = (2, 3), (2, 2)
    x = lopsided((1, 2, 16, 16), stride, axes)
    means, covariances = phase_statistics(even_phases(x, axes, stride, second_order=False), axes, stride)
    _, before = phase_statistics(x, axes, stride)
    for phase in means:
        np.testing.assert_allclose(means[phase], means[0, 0], rtol=0, atol=1e-4)
        np.testing.assert_allclose(covariances[phase], before[phase], rtol=1e-4, atol=1e-4)


def test_the_oracle_sees_phases_that_were_not_evened():
    """Planted defect: evening with the wrong stride leaves the phases apart."""
    axes, stride = (2, 3), (2, 2)
    x = lopsided((1, 2, 24, 24), stride, axes)
    means, _ = phase_statistics(even_phases(x, axes, (3, 3), second_order=True), axes, stride)
    assert max(np.abs(means[p] - means[0, 0]).max() for p in means) > 1


def test_few_samples_even_variances_only():
    channels = 40
    assert SAMPLES * channels > 8 * 8 // 4
    out = even_phases(lopsided((1, channels, 8, 8), (2, 2), (2, 3)), (2, 3), (2, 2), second_order=True)
    _, covariances = phase_statistics(out, (2, 3), (2, 2))
    for covariance in covariances.values():
        np.testing.assert_allclose(np.diag(covariance), np.diag(covariances[0, 0]), rtol=1e-3, atol=1e-5)


def test_a_flat_map_stays_finite():
    """Variances that are rounding alone must not be blown up."""
    x = torch.full((1, 4, 32, 32), 7.0) + torch.tensor([0.0, 1e-6]).repeat(16)
    out = even_phases(x, (2, 3), (2, 2), second_order=True)
    assert float((out - x).abs().max()) < 1e-4


@given(seed=st.integers(0, 10**6), s=st.sampled_from([2, 3, 4]), shift=st.floats(-5, 5))
def test_evening_twice_is_evening_once(seed, s, shift):
    x = lopsided((1, 2, 12 * s, 12 * s), (s, s), (2, 3), seed) + shift
    once = even_phases(x, (2, 3), (s, s), second_order=True)
    twice = even_phases(once, (2, 3), (s, s), second_order=True)
    torch.testing.assert_close(twice, once, rtol=1e-3, atol=1e-3 * float(x.std()))


def test_channels_last_maps_are_evened_along_their_own_axes():
    x = lopsided((1, 3, 16, 16), (2, 2), (2, 3))
    first = even_phases(x, (2, 3), (2, 2), second_order=True)
    last = even_phases(x.permute(0, 2, 3, 1), (1, 2), (2, 2), second_order=True)
    torch.testing.assert_close(last.permute(0, 3, 1, 2), first, rtol=1e-4, atol=1e-4)


def test_axis_shorter_than_two_strides_is_left_alone():
    x = torch.randn(1, 2, 3, 3)
    assert even_phases(x, (2, 3), (2, 2), second_order=True) is x


def test_replay_without_edits_is_the_model_itself_and_with_edits_meets_the_call():
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConvTranspose2d(2, 4, 3, 2), nn.ReLU(), nn.Conv2d(4, 1, 3)).eval()
    x = torch.randn(1, 2, 12, 12)
    stages = record(model, x).stages
    edits = evening(stages, second_order=True)
    assert list(edits) == [CallKey("0", "conv_transpose2d", 0)]
    with torch.no_grad():
        plain = model(x)
        with Replay(model, {}):
            assert torch.equal(model(x), plain)
        with Replay(model, edits) as watcher:
            assert not torch.equal(model(x), plain)
        assert watcher.met == set(edits)
        assert torch.equal(model(x), plain)
