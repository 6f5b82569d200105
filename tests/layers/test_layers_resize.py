"""ResizeConv and its finished form against torch's own resize and convolution: outputs and all gradients."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

import uncheck
from layers.contract import check_contract, check_onnx, close, tiers
from uncheck.errors import UncheckError
from uncheck.layers import (
    FusedResizeConv,
    ResizeConv,
    ResizeConv1d,
    ResizeConv2d,
    ResizeConv3d,
    fused,
    phase_conv,
    resize,
)

FORMS = ("plain", "transposed", "phases")
MODES = {"nearest": ("nearest",) * 3, "linear": ("linear", "bilinear", "trilinear")}


def reference(layer: ResizeConv, x: torch.Tensor) -> torch.Tensor:
    """torch's functions, one after the other."""
    ndim = len(layer.kernel_size)
    y = F.interpolate(x, scale_factor=tuple(map(float, layer.scale_factor)), mode=MODES[layer.mode][ndim - 1])
    pads = [p for n in reversed(layer.padding) for p in (n, n)]
    if max(pads):
        y = F.pad(y, pads, mode="constant" if layer.padding_mode == "zeros" else layer.padding_mode)
    conv = (F.conv1d, F.conv2d, F.conv3d)[ndim - 1]
    return conv(y, layer.weight, layer.bias, dilation=layer.dilation, groups=layer.groups)


def take(monkeypatch, form: str) -> None:
    """Make the layers compute by one form, and in small strips."""
    monkeypatch.setattr(resize, "choose", lambda *_: form)
    monkeypatch.setattr(fused, "choose", lambda *_: form)
    monkeypatch.setattr(phase_conv, "STRIP_BYTES", 2000)


def laid_out(x: torch.Tensor, last: bool) -> torch.Tensor:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return x.contiguous(
        memory_format=formats.get(x.ndim, torch.contiguous_format) if last else torch.contiguous_format
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_output_and_gradients_are_torchs(monkeypatch, form, padding_mode, mode):
    take(monkeypatch, form)
    fusible = 0
    for ndim, k, s, last in itertools.product((1, 2, 3), (1, 3, 5), (2, 3), (False, True)):
        torch.manual_seed(0)
        layer = ResizeConv(2, 3, k, s, padding_mode=padding_mode, mode=mode, ndim=ndim, dtype=torch.float64)
        fusible += layer.fused
        x = laid_out(torch.randn(3, 2, *(4, 5, 3)[:ndim], dtype=torch.float64), last).requires_grad_()
        expected = reference(layer, x)
        gradient = torch.randn_like(expected)
        leaves = (x, layer.weight, layer.bias)
        close(layer(x), expected, 1e-12)
        for found, wanted in zip(
            torch.autograd.grad(layer(x), leaves, gradient),
            torch.autograd.grad(expected, leaves, gradient),
            strict=True,
        ):
            close(found, wanted, 1e-10)
        with torch.no_grad():
            y = layer(x)
        close(y, expected, 1e-12)
        if padding_mode == "zeros" and ndim == 2:
            assert y.stride() == expected.stride()
    # 36 each; k 1 has no padding, and reflect of 2 by 2 splits pixels
    assert fusible == {"nearest": 36, "linear": 12}[mode] or (mode, padding_mode) in {
        ("nearest", "reflect"),
        ("linear", "replicate"),
    }


@pytest.mark.parametrize("form", FORMS)
def test_groups_dilation_and_factors_per_axis(monkeypatch, form):
    take(monkeypatch, form)
    for groups, dilation, factor, size in itertools.product(
        (1, 2), (1, (2, 1)), ((2, 3), (1, 4)), (3, (1, 5))
    ):
        layer = ResizeConv(4, 6, size, factor, None, dilation, groups, padding_mode="zeros", ndim=2).double()
        x = torch.randn(2, 4, 5, 4, dtype=torch.float64)
        close(layer(x), reference(layer, x), 1e-12)
        assert layer(x).shape == (2, 6, 5 * factor[0], 4 * factor[1])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_as_near_the_truth_as_torchs(monkeypatch, form, dtype):
    take(monkeypatch, form)
    torch.manual_seed(0)
    layer = ResizeConv2d(16, 16, 3)
    x = torch.randn(2, 16, 8, 8)
    truth = reference(layer.double(), x.double())
    layer, x = layer.to(dtype), x.to(dtype)
    own, theirs = layer(x).double() - truth, reference(layer, x).double() - truth
    assert own.abs().max() < 2 * theirs.abs().max()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert copy.deepcopy(layer).float()(x.float()).dtype == torch.bfloat16


@pytest.mark.parametrize("form", FORMS)
def test_second_derivatives(monkeypatch, form):
    take(monkeypatch, form)
    layer = ResizeConv2d(1, 2, 3, dtype=torch.float64)

    def run(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    x = torch.randn(1, 1, 2, 3, dtype=torch.float64, requires_grad=True)
    leaves = (x, layer.weight.detach().requires_grad_(), layer.bias.detach().requires_grad_())
    assert torch.autograd.gradcheck(run, leaves, eps=1e-6, atol=1e-6, rtol=0.0)
    assert torch.autograd.gradgradcheck(run, leaves, eps=1e-6, atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("form", FORMS)
def test_frozen_parts_get_no_gradient(monkeypatch, form):
    take(monkeypatch, form)
    layer = ResizeConv2d(2, 2, 3)
    layer.bias.requires_grad_(False)
    layer(torch.randn(1, 2, 4, 4)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.bias.grad is None
    plain = ResizeConv2d(2, 2, 3, bias=False)
    plain(torch.randn(1, 2, 4, 4)).sum().backward()
    assert plain.weight.grad is not None


@pytest.mark.parametrize("layer", tiers([ResizeConv1d, ResizeConv2d, ResizeConv3d], ResizeConv2d))
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", tiers(["nearest", "linear"], "nearest"))
def test_contract(monkeypatch, layer, form, mode):
    take(monkeypatch, form)
    check_contract(
        lambda **factory: layer(2, 2, 3, 2, padding_mode="replicate", mode=mode, **factory),
        torch.randn(1, 2, *(2, 3, 2)[: layer._ndim]),
        keys=("weight", "bias"),
        atol=1e-5,
        half_atol=0.1,
        gradient_atol=1e-6,
    )


@pytest.mark.integration
@pytest.mark.parametrize("layer", [ResizeConv1d, ResizeConv2d, ResizeConv3d])
def test_onnx(layer):
    x = torch.randn(1, 2, *(4, 3, 5)[: layer._ndim])
    check_onnx(lambda **factory: layer(2, 3, 3, 2, **factory), x, atol=1e-5)


def test_finished_form_is_the_layer(monkeypatch):
    for form, ndim, s, mode in itertools.product(FORMS[1:], (1, 2, 3), (2, 3), ("nearest", "linear")):
        take(monkeypatch, form)
        layer = ResizeConv(2, 3, 3, s, padding_mode="replicate", mode=mode, ndim=ndim)
        done = FusedResizeConv.from_conv(
            layer.weight, layer.bias, layer.scale_factor, mode, [(1, 1)] * ndim, "replicate"
        )
        x = torch.randn(2, 2, *(4, 5, 3)[:ndim])
        close(done(x), reference(layer, x), 1e-5)
        with torch.no_grad():
            close(done(x), reference(layer, x), 1e-5)
            close(copy.deepcopy(done)(x), done(x), 0.0)
        assert sorted(done.state_dict()) == ["bias", "weight"]


def test_weight_norm_and_a_trip_through_a_checkpoint():
    layer = ResizeConv2d(2, 2, 3)
    conv = nn.Conv2d(2, 2, 3, padding=1)
    conv.load_state_dict(layer.state_dict())  # the keys and shapes are those of torch's convolution
    parametrizations.weight_norm(layer)
    x = torch.randn(1, 2, 4, 4)
    close(layer(x), reference(layer, x), 1e-5)


def test_transforms_and_watchers_see_the_two_steps():
    layer = ResizeConv2d(2, 2, 3)
    x = torch.randn(3, 1, 2, 4, 4)
    close(torch.vmap(layer)(x), torch.stack([layer(one) for one in x]), 1e-6)
    gradient = torch.func.grad(lambda value: layer(value).square().sum())(x[0])
    wanted = x[0].clone().requires_grad_()
    layer(wanted).square().sum().backward()
    close(gradient, wanted.grad, 1e-4)
    found = uncheck.inspect(
        nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), layer, nn.Conv2d(2, 3, 3)), torch.rand(1, 3, 32, 32)
    )
    assert [(one.stage.kind, one.stage.stride) for one in found.stages] == [("nearest", (2, 2))]
    assert not found.ledger.unsupported


def test_float64_stays_float64_under_autocast_and_the_batch_may_be_left_out():
    layer = ResizeConv2d(2, 2, 3).double()
    x = torch.randn(2, 4, 5, dtype=torch.float64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x[None]).dtype == torch.float64
    close(layer(x), layer(x[None])[0], 0.0)


def test_repr_names_the_padding_mode_where_something_is_padded():
    assert repr(uncheck.layers.ResizeConv2d(2, 2, 3)).endswith("padding=(1, 1), padding_mode='reflect')")
    assert "padding" not in repr(uncheck.layers.ResizeConv2d(2, 2, 3, padding=0))


def test_constants_come_out_constant():
    # what no other upsampling with weights of its own gives, up to the border with reflect padding
    layer = ResizeConv2d(3, 4, 3, 3)
    y = layer(torch.tensor([0.9, -0.4, 0.1]).reshape(1, 3, 1, 1).expand(1, 3, 6, 7))
    close(y, y[:, :, :1, :1].expand_as(y), 1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ResizeConv(1, 1, 3, 1.5),
            "scale_factor must be an integer or one integer per axis, not 1.5",
        ),
        (lambda: ResizeConv(1, 1, 3, 0), "scale_factor must be at least 1, not 0"),
        (lambda: ResizeConv(1, 1, 4), "an even kernel .* cannot be padded alike on both sides"),
        (lambda: ResizeConv(1, 1, 4, padding=1), "an even kernel .* cannot be padded alike on both sides"),
        (lambda: ResizeConv(1, 1, 3, mode="bicubic"), "mode must be one of nearest, linear"),
        (lambda: ResizeConv(1, 1, 3, padding_mode="same"), "padding_mode must be one of zeros, reflect"),
        (lambda: ResizeConv(3, 4, 3, groups=2), "groups must divide in_channels: 2 does not divide 3"),
        (lambda: ResizeConv(1, 1, (3, 3), (2, 2, 2)), "has 3 axes where 2 were expected"),
        (lambda: ResizeConv(0, 1, 3), "in_channels must be a positive integer"),
        (lambda: ResizeConv(1, 1, 3, ndim=4), "1, 2 or 3 axes, not 4"),
        (lambda: ResizeConv(1, 1, 3, mode=["nearest"]), r"mode must be one of nearest, .*not \['nearest'\]"),
        (
            lambda: ResizeConv2d(1, 1, 7, padding_mode="circular")(torch.zeros(1, 1, 1, 1)),
            r"ResizeConv2d\(1, 1, .*needs at least \[2, 2\] pixels, but the input has shape",
        ),
        (
            lambda: ResizeConv2d(1, 1, 9, padding=0)(torch.zeros(1, 1, 2, 2)),
            r"ResizeConv2d\(1, 1, .*needs at least \[5, 5\] pixels, .*: use a larger input",
        ),
        (
            lambda: ResizeConv2d(1, 1, 9)(torch.zeros(1, 1, 2, 8)),
            r"ResizeConv2d\(1, 1, .*needs at least \[3, 3\] pixels, but",
        ),
        (
            lambda: ResizeConv2d(2, 1, 3)(torch.zeros(1, 3, 4, 4)),
            r"ResizeConv2d\(2, 1, .*takes \(batch, 2, 2 axes\), not shape \[1, 3, 4, 4\]",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(UncheckError, match=message):
        make()
