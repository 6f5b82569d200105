"""Inputs made like the given ones keep shape, type and range, and are what they say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tiers import examples
from uncheck.probing import made_up
from uncheck.probing.alike import Alike
from uncheck.probing.axes import spatial_axes
from uncheck.probing.changes import Change, changed, moved

DTYPES = (torch.float32, torch.float64, torch.float16, torch.int64, torch.uint8)


def values(shape, dtype, seed=0, low=-1.0, high=3.0):
    generator = torch.Generator().manual_seed(seed)
    if dtype in (torch.int64, torch.uint8):
        return torch.randint(0, 200, shape, generator=generator, dtype=dtype)
    smooth = torch.rand(shape, generator=generator).cumsum(-1)
    return (smooth / smooth.max() * (high - low) + low).to(dtype)


@given(
    st.integers(1, 3),
    st.lists(st.sampled_from([1, 2, 7, 8, 16, 20]), min_size=0, max_size=3),
    st.sampled_from(DTYPES),
    st.integers(1, 9),
)
@examples(25, 200)
def test_they_keep_shape_type_and_range(samples, sizes, dtype, count):
    x = values((samples, 3, *sizes), dtype)
    (made,) = Alike((x,))(count)
    assert made.shape == (count, *x.shape[1:])
    assert made.dtype == x.dtype
    assert made.min() >= x.min()
    assert made.max() <= x.max()
    assert torch.isfinite(made.double()).all()


def test_they_are_always_the_same_and_go_on():
    x = made_up((2, 3, 32, 32))
    one, two = Alike((x,)), Alike((x,))
    whole = one(6)[0]
    assert torch.equal(whole, torch.cat([two(2)[0], two(4)[0]]))
    assert len({float(m.double().sum()) for m in whole}) == 6


def test_what_goes_with_a_sample_stays_with_it():
    x = made_up((3, 3, 16, 16))
    x = x / x.amax(dim=(1, 2, 3), keepdim=True) + torch.tensor([0.0, 10.0, 20.0]).reshape(3, 1, 1, 1)
    time, text = torch.tensor([0, 1, 2]), torch.arange(3.0).reshape(3, 1).expand(3, 7)
    mask = (x > x.mean(dim=(1, 2, 3), keepdim=True))[:, :1].float()
    new, new_time, new_text, new_mask, flag, scalar = Alike((x, time, text, mask, "flag", torch.tensor(4.0)))(
        9
    )
    assert (new.mean(dim=(1, 2, 3)) / 10).round().sub(0).int().tolist() == new_time.tolist()
    assert torch.equal(new_text[:, 0], new_time.float())
    assert flag == "flag"
    assert scalar == 4.0
    assert set(new_mask.unique().tolist()) <= {0.0, 1.0}
    # The mask moves with its picture: the brightest pixels, whatever the contrast, are still those that it
    # marks, but for its edges.
    same = []
    for picture, marked in zip(new[:, 0].double(), new_mask[:, 0] > 0.5, strict=True):
        middle = picture.flatten().quantile(1 - float(marked.double().mean()))
        same.append(((picture > middle) == marked).double().mean())
    assert sum(same) / len(same) > 0.8


@pytest.mark.parametrize("axis", [2, 3])
def test_a_wave_moves_by_parts_of_a_pixel(axis):
    n, distance = 64, 0.37
    place = torch.arange(n, dtype=torch.float64)
    shape = [1, 1, 1, 1]
    shape[axis] = n

    def wave(at):
        # A cosine that its own mirror image continues.
        return torch.cos(torch.pi * (at + 0.5) * 6 / n).reshape(shape)

    got = moved(wave(place), axis, distance)
    assert np.allclose(got, wave(place - distance), rtol=0, atol=1e-9)


def test_a_mirrored_picture_is_its_mirror_image_and_a_turned_one_turned():
    x = made_up((1, 3, 16, 16))
    still = (0.0, 0.0)
    assert torch.equal(changed(x, Change((True, False), False, still, None)), x.flip(2))
    assert torch.equal(changed(x, Change((False, False), True, still, None)), x.transpose(2, 3))
    wide = made_up((1, 3, 16, 24))
    assert torch.equal(changed(wide, Change((False, False), True, still, None)), wide)


def test_whole_numbers_move_by_whole_pixels():
    x = torch.arange(16).reshape(1, 1, 16)
    got = changed(x, Change((False,), False, (1.4 / 16,), ((0.1, 0.9),)))
    assert got[0, 0].tolist() == [0, *range(15)]


def test_a_crop_shows_a_part_larger():
    x = torch.linspace(0, 1, 40).reshape(1, 1, 40)
    got = changed(x, Change((False,), False, (0.0,), ((0.2, 0.5),)))
    assert got.shape == x.shape
    assert float(got[0, 0, 1]) == pytest.approx(8 / 39, abs=0.02)
    assert float(got[0, 0, -2]) == pytest.approx(27 / 39, abs=0.02)


def test_codes_are_drawn_like_the_given_ones():
    torch.manual_seed(0)
    (standard,) = Alike((torch.randn(1, 128),))(64)
    assert abs(float(standard.mean())) < 0.05
    assert abs(float(standard.std()) - 1) < 0.1
    (maps,) = Alike((torch.randn(2, 100, 1, 1),))(64)
    assert maps.shape == (64, 100, 1, 1)
    assert abs(float(maps.std()) - 1) < 0.1
    (scaled,) = Alike((3 + 0.5 * torch.randn(80, 16),))(64)
    assert abs(float(scaled.mean()) - 3) < 0.1
    assert abs(float(scaled.std()) - 0.5) < 0.1
    truncated = torch.nn.init.trunc_normal_(torch.empty(4, 256), a=-1.0, b=1.0)
    assert float(Alike((truncated,))(16)[0].abs().max()) <= 1.0
    (latents,) = Alike((torch.randn(1, 4, 32, 32),))(3)
    assert abs(float(latents.std()) - 1) < 0.1
    assert abs(float((latents[..., 1:] * latents[..., :-1]).mean())) < 0.1


def test_tokens_and_marks_stay_what_they_are():
    tokens = torch.tensor([[5, 17, 0, 3, 900, 2, 8, 31]])
    made = Alike((tokens,))(5)[0]
    assert all(sorted(row.tolist()) == sorted(tokens[0].tolist()) for row in made)
    code = torch.cat([torch.linspace(-2, 2, 20), torch.eye(5)[2]])[None]
    for row in Alike((code,))(4)[0]:
        assert sorted(row[20:].tolist()) == [0, 0, 0, 0, 1]


def test_nothing_can_be_made_of_constants():
    assert not Alike((torch.full((1, 3, 16, 16), 0.5),)).varied
    assert Alike((torch.rand(1, 3, 16, 16),)).varied


def test_channels_may_come_last():
    assert spatial_axes(torch.zeros(1, 20, 24, 3)) == (1, 2)
    assert spatial_axes(torch.zeros(1, 3, 20, 24)) == (2, 3)
    assert spatial_axes(torch.zeros(1, 4, 5, 20, 24)) == (2, 3, 4)
    assert spatial_axes(torch.zeros(1, 9)) == ()


def test_contrast_and_level_vary_within_the_range_up_to_flat_and_saturated_ones():
    x = made_up((1, 3, 32, 32))
    (made,) = Alike((x,))(60)
    spread = made.std(dim=(2, 3)) / x.std(dim=(2, 3))
    assert float(spread.min()) < 0.25
    assert float(spread.max()) > 1.1
    level = made.mean(dim=(2, 3))
    assert float(level.std(dim=0).min()) > 0.05 * float(x.max() - x.min())
    # Channel by channel: the difference of two varies as well.
    assert float((level[:, 0] - level[:, 1]).std()) > 0.05 * float(x.max() - x.min())
    cut = ((made == x.min()) | (made == x.max())).float().mean(dim=(1, 2, 3))
    assert float(cut.max()) > 0.1


def test_two_ways_of_seeing_a_map_are_added():
    x, still = made_up((1, 3, 16, 16)), (0.0, 0.0)
    other = Change((True, False), False, still, None)
    got = changed(x, Change((False, False), False, still, None, beside=(other, 0.25)))
    assert torch.allclose(got, 0.75 * x + 0.25 * x.flip(2), rtol=0, atol=1e-6)


def test_brightness_keeps_to_the_range():
    x = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8)
    still = Change((False, False), False, (0.0, 0.0), None, ((0.5, 1.0),))
    assert torch.allclose(changed(x, still), 0.5 + 0.5 * x, rtol=0, atol=1e-6)
    sound = torch.linspace(-1, 1, 64).reshape(1, 1, 64)
    quiet = changed(sound, Change((False,), False, (0.0,), None, ((0.5, 1.0),)))
    assert torch.allclose(quiet, 0.5 * sound, rtol=0, atol=1e-6)
