"""Chains: exact path counts, scales, and the periods that survive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles.geometry_naive import naive_map
from uncheck.errors import UncheckError
from uncheck.geometry import Layer, chain, layer, output_size, surviving_periods


def conv(size: int, stride: int = 1, padding: int = 0, ndim: int = 1) -> Layer:
    return layer(size, stride, padding, ndim=ndim, transposed=False)


def test_stacked_layers_compound_at_two_scales():
    result = chain([layer(3, 2, ndim=1)] * 2)
    assert result.taps_per_phase == (3, 2, 3, 1)
    assert result.ratio == 3
    assert [(scale.period, scale.survives) for scale in result.scales] == [((4,), True), ((2,), True)]
    assert surviving_periods(result) == ((2, 4),)


def test_stacked_layers_in_two_dimensions_multiply_their_axes():
    result = chain([layer(3, 2)] * 2)
    assert result.ratio == 9
    assert result.period == (4, 4)
    assert [scale.ratio for scale in result.scales] == [4, 4]


@pytest.mark.parametrize("last", [layer(2, ndim=1), conv(2)])
def test_a_last_layer_of_size_two_removes_period_two_and_not_four(last):
    result = chain([layer(3, 2, ndim=1)] * 2 + [last])
    assert surviving_periods(result) == ((4,),)
    assert [scale.survives for scale in result.scales] == [True, False]


@given(size=st.integers(1, 12), strides=st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=2))
def test_a_last_layer_removes_exactly_the_periods_that_divide_its_size(size, strides):
    layers = [layer(s + 1, s, ndim=1) for s in strides]
    (before,) = surviving_periods(layers)
    (after,) = surviving_periods([*layers, conv(size)])
    assert after == tuple(period for period in before if size % period)


def test_a_coarse_even_layer_leaves_only_the_uneven_one():
    result = chain([layer(4, 2, ndim=1), layer(3, 2, ndim=1)])
    assert [(s.ratio, s.survives) for s in result.scales] == [(1, False), (2, True)]
    assert result.period == (2,)
    assert len(result.taps_per_phase) == 4


def test_an_odd_stride_between_gives_the_period_of_what_follows():
    result = chain([layer(3, 2, ndim=1), layer(4, 3, ndim=1), conv(3)])
    assert [scale.period for scale in result.scales] == [(6,), (3,)]
    assert [scale.survives for scale in result.scales] == [True, False]
    # of the first layer's lines 1/6, 1/2, 5/6 the four taps of the second hold back 1/2
    assert surviving_periods(result) == ((6,),)


def test_downsampling_folds_the_period():
    up = [layer(3, 4, 0, ndim=1)]
    assert len(chain(up).taps_per_phase) == 4
    assert len(chain([*up, conv(1, 2)]).taps_per_phase) == 2
    assert len(chain([*up, conv(1, 3)]).taps_per_phase) == 4
    assert chain([conv(3, 2), layer(4, 2, 1, ndim=1)]).even


def test_stride_one_layers_count_the_same_either_way():
    up = layer(5, 3, 1, ndim=1)
    kept = [chain([up, layer(4, transposed=t, ndim=1)]) for t in (True, False)]
    assert sorted(kept[0].taps_per_phase) == sorted(kept[1].taps_per_phase)


@st.composite
def chains(draw, ndim: int, most: int) -> tuple[list[Layer], tuple[int, ...]]:
    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    layers = []
    for _ in range(draw(st.integers(1, most))):
        stride, dilation, transposed = sizes(1, 3), sizes(1, 2), draw(st.booleans())
        extra = tuple(
            draw(st.integers(0, max(s, d) - 1)) if transposed else 0
            for s, d in zip(stride, dilation, strict=True)
        )
        layers.append(Layer(sizes(1, 4), stride, sizes(0, 2), extra, dilation, transposed))
    return layers, sizes(1, 5)


def runs(layers: list[Layer], size: tuple[int, ...]) -> bool:
    try:
        for one in layers:
            size = output_size(one, size)
    except UncheckError:
        return False
    return True


@given(chains(1, 4))
def test_map_equals_the_oracle_on_one_axis(case):
    layers, size = case
    if not runs(layers, size):
        with pytest.raises(UncheckError, match="the output would have"):
            chain(layers, size)
        return
    result = chain(layers, size)
    assert dict(enumerate(result.taps.tolist())) == {n: c for (n,), c in naive_map(layers, size).items()}


@given(chains(2, 2))
def test_map_equals_the_oracle_on_two_axes(case):
    layers, size = case
    if runs(layers, size):
        taps = chain(layers, size).taps
        assert {pixel: int(taps[pixel]) for pixel in np.ndindex(taps.shape)} == naive_map(layers, size)


@given(chains(1, 4))
def test_the_interior_of_the_map_repeats_the_pattern(case):
    layers, _ = case
    result = chain(layers)
    (first, end), pattern = result.interior[0], result.axis_taps[0]
    assert end - first >= 3 * len(pattern)
    assert result.taps[first:end].tolist() == [pattern[n % len(pattern)] for n in range(first, end)]
    period = result.period[0]
    assert len(pattern) % period == 0
    assert all(pattern[n] == pattern[n % period] for n in range(len(pattern)))


@given(chains(1, 4))
def test_surviving_periods_are_the_lines_of_the_spectrum(case):
    layers, _ = case
    result = chain(layers)
    pattern = np.array(result.axis_taps[0], dtype=float)
    spectrum = np.abs(np.fft.fft(pattern)) / max(1.0, pattern.sum())
    lines = {
        len(pattern) // int(np.gcd(a, len(pattern))) for a in range(1, len(pattern)) if spectrum[a] > 1e-9
    }
    assert set(surviving_periods(result)[0]) == lines
    assert np.lcm.reduce([1, *lines]) == result.period[0]


def test_counts_beyond_64_bits_stay_exact():
    result = chain([conv(1000)] * 7)
    assert result.taps_per_phase == (10**21,)
    assert int(result.taps.max()) == 10**21
    assert result.to_dict()["taps_per_phase"] == [10**21]
    assert chain([layer(3, 2, ndim=1)] * 2 + [conv(1000)] * 7).axis_taps[0][0] == 9 * 10**21 // 4


def test_a_chain_that_no_path_gets_through_is_even_and_dead():
    # the second layer reads only the pixels that the first leaves empty
    result = chain([layer((1, 3), 2), conv(1, (2, 1), (1, 0), ndim=2)])
    assert result.axis_taps == ((0,), (0, 0))
    assert (result.even, result.ratio, result.period) == (True, 1.0, (1, 1))
    assert not result.taps.any()
    assert surviving_periods(result) == ((), ())


def test_three_dimensional_decoder_of_stride_32_fits():
    assert chain([layer(2, 2, ndim=3)] * 5).even


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "a chain needs at least one layer"),
        ([layer(3, ndim=1), layer(3)], "layer 1 of the chain has 2 axes and layer 0 has 1"),
        ([layer(3, 4096, ndim=1)] * 3, "would have 68719476736 entries, more than 16777216"),
    ],
)
def test_impossible_chains_are_refused(layers, message):
    with pytest.raises(UncheckError, match=message):
        chain(layers)
