"""Hold removes every lattice of its stride up to the border, keeps constants and folds into its upsampler."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from layers.contract import check_contract, check_onnx, tiers
from oracles.layers_hold_naive import hold_by_loops, inside
from uncheck.errors import UncheckError
from uncheck.layers import Hold, Hold1d, Hold2d, Hold3d, SubpixelConv, fold_hold
from uncheck.layers.filters import filter_taps, hold_power
from uncheck.phases import (
    compose,
    from_conv,
    from_conv_transpose,
    from_pixel_shuffle,
    gain_spread,
    strang_fix_order,
)

HOLDS = {1: Hold1d, 2: Hold2d, 3: Hold3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def close(actual, expected, atol):
    torch.testing.assert_close(torch.as_tensor(actual), torch.as_tensor(expected), rtol=0, atol=atol)


@given(st.data())
def test_it_is_the_mean_over_all_sums_of_holds(data):
    ndim = data.draw(st.integers(1, 3))
    stride = tuple(data.draw(st.integers(1, 5 if ndim < 3 else 3)) for _ in range(ndim))
    order = data.draw(st.integers(0, 2))
    size = tuple(s + data.draw(st.integers(0, 4)) for s in stride)
    x = noise(2, 2, *size)
    close(Hold(stride, order, dtype=torch.float64)(x), hold_by_loops(x.numpy(), stride, order), 1e-13)


def test_the_oracle_sees_a_replicated_border(monkeypatch):
    x = noise(1, 1, 9)
    layer = Hold1d(3, 1, dtype=torch.float64)
    close(layer(x), hold_by_loops(x.numpy(), (3,), 1), 1e-13)
    monkeypatch.setattr("oracles.layers_hold_naive.inside", lambda n, size, s: min(max(n, 0), size - 1))
    assert np.abs(layer(x).numpy() - hold_by_loops(x.numpy(), (3,), 1)).max() > 0.01
    assert inside(-1, 9, 3) == 2


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("stride", [(2,), (3,), (4,), (7,), (2, 3), (4, 1), (9, 10), (2, 4, 3), (5, 5, 5)])
def test_a_lattice_becomes_its_mean_up_to_the_last_pixel(stride, order):
    period = noise(1, 2, *stride)
    size = [2 * s + 1 for s in stride]  # not a whole number of periods
    x = period.repeat(1, 1, *[3] * len(stride))[(..., *(slice(n) for n in size))]
    y = Hold(stride, order, dtype=torch.float64)(x)
    mean = period.mean(dim=list(range(2, 2 + len(stride))), keepdim=True)
    assert y.shape == x.shape
    close(y, mean.expand_as(y), 1e-14)


@pytest.mark.parametrize("stride", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_its_phase_sums_are_equal_and_its_gain_is_one(stride, order):
    taps = np.array(hold_power(stride, order + 1)) / stride ** (order + 1)
    assert len(taps) == (order + 1) * (stride - 1) + 1
    assert [taps[p::stride].sum() for p in range(stride)] == pytest.approx([1 / stride] * stride, abs=1e-15)
    impulse = torch.zeros(1, 1, 8 * stride * (order + 1), dtype=torch.float64)
    impulse[..., 4 * stride * (order + 1)] = 1
    y = Hold1d(stride, order, dtype=torch.float64)(impulse)[0, 0]
    close(y[y > 0], taps, 1e-15)
    # from half a pixel towards the end where the number of taps is even
    centre = float((y * torch.arange(len(y))).sum()) - 4 * stride * (order + 1)
    assert centre == pytest.approx(0.5 if len(taps) % 2 == 0 else 0.0, abs=1e-9)


def test_an_odd_kernel_then_lands_where_nearest_resize_does():
    delta = torch.zeros(1, 1, 3, dtype=torch.float64)
    delta[..., 1] = 1
    x = noise(1, 1, 6)
    zeros_between = nn.functional.conv_transpose1d(x, delta, stride=2, padding=1, output_padding=1)
    smoothed = Hold1d(2, dtype=torch.float64)(zeros_between) * 2
    close(smoothed, nn.functional.interpolate(x, scale_factor=2, mode="nearest"), 1e-15)


def test_constants_stay_exact_after_a_change_of_type():
    x = torch.full((1, 1, 9, 9), 0.7, dtype=torch.float64)
    close(Hold(3, 1).double()(x), x, 1e-15)
    close(Hold(3, 1).half().double()(x), x, 1e-15)


def test_filters_keep_their_values_through_to_empty():
    layer = Hold(3, 1, device="meta").to_empty(device="cpu")
    x = noise(1, 1, 7, 8).float()
    close(layer(x), Hold(3, 1)(x), 0.0)


@pytest.mark.parametrize("ndim", tiers([1, 2, 3], 2))
@pytest.mark.parametrize("filters", tiers([(2, 0), (3, 1), (5, 1)], (3, 1)))
def test_contract(ndim, filters):
    stride, order = filters
    x = noise(1, 2, *(5, 7, 6)[:ndim]).float() if ndim < 3 else noise(1, 1, 5, 5, 6).float()
    check_contract(
        lambda **factory: HOLDS[ndim](stride, order, **factory),
        x,
        keys=[],
        atol=1e-6,
        half_atol=0.03,
        gradient_atol=1e-7,
    )


@pytest.mark.integration
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_onnx(ndim):
    check_onnx(lambda: HOLDS[ndim](2, 1), noise(1, 2, *(5, 7, 6)[:ndim]).float(), atol=1e-6)


def test_without_batch_and_with_many_channels():
    x = noise(5, 6, 7)
    layer = Hold(2, 1, dtype=torch.float64)
    close(layer(x), layer(x[None])[0], 1e-15)
    assert "stride=(2, 2), order=1" in repr(layer)
    assert Hold((2, 3, 2)).ndim == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hold(0), "stride must be at least 1, not 0"),
        (lambda: Hold(2, -1), "order must be at least 0, not -1"),
        (lambda: Hold2d((2, 2, 2)), "has 3 axes where 2 were expected"),
        (lambda: Hold(2, ndim=4), "1, 2 or 3 axes, not 4"),
        (
            lambda: Hold(4)(torch.zeros(1, 1, 3, 9)),
            "Hold(stride=(4, 4), order=0) needs at least [4, 4] pixels, but the input has shape",
        ),
        (lambda: Hold(2)(torch.zeros(9, 9)), "order=0) takes (batch, channels, 2 axes), not shape [9, 9]"),
        (lambda: Hold(100, 8), "cannot be held exactly"),
    ],
)
def test_errors(make, message):
    with pytest.raises(UncheckError, match=re.escape(message)):
        make()


def inner(y: torch.Tensor, hold: Hold) -> torch.Tensor:
    """Leave out what the hold reads beyond the border for."""
    taps = [(hold.order + 1) * (s - 1) + 1 for s in hold.stride]
    ends = zip(taps, y.shape[2:], strict=True)
    return y[(..., *(slice(t // 2, n - (t - 1) // 2) for t, n in ends))]


def hold_as_kernel(hold: Hold, channels: int):
    """The hold as a dense convolution kernel on zeros beyond the border."""
    ndim = hold.ndim
    dense = torch.ones((), dtype=torch.float64)
    for s in hold.stride:
        dense = (
            dense[..., None] * torch.tensor(hold_power(s, hold.order + 1)).double() / s ** (hold.order + 1)
        )
    weight = torch.zeros(channels, channels, *dense.shape, dtype=torch.float64)
    for c in range(channels):
        weight[c, c] = dense
    kernel = from_conv(weight, None)
    after = tuple((hold.order + 1) * (s - 1) // 2 for s in hold.stride)
    return type(kernel)(weight, (1,) * ndim, None, after, (0,) * ndim)


@given(st.data())
def test_a_fold_equals_the_pair_away_from_the_border_and_the_composed_kernel_everywhere(data):
    ndim = data.draw(st.integers(1, 2))
    sizes = [
        (data.draw(st.integers(1, 5)), data.draw(st.integers(1, 4)), data.draw(st.integers(1, 2)))
        for _ in range(ndim)
    ]
    k, s, d = (tuple(one) for one in zip(*sizes, strict=True))
    extra = tuple(data.draw(st.integers(0, max(a, b) - 1)) for a, b in zip(s, d, strict=True))
    padding = tuple(data.draw(st.integers(0, b * (a - 1) // 2)) for a, b in zip(k, d, strict=True))
    groups = data.draw(st.integers(1, 2))
    layer = TRANSPOSED[ndim](4, 2, k, s, padding, extra, groups, data.draw(st.booleans()), d).double()
    hold = Hold(tuple(data.draw(st.integers(1, 4)) for _ in range(ndim)), data.draw(st.integers(0, 2)))
    x = noise(2, 4, *(9, 8)[:ndim])
    with torch.no_grad():
        folded = fold_hold(layer, hold)
        assert folded.stride == layer.stride
        assert folded.groups == groups
        assert type(folded) is type(layer)
        y = layer(x)
        assert folded(x).shape == y.shape
        if all(n >= h for n, h in zip(y.shape[2:], hold.stride, strict=True)):
            close(inner(folded(x), hold), inner(hold(y), hold), 1e-13)
        whole = from_conv_transpose(layer.weight, layer.bias, s, padding, extra, d, groups)
        close(folded(x), compose(whole, hold_as_kernel(hold, 2)).apply(x), 1e-12)


def test_a_folded_layer_has_equal_gains_and_fades_at_the_border_as_transposed_convolutions_do():
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(3, 2, 3, 2, padding=1, output_padding=1)
    hold = Hold(2)
    folded = fold_hold(layer, hold)
    assert folded.kernel_size == (4, 4)
    plain, even = (
        from_conv_transpose(one.weight, one.bias, one.stride, one.padding, one.output_padding)
        for one in (layer, folded)
    )
    assert gain_spread(plain) > 0.1
    assert gain_spread(even) < 1e-6
    assert strang_fix_order(from_conv_transpose(fold_hold(layer, Hold(2, 1)).weight, None, 2), 1e-3) == 2
    flat = torch.ones(1, 3, 6, 6)
    inside_apart = (folded(flat) - hold(layer(flat))).abs()[..., 1:, 1:].max()
    assert inside_apart < 1e-6
    assert (folded(flat) - hold(layer(flat))).abs()[..., 0].max() > 0.01


@pytest.mark.parametrize("factor", [2, 3, (3, 2)])
@pytest.mark.parametrize("order", [0, 1])
def test_a_fold_into_a_sub_pixel_layer_evens_its_bias(factor, order):
    torch.manual_seed(0)
    layer = SubpixelConv(4, 6, 3, factor, groups=2, icnr=False, ndim=2).double()
    hold = Hold(layer.upscale_factor, order, dtype=torch.float64)
    with torch.no_grad():
        folded = fold_hold(layer, hold)
        x = noise(2, 4, 7, 6)
        close(inner(folded(x), hold), inner(hold(layer(x)), hold), 1e-13)
        conv = layer.conv
        whole = from_pixel_shuffle(conv.weight, conv.bias, layer.upscale_factor, conv.padding, groups=2)
        close(folded(x), compose(whole, hold_as_kernel(hold, 6)).apply(x), 1e-12)
    assert isinstance(folded, nn.ConvTranspose2d)


def test_a_fold_takes_a_sequence_half_precision_and_weight_norm():
    pair = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)).eval()
    folded = fold_hold(pair, Hold(2))
    x = noise(1, 3, 6, 6).float()
    close(inner(folded(x), Hold(2)), inner(Hold(2)(pair(x)), Hold(2)), 1e-6)
    assert not folded.training
    assert fold_hold(nn.ConvTranspose1d(2, 2, 3, 2).half(), Hold1d(2)).weight.dtype == torch.float16
    normed = weight_norm(nn.ConvTranspose1d(2, 2, 3, 2))
    line = noise(1, 2, 6).float()
    close(
        inner(fold_hold(normed, Hold1d(2))(line), Hold1d(2)), inner(Hold1d(2)(normed(line)), Hold1d(2)), 1e-6
    )


@pytest.mark.parametrize(
    ("layer", "hold", "message"),
    [
        (nn.Conv2d(1, 1, 3), Hold(2), "a hold cannot be folded into Conv2d: give a transposed convolution"),
        (nn.Sequential(nn.Upsample(), nn.PixelShuffle(2)), Hold(2), "cannot be folded into Sequential"),
        (
            nn.ConvTranspose1d(1, 1, 3),
            Hold(2),
            "a hold on 2 axes cannot be folded into a layer on 1: use Hold1d",
        ),
        (SubpixelConv(1, 1, 3, padding_mode="reflect"), Hold(2), "with padding_mode='reflect'"),
        (
            SubpixelConv(1, 1, 3, 2, icnr=False),
            Hold(3),
            "a hold of stride (3, 3) does not even the bias per phase",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.PixelShuffle(2)),
            Hold(2),
            "of stride 1 with padding in numbers",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused(layer, hold, message):
    with pytest.raises(UncheckError, match=re.escape(message)):
        fold_hold(layer, hold)


def test_filters_are_whole_numbers_dense_or_in_a_row():
    assert filter_taps([[1, 2, 1], [1, 1]], torch.empty(0)).tolist() == [[1, 1], [2, 2], [1, 1]]
    assert filter_taps([[1] * 9, [1] * 8], torch.empty(0, dtype=torch.float16)).shape == (17,)
