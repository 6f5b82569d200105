"""The counterfactual of a stage: all output phases alike."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from uncheck.probing.even import SAMPLES, Replay, even_phases, evening
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


def phase_statistics(x, axes, stride, skip):
    """Naive oracle: means and covariances of each phase, channel axis 1, pixel by pixel."""
    out = {}
    spatial = [range(skip, x.shape[a] - skip) for a in axes]
    for place in np.ndindex(*[len(r) for r in spatial]):
        where = tuple(r[i] for r, i in zip(spatial, place, strict=True))
        phase = tuple(w % s for w, s in zip(where, stride, strict=True))
        for n in range(x.shape[0]):
            out.setdefault(phase, []).append(x[(n, slice(None), *where)].double().numpy())
    means = {p: np.mean(v, axis=0) for p, v in out.items()}
    covariances = {p: np.cov(np.array(v).T, bias=True) for p, v in out.items()}
    return means, covariances


@pytest.mark.parametrize(
    ("shape", "stride"), [((2, 3, 96), (2,)), ((2, 2, 30, 36), (3, 2)), ((1, 2, 12, 12, 12), (2, 2, 3))]
)
def test_second_order_evens_means_and_covariances(shape, stride):
    axes = tuple(range(2, len(shape)))
    out = even_phases(lopsided(shape, stride, axes), axes, stride, second_order=True)
    skip = 0  # axes this short have no border left out: size / 16 is less than a stride
    means, covariances = phase_statistics(out, axes, stride, skip)
    first = means[(0,) * len(stride)], covariances[(0,) * len(stride)]
    rest = [n // 16 // s * s for n, s in zip(shape[2:], stride, strict=True)]
    tolerance = 1e-3 if max(rest) == 0 else 0.8
    for phase in means:
        np.testing.assert_allclose(means[phase], first[0], rtol=0, atol=tolerance)
        np.testing.assert_allclose(covariances[phase], first[1], rtol=tolerance, atol=tolerance)


def test_first_order_evens_means_alone():
    axes, stride = (2, 3), (2, 2)
    x = lopsided((1, 2, 16, 16), stride, axes)
    out = even_phases(x, axes, stride, second_order=False)
    means, covariances = phase_statistics(out, axes, stride, 0)
    _, before = phase_statistics(x, axes, stride, 0)
    for phase in means:
        np.testing.assert_allclose(means[phase], means[(0, 0)], rtol=0, atol=0.4)
        np.testing.assert_allclose(covariances[phase], before[phase], rtol=1e-4, atol=1e-4)


def test_few_samples_even_variances_only():
    channels = 40
    assert SAMPLES * channels > 8 * 8 // 4
    x = lopsided((1, channels, 8, 8), (2, 2), (2, 3))
    out = even_phases(x, (2, 3), (2, 2), second_order=True)
    deviations = [out[:, :, i::2, j::2].var(dim=(0, 2, 3), correction=0) for i in (0, 1) for j in (0, 1)]
    for d in deviations:
        torch.testing.assert_close(d, deviations[0], rtol=1e-3, atol=1e-5)


@settings(max_examples=25, deadline=None)
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
