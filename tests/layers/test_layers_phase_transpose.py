"""PhaseConvTranspose: the layer contract, and equal to the kernel it was made from, borders included."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from layers.contract import check_contract, check_onnx, tiers
from uncheck.errors import UncheckError
from uncheck.layers import PhaseConvTranspose
from uncheck.layers.phase_transpose import phase_conv_transpose
from uncheck.phases import PhaseKernel
from uncheck.phases.to_torch import transposed_geometry

#: in channels, out channels, kernel_size, stride, padding, output_padding, crop, groups, bias; input's shape
CASES = {
    "1-D, plain": ((2, 4, (4,), (2,), (1,), (0,)), (1, 2, 5)),
    "2-D, bias per phase": ((2, 4, (3, 4), (2, 3), (0, 1), (1, 0), None, 1, "phase"), (1, 2, 3, 4)),
    "2-D, cropped, groups": ((2, 4, (3, 3), (2, 2), (0, 1), (0, 1), (1, 2), 2, "none"), (1, 2, 3, 3)),
    "3-D": ((2, 2, (2, 3, 2), (2, 1, 2), (0,) * 3, (0,) * 3, (0, 1, 1), 1, "phase"), (1, 2, 2, 2, 2)),
}


def maker(name):
    arguments, shape = CASES[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return (lambda **factory: PhaseConvTranspose(*arguments, **factory)), x


@pytest.mark.parametrize("name", tiers(CASES, "2-D, bias per phase"))
def test_contract(name):
    make, x = maker(name)
    keys = ["weight"] if CASES[name][0][-1] == "none" else ["weight", "bias"]
    check_contract(make, x, keys=keys, atol=1e-5, half_atol=5e-2, gradient_atol=1e-6)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["2-D, bias per phase", "2-D, cropped, groups"])
def test_onnx(name):
    check_onnx(*maker(name), atol=1e-5)


@st.composite
def kernels(draw):
    """A random kernel with an input: any stride, offset and margin, groups as zero blocks."""
    ndim = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    out, ins = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    per_axis = {
        "k": st.integers(1, 6), "s": st.integers(1, 4), "o": st.integers(-4, 5), "m": st.integers(-4, 6),
        "n": st.integers(2, 4),
    }  # fmt: skip
    drawn = {name: [draw(each) for _ in range(ndim)] for name, each in per_axis.items()}
    # the output must have pixels
    margin = [max(m, 1 - s * n) for m, s, n in zip(drawn["m"], drawn["s"], drawn["n"], strict=True)]
    random = torch.Generator().manual_seed(draw(st.integers(0, 9999)))
    weight = torch.randn(out, ins, *drawn["k"], generator=random, dtype=torch.float64)
    block = torch.block_diag(*[torch.ones(out // groups, ins // groups)] * groups)
    weight = weight * block.reshape(out, ins, *[1] * ndim)
    kind = draw(st.sampled_from(["none", "channel", "phase"]))
    shape = {"none": None, "channel": (out,), "phase": (out, *drawn["s"])}[kind]
    bias = None if shape is None else torch.randn(shape, generator=random, dtype=torch.float64)
    kernel = PhaseKernel(weight, tuple(drawn["s"]), bias, tuple(drawn["o"]), tuple(margin))
    x = torch.randn(2, ins, *drawn["n"], generator=random, dtype=torch.float64)
    return kernel, groups, x


@given(kernels())
def test_equal_to_the_kernel(case):
    kernel, groups, x = case
    layer = phase_conv_transpose(kernel, groups)
    assert layer.groups == groups
    got, want = layer(x), kernel.apply(x)
    assert got.shape == want.shape
    assert float((got - want).detach().abs().max()) < 1e-10


@pytest.mark.parametrize("defect", ["weight", "phase", "crop"])
def test_planted_defects_are_caught(defect):
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(2, 2, 3, 4, generator=random, dtype=torch.float64)
    bias = torch.randn(2, 2, 2, generator=random, dtype=torch.float64)
    kernel = PhaseKernel(weight, (2, 2), bias, (1, -1), (0, 1))
    x = torch.randn(1, 2, 5, 5, generator=random, dtype=torch.float64)
    layer, want = phase_conv_transpose(kernel), kernel.apply(x)
    assert float((layer(x) - want).detach().abs().max()) < 1e-10
    with torch.no_grad():
        if defect == "weight":
            layer.weight[0, 0, 0, 1] += 1e-6
        elif defect == "phase":
            layer.bias.copy_(layer.bias.roll(1, 1))
        else:
            layer.padding = (layer.padding[0] + 1, *layer.padding[1:])
    got = layer(x)
    assert got.shape != want.shape or float((got - want).detach().abs().max()) > 1e-8


def test_no_taps_of_zero_where_the_offset_is_not_negative():
    kernel = PhaseKernel(torch.ones(1, 1, 4, 3), (2, 2), None, (1, 0), (0, 0))
    padding, extra, crop, zeros = transposed_geometry(kernel)
    assert (padding, extra, crop, zeros) == ([1, 0], [0, 0], [0, 1], [(0, 0), (0, 0)])
    assert tuple(phase_conv_transpose(kernel).weight.shape) == (1, 1, 4, 3)
    early = PhaseKernel(torch.ones(1, 1, 3), (2,), None, (-2,), (0,))
    assert transposed_geometry(early)[3] == [(2, 0)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stride": (2,)}, r"stride \(2,\) has 1 axes where 2 were expected"),
        ({"kernel_size": ()}, "1, 2 or 3 axes, not 0"),
        ({"groups": 2}, "groups must divide in_channels: 2 does not divide 3"),
        ({"bias": "both"}, "bias must be one of none, channel, phase, not 'both'"),
    ],
)
def test_what_it_refuses(change, message):
    arguments = {
        "kernel_size": (3, 3),
        "stride": (2, 2),
        "padding": (1, 1),
        "output_padding": (1, 1),
    } | change
    with pytest.raises(UncheckError, match=message):
        PhaseConvTranspose(3, 4, **arguments)
    layer = PhaseConvTranspose(3, 4, (3, 3), (2, 2), (1, 1), (1, 1))
    with pytest.raises(UncheckError, match=r"takes \(batch, 3, 2 axes\), not shape \[4, 4, 4\]"):
        layer(torch.zeros(4, 4, 4))


@pytest.mark.parametrize("bias", ["none", "channel", "phase"])
def test_repr_names_the_kind_of_bias(bias):
    layer = PhaseConvTranspose(4, 2, (4,), (2,), (1,), (0,), bias=bias)
    assert layer.extra_repr() == f"4, 2, kernel_size=(4,), stride=(2,), padding=(1,), bias={bias!r}"
