"""Blocks and seams are found by the steps between them; what looks like them is named."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import textures
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

import released
from oracles.blocks_naive import naive_grid, naive_prominence
from uncheck.cli.app import main
from uncheck.measuring import measure
from uncheck.measuring.blocks import blocks_beside
from uncheck.measuring.components import Lattice
from uncheck.measuring.rivals.blocks import alternation, content_ends, name_blocks, was_interpolated
from uncheck.measuring.rivals.interpolation import before_interpolation
from uncheck.measuring.seams.blocks import find_blocks
from uncheck.measuring.seams.grids import PERIODS, find_grid
from uncheck.measuring.seams.steps import BESIDE, FLOOR, SCALES, Scale, pooled, prominence

NOTHING = Lattice((), (), (), ())


def patched(picture, period, levels, seed=0, offset=(0, 0)):
    """Give every patch of a picture (H, W, C) an error of its own, of this standard deviation, and round."""
    rng = np.random.default_rng(seed)
    rows, columns, channels = picture.shape
    errors = rng.normal(0, levels, (rows // period + 2, columns // period + 2, channels))
    y = (np.arange(rows) - offset[0]) // period + 1
    x = (np.arange(columns) - offset[1]) // period + 1
    return np.rint(picture + errors[y][:, x]).clip(0, 255).astype(np.uint8)


def coded(picture, quality):
    with io.BytesIO() as file:
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))


def found(picture, **options):
    return find_blocks(picture.astype(np.float32), **options)


def rivals(picture, codec=None):
    array = picture.astype(np.float32)
    return [name_blocks(array, one, codec) for one in find_blocks(array)]


@pytest.mark.parametrize("scale", [*SCALES, Scale(2, 16)])
@pytest.mark.parametrize("axis", [0, 1])
def test_lines_stand_out_as_far_as_naive(scale, axis):
    array = np.random.default_rng(3).normal(128, 20, (70, 75, 2)).astype(np.float32)
    array[:, 40:] += 30
    ours = prominence(pooled(array, axis), scale)
    theirs = naive_prominence(array, axis, scale.reach, scale.stretch, BESIDE, FLOOR)
    assert len(ours) == array.shape[axis]
    np.testing.assert_allclose(ours, np.array(theirs, float), rtol=1e-4)
    # The oracle sees a line that is off by one.
    assert not np.allclose(ours[1:], np.array(theirs, float)[:-1], rtol=1e-2, equal_nan=True)


@pytest.mark.parametrize("offset", [(0, 0), (3, 5), (None, 4)])
def test_the_least_likely_grid_is_that_of_trying_all(offset):
    rng = np.random.default_rng(7)
    heights = [rng.uniform(size=n) for n in (60, 70)]
    for values, start in zip(heights, offset, strict=True):
        values[:4] = values[-4:] = np.nan
        if start is not None:
            values[start::9] += 0.6
    ours = find_grid(heights)
    listed = [[None if np.isnan(v) else v for v in values] for values in heights]
    p_value, period, places = naive_grid(listed, int(PERIODS[-1]))
    assert (ours.period, tuple(-1 if o is None else o for o in ours.offset)) == (period, places)
    assert (period, places) == (9, tuple(-1 if o is None else o for o in offset))
    assert ours.p_value == pytest.approx(min(1.0, p_value), rel=1e-6)
    # The oracle sees a line that is missing.
    listed[1][offset[1] + 9] = 0.0
    assert naive_grid(listed, int(PERIODS[-1]))[0] > 2 * ours.p_value


def test_nothing_to_compare_is_no_grid():
    assert find_grid([np.full(30, np.nan)] * 2) is None
    assert found(np.zeros((5, 5, 1))) == ()
    assert found(np.zeros((96, 96, 3))) == ()
    assert find_blocks(np.zeros((8, 8, 8, 1), np.float32)) == ()


@given(st.integers(0, 11), st.integers(0, 11), st.integers(0, 1000))
def test_blocks_begin_where_the_picture_was_cut(top, left, seed):
    noise = np.random.default_rng(seed).normal(128, 4, (150, 150, 1))
    picture = patched(noise, 12, 12, seed)
    (whole,), (cut,) = found(picture), found(picture[top:, left:])
    assert (whole.period, whole.offset) == ((12, 12), (0, 0))
    assert (cut.period, cut.offset) == ((12, 12), (-top % 12, -left % 12))


def test_axes_are_alike():
    noise = np.random.default_rng(1).normal(128, 4, (120, 160, 1))
    rows = noise + np.random.default_rng(2).normal(0, 6, 12).repeat(10)[:, None, None]
    (one,) = found(rows)
    (other,) = found(rows.swapaxes(0, 1))
    assert (one.period, one.offset) == ((10, 1), (0, 0))
    assert (other.period, other.offset) == ((1, 10), (0, 0))
    assert other.amplitude == pytest.approx(one.amplitude, rel=1e-5)


@pytest.mark.parametrize(("period", "levels"), [(7, 6), (14, 3), (16, 3), (64, 8)])
def test_patches_are_found_and_measured(period, levels):
    content = textures.scene((384, 384), 2)
    (one,) = found(patched(content, period, levels))
    assert (one.period, one.offset) == ((period, period), (0, 0))
    assert one.p_value < 1e-4
    # Beside content, a step adds less than its own mean, which is 2 sigma / sqrt(pi).
    assert 0.3 < one.amplitude < 1.2 * levels
    assert found(content) == ()


def test_the_amplitude_on_flat_ground_is_the_mean_step():
    flat = np.full((256, 256, 1), 128.0)
    (one,) = found(patched(flat, 16, 10))
    errors = patched(flat, 16, 10)[::16, ::16, 0].astype(float)
    steps = [np.abs(np.diff(errors, axis=axis)).mean() for axis in (0, 1)]
    assert one.amplitude == pytest.approx(np.mean(steps), rel=1e-3)


def test_steps_blended_over_a_few_pixels_are_found():
    noise = np.random.default_rng(0).normal(128, 2, (384, 384, 1))
    errors = np.random.default_rng(1).normal(0, 8, (14, 14))
    at = np.arange(384)
    tile, share = at // 32, np.clip((at % 32 - 27) / 4, 0, 1)
    rows = errors[tile] + share[:, None] * (errors[tile + 1] - errors[tile])
    ramp = rows[:, tile] + share * (rows[:, tile + 1] - rows[:, tile])
    (one, *_) = found(noise + ramp[..., None])
    assert one.period == (32, 32)
    assert one.reach > 1
    assert one.amplitude > 1


def test_noise_has_no_blocks():
    rng = np.random.default_rng(0)
    for side in (64, 96, 128):
        for _ in range(8):
            assert found(rng.normal(128, 20, (side, side, 3))) == ()


@pytest.mark.integration
def test_p_values_are_at_most_nominal_on_noise():
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(300):
        array = rng.normal(128, 20, (160, 160, 1)).astype(np.float32)
        heights = [prominence(pooled(array, axis), SCALES[0]) for axis in (0, 1)]
        p_values.append(find_grid(heights).p_value)
    assert np.mean(np.array(p_values) < 0.1) <= 0.15


@pytest.mark.parametrize("how", ["BILINEAR", "BICUBIC", "LANCZOS"])
@pytest.mark.parametrize("factor", [1.25, 1.5, 2, 3, 4])
def test_interpolation_makes_no_blocks(how, factor):
    small = Image.fromarray(textures.scene((200, 200), 5))
    size = round(200 * factor)
    assert found(np.asarray(small.resize((size, size), Image.Resampling[how]))) == ()


@pytest.mark.parametrize("quality", [50, 75, 90])
def test_blocks_of_a_coding_are_named(quality):
    content = textures.scene((320, 320), 3, -1.2)
    picture = coded(content, quality)
    assert set(rivals(picture, "JPEG")) <= {"jpeg"}
    assert set(rivals(picture[3:, 5:])) <= {"jpeg"}
    if quality == 50:
        assert rivals(picture)


@pytest.mark.parametrize(("factor", "how"), [(1.5, "BICUBIC"), (3, "LANCZOS")])
def test_blocks_of_a_coding_that_was_enlarged_since_are_named(factor, how):
    small = Image.fromarray(coded(textures.scene((256, 256), 3, -1.2), 50))
    size = round(256 * factor)
    picture = np.asarray(small.resize((size, size), Image.Resampling[how]))
    for names in (rivals(picture), rivals(picture[5:, 7:])):
        # Finer lines between its blocks are those of the enlarging.
        assert "jpeg" in names
        assert set(names) <= {"jpeg", "enlarged"}


def test_steps_between_smooth_patches_were_not_enlarged():
    content = gaussian_filter(textures.scene((320, 320), 3).astype(float), (3, 3, 0))
    assert rivals(patched(content, 16, 4)) == [None]
    assert rivals(patched(content, 14, 4)) == [None]


@pytest.mark.parametrize("how", [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
def test_a_picture_before_interpolation_is_that_picture(how):
    small = textures.scene((120, 96), 1)
    large = np.asarray(Image.fromarray(small).resize((144, 180), how)).astype(np.float32)
    before = before_interpolation(large, 12, 8)
    assert np.abs(before - small)[8:-8, 8:-8].mean() < 1
    # Half a pixel aside, or with more in it than rounding, it was not made so.
    assert before_interpolation(large[:, 4:], 12, 8) is None
    noise = np.random.default_rng(0).normal(0, 0.5, large.shape).astype(np.float32)
    assert before_interpolation(large + noise, 12, 8) is None


@pytest.mark.parametrize("size", [220, 260, 320])
def test_lines_between_two_samples_are_named(size):
    # Of 11, 13 and 8 lines one, three and three lie between two samples, and stand out alone.
    small = Image.fromarray(textures.scene((200, 200), 0))
    large = np.asarray(small.resize((size, size), Image.Resampling.BILINEAR))
    assert found(large)
    assert set(rivals(large)) == {"enlarged"}
    # A third of a period later they are lines as others are.
    later = large[4:, 4:].astype(np.float32)
    aside = replace(found(large)[0], offset=(0, 0))
    assert not was_interpolated(later, aside)


def test_patches_of_a_smooth_picture_are_no_interpolation():
    smooth = gaussian_filter(textures.scene((320, 320), 0).astype(float), (2, 2, 0))
    picture = patched(smooth, 13, 4.0)
    assert before_interpolation(picture.astype(np.float32), 13, 12) is not None, (
        "it passes for an enlarged one"
    )
    assert rivals(picture) == [None]


def test_patches_of_eight_pixels_are_no_coding_where_no_grid_shows():
    content = textures.scene((320, 320), 3, -1.2)
    assert rivals(patched(content, 8, 8)) == [None]
    assert set(rivals(coded(content, 50))) == {"jpeg"}


def test_patches_of_sixteen_pixels_are_no_coding():
    content = textures.scene((320, 320), 3)
    for period, offset in ((16, (0, 0)), (16, (3, 5)), (14, (0, 0))):
        picture = patched(content, period, 8, offset=offset)
        assert None in rivals(picture)
        assert None in rivals(coded(picture, 90), "JPEG")


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_repeated_pixels_are_named(factor):
    small = textures.scene((96, 96), 6)
    large = small.repeat(factor, axis=0).repeat(factor, axis=1)[:384, :384]
    for picture in (large, large[1:, 1:], coded(large, 90)):
        array = picture.astype(np.float32)
        left, rival = blocks_beside(array, NOTHING)
        assert left
        assert rival in ("enlarged", "jpeg")
    assert blocks_beside(large.astype(np.float32), NOTHING)[1] == "enlarged"


@pytest.mark.parametrize("gap", [0, 2])
def test_pictures_side_by_side_are_tiles(gap):
    side = 64
    sheet = np.full((6 * (side + gap), 6 * (side + gap), 3), 255, np.uint8)
    for i in range(6):
        for j in range(6):
            one = textures.scene((side, side), 10 * i + j)
            sheet[i * (side + gap) :, j * (side + gap) :][:side, :side] = one
    names = rivals(sheet)
    assert names
    assert set(names) == {"tiles"}


def test_steps_of_blocks_go_back_and_forth_and_those_of_content_do_not():
    flat = np.full((256, 256, 1), 128.0)
    picture = patched(flat, 16, 10).astype(np.float32)
    (one,) = find_blocks(picture)
    assert alternation(picture, one) == pytest.approx(-0.5, abs=0.1)
    assert not content_ends(picture, one)
    ramp = np.broadcast_to(np.arange(256) // 16 * 10.0, (256, 256))[..., None].astype(np.float32)
    assert alternation(ramp, one) > 0.9


def test_a_lattice_is_no_blocks_and_blocks_are_no_lattice():
    y, x = np.indices((256, 256))
    noise = np.random.default_rng(0).normal(128, 5, (256, 256, 3))
    tile = np.random.default_rng(1).normal(0, 6, (8, 8))
    (image,) = measure(noise + tile[y % 8, x % 8, None], span=(0, 255)).images
    assert image.verdict == "lattice"
    assert image.blocks == ()
    (image,) = measure(patched(noise, 16, 5)).images
    assert image.verdict == "blocks"
    assert not image.found.present
    # Both: the lattice has the verdict.
    both = patched(noise + 6 * (-1.0) ** (x + y)[..., None], 14, 8)
    (image,) = measure(both).images
    assert image.verdict == "lattice"
    assert [one.period for one in image.blocks] == [(14, 14)]


def test_blocks_in_json_text_and_exit_code(tmp_path, capsys):
    content = textures.scene((256, 256), 4)
    Image.fromarray(patched(content, 16, 8)).save(tmp_path / "patched.png")
    Image.fromarray(content).save(tmp_path / "content.png")
    assert main(["measure", str(tmp_path / "content.png")]) == 0
    capsys.readouterr()
    assert main(["measure", str(tmp_path / "patched.png"), "--format", "json"]) == 1
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert image["verdict"] == "blocks"
    assert image["rival"] is None
    (one,) = image["blocks"]
    assert list(one) == ["period", "offset", "amplitude", "p_value"]
    assert (one["period"], one["offset"]) == ([16, 16], [0, 0])
    assert main(["measure", str(tmp_path / "patched.png"), "--exit-zero"]) == 0
    assert "Blocks of 16 pixels" in capsys.readouterr().out
    assert main(["measure", str(tmp_path)]) == 1
    assert "1 with blocks" in capsys.readouterr().out
    assert "blocks of 16x16" in str(measure(tmp_path / "patched.png"))


def test_photographs_have_no_blocks_and_those_put_into_them_are_found():
    for index, path in enumerate(released.photographs()):
        picture = released.read(path)[:384, :384]
        assert found(picture) == ()
        periods = {one.period for one in found(patched(picture, (14, 16)[index % 2], 8))}
        assert ((14, 14), (16, 16))[index % 2] in periods


def test_lines_along_one_axis_that_a_coding_of_photographs_leaves_are_named():
    picture = released.read(released.photographs()[10])[-512:, -512:]
    for quality in (75, 90):
        array = coded(np.ascontiguousarray(picture[5:, 7:]), quality)[3:, 2:].astype(np.float32)
        assert blocks_beside(array, NOTHING)[1] in ("jpeg", None)
        assert not blocks_beside(array, NOTHING)[0] or blocks_beside(array, NOTHING)[1]
