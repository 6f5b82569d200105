"""PSNR and SSIM against scikit-image, sums over windows, and planted differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles.repair_naive import ssim_naive
from tiers import examples
from uncheck.errors import UncheckError
from uncheck.judging import similarity
from uncheck.judging.similarity import psnr, psnr_of, squared_error, ssim

metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")


def pair(seed, shape=(48, 40, 3)):
    rng = np.random.default_rng(seed)
    one = np.cumsum(rng.normal(size=shape), axis=0) * 10 + 120
    return one.astype(np.float32), (one + rng.normal(size=shape) * 8).astype(np.float32)


def theirs(one, two):
    a, b = (np.clip(x[8:-8, 8:-8].astype(float), 0, 255) for x in (one, two))
    return metrics.structural_similarity(
        a, b, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    ), metrics.peak_signal_noise_ratio(a, b, data_range=255)


@given(st.integers(0, 2**32 - 1))
@examples(5, 20)
def test_both_equal_scikit_image(seed):
    one, two = pair(seed)
    alike, ratio = theirs(one, two)
    assert ssim(one[None], two[None]) == pytest.approx(alike, abs=1e-10)
    assert psnr(one[None], two[None]) == pytest.approx(ratio, abs=1e-9)


def test_ssim_equals_the_sum_over_windows():
    one, two = pair(0, (32, 32, 1))
    inner = (x[8:-8, 8:-8].clip(0, 255) for x in (one, two))
    assert ssim(one[None], two[None]) == pytest.approx(ssim_naive(*inner), abs=1e-10)


@pytest.mark.parametrize(("name", "value"), [("SIGMA", 1.7), ("C2", 50.0), ("REACH", 4)])
def test_planted_defects_are_caught(monkeypatch, name, value):
    one, two = pair(1)
    monkeypatch.setattr(similarity, name, value)
    assert abs(ssim(one[None], two[None]) - theirs(one, two)[0]) > 1e-5


def test_equal_pictures():
    one, _ = pair(2)
    assert psnr(one[None], one[None]) == pytest.approx(144.494, abs=1e-3)
    assert ssim(one[None], one[None]) == 1


def test_borders_and_what_no_viewer_shows_do_not_count():
    one, _ = pair(3)
    other = one.copy()
    other[:8], other[-8:] = 0, 255
    assert psnr(one[None], other[None]) > 144
    white = np.full((1, 20, 20, 1), 255, np.float32)
    assert psnr(white, white + 40) > 144


def test_several_pictures_together():
    one, two = (np.stack(each) for each in zip(pair(4), pair(5), strict=True))
    errors = [squared_error(a[None], b[None]) for a, b in zip(one, two, strict=True)]
    assert psnr_of(*errors) == pytest.approx(psnr(one, two), abs=1e-9)
    mean = [ssim(a[None], b[None]) for a, b in zip(one, two, strict=True)]
    assert ssim(one, two) == pytest.approx(np.mean(mean), abs=1e-12)


def test_small_sounds_and_volumes_have_a_similarity():
    rng = np.random.default_rng(0)
    for shape in ((1, 9, 9, 1), (1, 400, 1), (1, 20, 20, 20, 1)):
        one = rng.uniform(0, 255, shape).astype(np.float32)
        assert ssim(one, one) == pytest.approx(1)
        assert ssim(one, one[:, ::-1]) < 0.5


def test_other_shapes_are_named():
    with pytest.raises(UncheckError, match="cannot be compared; give equal ones"):
        psnr(np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 8, 8, 1), np.float32))
