"""Overlap of one layer: the article's numbers, the oracle, the rendering."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oracles.geometry_naive import naive_map, naive_phase_taps
from uncheck.errors import UncheckError
from uncheck.geometry import layer, overlap


def test_kernel_three_stride_two_overlaps_two_to_one():
    result = overlap(3, 2, 1)
    assert result.taps_per_phase == (2, 1)
    assert result.ratio == 2
    assert not result.even
    assert result.period == (2,)


def test_in_two_dimensions_the_ratios_multiply():
    result = overlap(3, 2)
    assert result.taps_per_phase == ((4, 2), (2, 1))
    assert result.ratio == 4
    assert overlap(3, 2, 3).ratio == 8


@pytest.mark.parametrize(("k", "s"), [(2, 2), (4, 2), (4, 4), (6, 3), (16, 8)])
def test_kernels_divisible_by_the_stride_are_even(k, s):
    result = overlap(k, s)
    assert result.even
    assert result.ratio == 1
    assert result.period == (1, 1)


def test_a_phase_without_taps_has_infinite_ratio():
    result = overlap(2, 3, 1)
    assert result.taps_per_phase == (1, 1, 0)
    assert math.isinf(result.ratio)
    assert result.to_dict()["ratio"] is None


def test_a_dilation_that_shares_a_factor_with_the_stride_leaves_holes():
    assert overlap(4, 2, 1, dilation=2).taps_per_phase == (4, 0)
    assert overlap(4, 2, 1, dilation=3).even


def test_padding_renames_the_phases():
    assert overlap(3, 2, 1, padding=1, output_padding=1).taps_per_phase == (1, 2)


def test_axes_may_differ():
    result = overlap((3, 4), (2, 2))
    assert result.taps_per_phase == ((4, 4), (2, 2))
    assert result.period == (2, 1)


sizes = st.integers(1, 9)


@given(k=sizes, s=sizes, p=st.integers(0, 4), d=st.integers(1, 4))
def test_taps_per_phase_equal_the_oracle(k, s, p, d):
    assert list(overlap(k, s, 1, padding=p, dilation=d).taps_per_phase) == naive_phase_taps(k, s, p, d)


@given(k=sizes, s=sizes, d=st.integers(1, 4))
def test_even_exactly_when_the_stride_divides_and_is_coprime_to_the_dilation(k, s, d):
    assert overlap(k, s, 1, dilation=d).even == (k % s == 0 and math.gcd(s, d) == 1)


@given(st.data())
def test_map_equals_the_oracle_and_torch(data):
    ndim = data.draw(st.integers(1, 2))
    draw = [data.draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim)) for _ in range(4)]
    kernel, stride, dilation, size = (tuple(sizes) for sizes in draw)
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    result = overlap(kernel, stride, output_padding=extra, dilation=dilation, input_size=size)
    expected = naive_map([layer(kernel, stride, 0, extra, dilation)], size)
    assert {pixel: int(result.taps[pixel]) for pixel in np.ndindex(result.taps.shape)} == expected
    conv = [torch.nn.functional.conv_transpose1d, torch.nn.functional.conv_transpose2d][ndim - 1]
    ones = conv(
        torch.ones(1, 1, *size, dtype=torch.float64),
        torch.ones(1, 1, *kernel, dtype=torch.float64),
        stride=stride,
        output_padding=extra,
        dilation=dilation,
    )
    assert ones[0, 0].tolist() == result.taps.tolist()


@given(k=st.integers(1, 12), s=st.integers(1, 9), p=st.integers(0, 3))
def test_the_default_map_shows_three_periods_of_the_interior(k, s, p):
    result = overlap(k, s, 1, padding=p)
    (first, end), pattern = result.interior[0], result.taps_per_phase
    assert end - first >= 3 * s
    assert [pattern[n % s] for n in range(first, end)] == result.taps[first:end].tolist()


def test_to_dict_is_json_and_complete():
    record = json.loads(json.dumps(overlap(3, 2, 1, input_size=2).to_dict()))
    (layer,), advice = record.pop("layers"), record.pop("advice")
    assert (layer["kernel_size"], layer["stride"], layer["transposed"]) == ([3], [2], True)
    assert advice[0]["command"] == "uncheck overlap 4 2"
    assert record == {
        "schema": "uncheck.overlap/1",
        "taps_per_phase": [2, 1],
        "taps": [1, 1, 2, 1, 1],
        "ratio": 2.0,
        "even": False,
        "period": [2],
        "scales": [{"layer": 0, "period": [2], "ratio": 2.0, "axes": [True], "survives": True}],
        "input_size": [2],
        "interior": [[1, 4]],
    }


def test_the_map_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        overlap(3, 2).taps[0, 0] = 7


def test_huge_strides_are_refused_at_once():
    with pytest.raises(UncheckError, match="the pattern of taps per phase would have 1000000000 entries"):
        overlap(3, 10**9, 1)
    with pytest.raises(UncheckError, match="would have 1000000000000 entries, more than 16777216"):
        overlap(3, 10**6, 2)
    with pytest.raises(UncheckError, match=r"would have over 10\^60 entries"):
        overlap(3, 10**30, 2)
    with pytest.raises(UncheckError, match="the overlap map would have"):
        overlap(10**9, 2, 1)
    with pytest.raises(UncheckError, match="the overlap map would have"):
        overlap(3, 2, 1, input_size=10**12)


def test_huge_kernels_of_small_reach_count_exactly():
    assert overlap(100_001, 2, 1).taps_per_phase == (50_001, 50_000)


def test_text_in_one_two_and_three_dimensions():
    assert str(overlap(3, 2, 1, input_size=4)) == (
        "overlap uneven: ratio 2, period 2\ntaps per phase and axis: 2 1\n▄▄█▄█▄█▄▄"
    )
    assert str(overlap(3, 2, input_size=2)).splitlines()[2:] == [
        "░░░░▒▒░░░░",
        "░░░░▒▒░░░░",
        "▒▒▒▒██▒▒▒▒",
        "░░░░▒▒░░░░",
        "░░░░▒▒░░░░",
    ]
    assert "slice 2 of 5" in str(overlap(3, 2, 3, input_size=2))


def test_one_tap_is_never_drawn_as_none():
    assert " " not in str(overlap(20, 1, 1, input_size=25)).splitlines()[-1]


def test_notebooks_show_the_same_taps():
    shown = overlap(3, 2)._repr_html_()
    assert "Uneven: some output pixels get 4 times the taps of others; period 2." in shown
    assert ">2  1</td>" in shown


def test_text_of_large_maps_is_cut_and_says_so():
    text = str(overlap(3, 40, 2))
    assert "middle of " in text
    assert max(len(line) for line in text.splitlines()) <= 110
    assert "... (40 phases)" in text
    assert "inf (a phase gets no tap)" in text
