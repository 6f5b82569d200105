"""The fused form against loops over pixels: every padding the algebra allows, and the refusals where it does
not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oracles.layers_resize_naive import resize_conv
from uncheck.errors import UncheckError
from uncheck.layers.algebra import Fusing, fuse_matrix, fuse_weight, fusing
from uncheck.layers.eager import Forms, Weights, compute
from uncheck.layers.forms import input_pads, pad_input, phase_matrix


def both_forms(
    x: torch.Tensor, weight: torch.Tensor, plan: Fusing, mode: str, dilation: tuple[int, ...], groups: int
) -> list[torch.Tensor]:
    forms = Forms(plan, groups)
    matrix = fuse_matrix(weight.shape[2:], plan.scale_factor, mode, dilation)
    phases = None if forms.phases is None else phase_matrix(matrix, forms.phases)
    weights = Weights(matrix, phases)
    size = tuple(s * n + g for s, n, g in zip(plan.scale_factor, x.shape[2:], plan.margin, strict=True))
    x = pad_input(x, input_pads(plan))
    found = [compute(x, weight, None, weights, forms, None, last) for last in (False, True)]
    if phases is not None:
        found.append(compute(x, weight, None, weights, forms, size, False))
        fused = fuse_weight(weight, plan.scale_factor, mode, dilation, groups)
        found.append(compute(x, fused, None, None, forms, size, False))
    return found


@st.composite
def cases(draw):
    ndim = draw(st.integers(1, 2))
    sizes = st.tuples(*[st.integers(1, 4)] * ndim)
    return {
        "size": draw(st.tuples(*[st.integers(3, 5)] * ndim)),
        "kernel": draw(sizes),
        "factor": draw(sizes),
        "dilation": draw(st.tuples(*[st.integers(1, 2)] * ndim)),
        "padding": draw(st.tuples(*[st.tuples(st.integers(0, 5), st.integers(0, 5))] * ndim)),
        "mode": draw(st.sampled_from(["nearest", "linear"])),
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
        "groups": draw(st.sampled_from([1, 2])),
        "seed": draw(st.integers(0, 99)),
    }


def room(case) -> bool:
    """Whether torch itself would accept the padding and give at least one pixel."""
    axes = zip(case["size"], case["kernel"], case["factor"], case["dilation"], case["padding"], strict=True)
    for n, k, s, d, (a, b) in axes:
        limit = {"reflect": s * n - 1, "circular": s * n}.get(case["padding_mode"], 99)
        if max(a, b) > limit or s * n + a + b < d * (k - 1) + 1:
            return False
    return True


@given(cases())
def test_fused_equals_the_two_steps(case):
    arguments = (case["kernel"], case["factor"], case["mode"], case["padding"], case["padding_mode"])
    if not room(case):
        return
    try:
        plan = fusing(*arguments, case["dilation"])
    except UncheckError:
        return
    rng = np.random.default_rng(case["seed"])
    x = rng.normal(size=(2, 4, *case["size"]))
    weight = rng.normal(size=(6, 4 // case["groups"], *case["kernel"]))
    expected = resize_conv(
        x, weight, None, case["factor"], case["mode"], case["padding"], case["padding_mode"],
        case["dilation"], case["groups"],
    )  # fmt: skip
    found = both_forms(
        torch.from_numpy(x), torch.from_numpy(weight), plan, case["mode"], case["dilation"], case["groups"]
    )
    for y in found:
        assert y.shape == expected.shape
        np.testing.assert_allclose(y.numpy(), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("factor", "padding", "allowed"), [(2, 1, True), (2, 2, False), (3, 2, True), (3, 3, False), (4, 3, True)]
)
def test_reflect_is_allowed_below_the_factor_only(factor, padding, allowed):
    arguments = ((3,), (factor,), "nearest", ((padding, padding),), "reflect", (1,))
    if allowed:
        assert fusing(*arguments).continuation == ("replicate",)
    else:
        message = f"reflect padding of {padding} after a resize by {factor} splits the pixels of the input"
        with pytest.raises(UncheckError, match=message):
            fusing(*arguments)


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular"])
def test_linear_with_a_padding_it_cannot_continue_is_refused(padding_mode):
    with pytest.raises(UncheckError, match="have a step at the border that no transposed convolution has"):
        fusing((3,), (2,), "linear", ((1, 1),), padding_mode, (1,))
    # the refusal is not mere caution: with the continuation that fits elsewhere the border is wrong
    plan = fusing((3,), (2,), "linear", ((1, 1),), "replicate", (1,))
    x, weight = np.arange(1.0, 6.0).reshape(1, 1, 5) ** 2, np.ones((1, 1, 3))
    expected = resize_conv(x, weight, None, (2,), "linear", ((1, 1),), padding_mode, (1,), 1)
    found = both_forms(torch.from_numpy(x), torch.from_numpy(weight), plan, "linear", (1,), 1)[0].numpy()
    assert abs(found - expected)[..., 1:-1].max() < 1e-12
    assert abs(found - expected).max() > 0.1


def test_a_resize_that_is_no_kernel_is_refused():
    with pytest.raises(UncheckError, match="a resize of mode 'bicubic' is not a fixed kernel"):
        fusing((3,), (2,), "bicubic", ((1, 1),), "zeros", (1,))


@pytest.mark.parametrize("defect", ["flip", "shift", "padding"])
def test_the_loops_catch_a_planted_defect(defect):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(1, 2, 4, 5)), rng.normal(size=(3, 2, 3, 3))
    pads = ((1, 1), (1, 1))
    plan = fusing((3, 3), (2, 2), "nearest", pads, "replicate" if defect == "padding" else "zeros", (1, 1))
    planted = weight[..., ::-1].copy() if defect == "flip" else weight
    y = both_forms(torch.from_numpy(x), torch.from_numpy(planted), plan, "nearest", (1, 1), 1)[0].numpy()
    if defect == "shift":
        y = np.roll(y, 1, axis=-1)
    expected = resize_conv(x, weight, None, (2, 2), "nearest", pads, "zeros", (1, 1), 1)
    assert abs(y - expected).max() > 0.1


def test_the_weight_of_a_fused_layer_keeps_constants_even():
    # equal gains whatever the weights: what a resize-convolution is for
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64)
    fused = fuse_weight(weight, (2, 2), "nearest", (1, 1))
    gains = torch.stack([fused[:, :, a::2, b::2].sum((2, 3)) for a in (0, 1) for b in (0, 1)])
    torch.testing.assert_close(gains, gains[:1].expand_as(gains), rtol=0, atol=1e-12)
