"""docs/conventions.md says what the numbers mean; these tests hold the code to it."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import uncheck
from uncheck.measuring import batches, find_lattice, lattice, to_levels
from uncheck.measuring.checks import UNEXPLAINED
from uncheck.measuring.coherence import AGREE, ENOUGH
from uncheck.measuring.sets import VISIBLE_IN_SETS
from uncheck.phases import (
    from_conv,
    from_conv_transpose,
    from_resize,
    gain_spread,
    phase_gains,
    strang_fix_order,
)
from uncheck.probing import backward
from uncheck.probing.assembly import ORDER_TOLERANCE
from uncheck.signals import levels

PAGE = (Path(__file__).parents[1] / "docs" / "conventions.md").read_text(encoding="utf-8")


def scene(height=96, width=96):
    return np.random.default_rng(0).normal(128, 1, (height, width, 1))


def test_phase_zero_is_the_first_output_pixel_after_the_crop():
    assert uncheck.overlap(3, 2, 1).taps_per_phase == (2, 1)
    assert uncheck.overlap(3, 2, 1, padding=1).taps_per_phase == (1, 2)
    middle = F.conv_transpose1d(torch.ones(1, 1, 9), torch.ones(1, 1, 3), stride=2, padding=1)[0, 0, 4:6]
    assert middle.tolist() == [1, 2]


def test_transposed_weights_stand_as_they_are_and_plain_ones_are_flipped():
    weight = torch.tensor([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]])
    assert torch.equal(from_conv_transpose(weight, None, stride=2).weight, weight.transpose(0, 1))
    assert torch.equal(from_conv(weight, None).weight, weight.flip(-1))


def test_phase_gains_sum_the_taps_of_a_phase():
    kernel = from_conv_transpose(torch.tensor([[[1.0, 2.0, 3.0]]]), None, stride=2)
    assert phase_gains(kernel).flatten().tolist() == [4.0, 2.0]
    assert gain_spread(kernel) == pytest.approx(np.sqrt(2 / 20))
    assert strang_fix_order(kernel, 1e-3) == 0


def test_axes_are_height_then_width():
    columns = np.arange(96)
    striped = scene() + 5 * np.cos(2 * np.pi * columns / 4)[None, :, None]
    assert [c.period for c in find_lattice(striped).present] == [(1, 4)]
    assert uncheck.overlap((3, 4), 2).axis_taps == ((2, 1), (2, 2))


def test_amplitude_is_the_peak_of_a_sinusoid_and_of_a_checkerboard():
    y, x = np.mgrid[:96, :96]
    wave = 5 * np.cos(2 * np.pi * (x / 4 + 0.1))
    (found,) = find_lattice(scene() + wave[..., None]).present
    assert found.amplitude == pytest.approx(5, abs=0.1)
    assert found.lines[0].frequency in ((0.0, 0.25), (0.0, 0.75))
    checkers = 5 * (-1.0) ** (x + y)
    (found,) = find_lattice(scene() + checkers[..., None]).present
    assert found.amplitude == pytest.approx(5, abs=0.1)


def test_lines_of_one_period_add_as_squares_and_so_do_periods():
    y, x = np.mgrid[:96, :96]
    cross = 3 * np.cos(np.pi * x / 2) + 4 * np.cos(np.pi * y / 2) + 12 * (-1.0) ** (x + y)
    found = find_lattice(scene() + cross[..., None])
    assert {c.period: round(c.amplitude) for c in found.present} == {(2, 2): 12, (4, 4): 5}
    assert found.strength == pytest.approx(13, abs=0.2)


def test_grey_levels_run_from_0_to_255():
    values = np.array([-1.0, 0.0, 1.0])
    assert to_levels(values, (-1, 1)).tolist() == [0, 127.5, 255]
    assert to_levels(np.array([0, 65535], np.uint16)).tolist() == [0, 255]


def test_resizes_have_half_pixel_centres():
    x = torch.rand(1, 1, 12)
    expected = F.interpolate(x, scale_factor=3, mode="linear", align_corners=False)
    ours = from_resize(1, 3, "linear", ndim=1)
    assert torch.allclose(ours.apply(x)[..., 6:-6], expected[..., 6:-6], rtol=0, atol=1e-6)
    assert strang_fix_order(ours, 1e-3) == 2


def test_overlap_does_not_look_at_weights():
    model = torch.nn.ConvTranspose2d(1, 1, 4, stride=2)
    stage = uncheck.inspect(model, torch.rand(1, 1, 40, 40)).to_dict()["stages"][0]
    assert stage["overlap"] == "even"
    assert stage["gain_spread"] > 0.1


def test_the_page_gives_the_numbers_of_the_code():
    red, green, blue = levels.LUMA
    for said in (
        f"the threshold ({lattice.VISIBLE} levels by default, {VISIBLE_IN_SETS} for sets)",
        f"more than {UNEXPLAINED} of its power unexplained",
        f"Below {lattice.SIGNIFICANCE} a line is significant",
        f"{backward.LEVELS_PER_SIGMA} grey levels are one standard deviation of the gradient",
        f"{red} R + {green} G + {blue} B",
    ):
        assert said in PAGE
    assert AGREE == 1e-6
    assert f"in pictures of {ENOUGH} windows or more the windows agree on its phase (p below 1e-6)" in PAGE
    assert batches.MARGIN == 1 / 16
    assert "a sixteenth of each axis at either end" in PAGE
    assert ORDER_TOLERANCE == 1e-3
    assert "with relative tolerance 1e-3" in PAGE
