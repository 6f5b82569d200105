"""Whether an overlap is even has one answer: that of `uncheck.overlap`, and of torch run on ones."""

import itertools
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import uncheck
from tiers import examples
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.reading import record


def counted_even(layer: nn.Module) -> bool:
    """Taps per output pixel, counted by torch: ones through a layer of ones, in the middle of its output."""
    k, s, d = layer.kernel_size, layer.stride, layer.dilation
    per_axis = []
    for axis in range(len(k)):
        reach = d[axis] * (k[axis] - 1)
        # an input so long that a whole period lies beyond the reach of either border
        n = 2 * (reach // s[axis]) + 2 * layer.padding[axis] + 5
        ones = torch.ones(1, 1, n)
        out = F.conv_transpose1d(ones, torch.ones(1, 1, k[axis]), stride=s[axis], dilation=d[axis])[0, 0]
        middle = (len(out) - s[axis]) // 2
        per_axis.append(out[middle : middle + s[axis]])
    return all(len(set(counts.tolist())) == 1 for counts in per_axis)


sizes = st.tuples(
    st.integers(1, 7),  # kernel
    st.integers(1, 5),  # stride
    st.integers(0, 3),  # padding
    st.integers(0, 4),  # output padding, below stride or dilation
    st.integers(1, 5),  # dilation
)


@examples(6, 100)
@given(st.integers(1, 3), st.lists(sizes, min_size=3, max_size=3), st.sampled_from([1, 2]))
def test_inspect_overlap_and_torch_agree(ndim, axes, groups):
    chosen = axes[:ndim]
    kernel, stride, padding, extra, dilation = (tuple(one) for one in zip(*chosen, strict=True))
    extra = tuple(min(e, max(s, d) - 1) for e, s, d in zip(extra, stride, dilation, strict=True))
    if max(stride) == 1:
        return
    layer = CONV_TRANSPOSES[ndim - 1](2, 2, kernel, stride, padding, extra, groups, dilation=dilation)
    with torch.device("meta"):
        layer = layer.to("meta")
        size = [2 * max(padding) // min(stride) + 3] * ndim
        (stage,) = record(layer, torch.zeros(1, 2, *size)).stages
    answer = uncheck.overlap(kernel, stride, padding=padding, output_padding=extra, dilation=dilation)
    assert (stage.overlap == "even") == answer.even == counted_even(layer)


@pytest.mark.parametrize(
    ("layer", "even"),
    [
        (partial(nn.ConvTranspose2d, 1, 1, 4, 2, 1), True),
        (partial(nn.ConvTranspose2d, 1, 1, 4, 2, 1, dilation=2), False),  # one phase gets no tap
        (partial(nn.ConvTranspose2d, 1, 1, 4, 2, 1, dilation=3), True),
        (partial(nn.ConvTranspose2d, 1, 1, 6, 6, dilation=3), False),
        (partial(nn.ConvTranspose2d, 1, 1, 1, 2, output_padding=1), False),  # kernel smaller than stride
        (partial(nn.ConvTranspose1d, 2, 2, 4, 2, groups=2), True),
        (partial(nn.ConvTranspose3d, 1, 1, (2, 2, 4), (1, 2, 2), dilation=(1, 1, 2)), False),
        (partial(nn.ConvTranspose3d, 1, 1, (3, 2, 4), (1, 2, 2)), True),
    ],
)
def test_overlap_of_layers(layer, even):
    made = layer()
    (stage,) = record(made, torch.ones(1, made.in_channels, *[5] * len(made.stride))).stages
    assert (stage.overlap == "even") is even is counted_even(made)


def test_the_closed_form_of_the_conventions_page():
    for k, s, d in itertools.product(range(1, 9), range(1, 7), range(1, 7)):
        closed = k % s == 0 and torch.gcd(torch.tensor(s), torch.tensor(d)).item() == 1
        assert uncheck.overlap(k, s, 1, dilation=d).even is (closed or s == 1)
