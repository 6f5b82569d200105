"""What is measured of a picture: background and masks are left out, the rest is measured undiluted."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import uncheck
from uncheck.errors import UncheckError
from uncheck.measuring.areas import largest_rectangle, measured_area, shifted
from uncheck.measuring.components import synthesise
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.one_signal import measure_signal
from uncheck.measuring.settings import Settings
from uncheck.signals.signal import Signal


def content(shape, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.cumsum(rng.normal(0, 1, (shape[0], 1, 3)), axis=0)
    return 120 + rows + np.cumsum(rng.normal(0, 1, (1, shape[1], 3)), axis=1) + rng.normal(0, 2, (*shape, 3))


def checkerboard(shape, period=2):
    y, x = np.indices(shape)
    return np.cos(2 * np.pi * (x + y) / period)[..., None]


def disc(shape, radius=0.4):
    y, x = np.indices(shape)
    return (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < (radius * min(shape)) ** 2


def measured(values, mask=None, **settings):
    signal = Signal("one", np.rint(values).clip(0, 255).astype(np.float32), mask=mask)
    return measure_signal(signal, Settings(**settings))


@pytest.mark.parametrize("period", [2, 4])
def test_a_lattice_on_a_canvas_is_measured_where_it_is(period):
    inside = disc((180, 230))
    picture = np.where(inside[..., None], content(inside.shape) + 2 * checkerboard(inside.shape, period), 255)
    image = measured(picture)
    assert image.verdict == "lattice"
    assert image.found.present[0].amplitude == pytest.approx(2, rel=0.15)
    assert image.measured == pytest.approx(inside.mean(), rel=0.03)
    assert image.notes == (f"{100 * (1 - image.measured):.0f} % of it is flat background and was left out.",)
    assert json.loads(json.dumps(image.to_dict()))["measured"] == image.measured


def test_a_canvas_alone_makes_no_lattice():
    inside = disc((180, 230))
    image = measured(np.where(inside[..., None], content(inside.shape), 255))
    assert image.verdict == "clean"
    assert "measured" not in measured(content((64, 64))).to_dict()


def test_masked_values_do_not_count():
    rng = np.random.default_rng(2)
    shape = (128, 150)
    mask = disc(shape)
    mask[:60, :50] = False
    values = content(shape) + 1.5 * checkerboard(shape)
    values[~mask] = rng.normal(100, 60, (int((~mask).sum()), 3))
    image = measured(values, mask)
    assert image.found.present[0].amplitude == pytest.approx(1.5, rel=0.1)
    assert image.measured == mask.mean()
    assert image.notes == ()  # who made the mask says so
    # Planted: the noise that is masked drowns it.
    assert measured(values).verdict == "clean"


def test_background_and_a_mask_go_together():
    shape = (160, 160)
    values = content(shape) + 2 * checkerboard(shape)
    values[:50] = 255
    mask = np.ones(shape, bool)
    mask[:, :40] = False
    image = measured(values, mask)
    assert image.measured == pytest.approx(110 * 120 / 160**2, rel=0.01)
    assert image.notes == ("23 % of it is flat background and was left out.",)


def test_what_stands_in_for_masked_values_is_no_background():
    shape = (120, 130)
    mask = disc(shape)
    values = content(shape)
    values[~mask] = values[mask].mean(axis=0)
    image = measured(values, mask)
    assert image.measured == mask.mean()
    assert image.notes == ()


def test_letterboxed_frames_are_measured_as_the_frame():
    frame = content((96, 160)) + 1.0 * checkerboard((96, 160), 4)
    boxed = np.zeros((160, 160, 3))
    boxed[32:128] = frame
    alone, inside = measured(frame), measured(boxed)
    assert inside.found.present[0].amplitude == alone.found.present[0].amplitude
    assert inside.found.limits == alone.found.limits


def test_all_masked_is_an_error():
    with pytest.raises(UncheckError, match="all of its pixels are masked or flat background"):
        measured(content((32, 32)), np.zeros((32, 32), bool))


def test_phases_are_those_of_the_whole_picture():
    shape = (160, 192)
    values = np.full((*shape, 3), 255.0)
    pattern = 4 * checkerboard(shape, 7)
    values[37:, 41:] = (content(shape) + pattern)[37:, 41:]
    image = measured(values)
    (component,) = image.found.present
    drawn = synthesise(component, (*shape, 3))
    assert np.abs(drawn - pattern).max() < 0.8


@given(st.integers(0, 10**6), st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_shifting_there_and_back_is_nothing(seed, start):
    values = (content((64, 66), seed) + 5 * checkerboard((64, 66), 3)).astype(np.float32)
    found = find_lattice(values, periods=[3])
    there = shifted(found, start)
    drawn = synthesise(there.present[0], (20, 20, 3))
    whole = synthesise(found.present[0], (60, 60, 3))
    np.testing.assert_allclose(drawn, whole[start[0] : start[0] + 20, start[1] : start[1] + 20], atol=1e-3)
    back = shifted(there, tuple(-s for s in start))
    np.testing.assert_allclose(back.present[0].lines[0].mean, found.present[0].lines[0].mean, atol=1e-9)


@given(st.integers(0, 10**6), st.floats(0.3, 0.95))
def test_the_largest_rectangle_against_trying_all(seed, share):
    blocks = np.random.default_rng(seed).random((4, 5)) < share
    box = largest_rectangle(blocks.repeat(16, 0).repeat(16, 1))
    best = 0
    for top in range(4):
        for left in range(5):
            for bottom in range(top + 1, 5):
                for right in range(left + 1, 6):
                    if blocks[top:bottom, left:right].all():
                        best = max(best, (bottom - top) * (right - left))
    assert blocks.repeat(16, 0).repeat(16, 1)[box].all()
    assert (box[0].stop - box[0].start) * (box[1].stop - box[1].start) == 256 * best


def test_the_map_of_a_masked_picture_lies_where_it_was():
    shape = (256, 320)
    values = np.full((*shape, 3), 255.0)
    values[96:, 96:] = (content(shape) + 4 * checkerboard(shape))[96:, 96:]
    image = measured(values, where=True)
    assert image.where.shape == shape
    (region, *_) = image.where.maps[0].regions
    assert region.box[0] >= 64
    assert region.box[1] >= 64


def test_nothing_left_out_is_the_array_itself():
    values = content((64, 64)).astype(np.float32)
    area = measured_area(Signal("one", values), 16)
    assert area.values is values
    assert area.support is None
    assert area.mask(values.shape) is None


def test_a_chart_of_several_flat_colours_is_no_lattice():
    rng = np.random.default_rng(4)
    chart = np.full((256, 256, 3), 245.0)
    for i, colour in enumerate([(200, 90, 40), (90, 160, 60), (40, 90, 200)]):
        chart[40 + 60 * i : 90 + 60 * i, 30:220] = colour
    chart[:, 30:220:6] = 20
    chart[5:30, 10:240] = rng.integers(0, 2, (25, 230, 1)) * 200.0
    image = uncheck.measure(chart.astype(np.uint8)).images[0]
    assert image.verdict != "lattice"
