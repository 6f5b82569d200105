"""Faults of other tools that fuse, summarise or check, each as a test; faulty fusions must be caught."""

import copy
import itertools
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import uncheck
from uncheck.cli import main
from uncheck.fusing import build
from uncheck.layers.fused import FusedResizeConv

ROUNDING = 1e-5
PICTURE = (2, 3, 7, 6)


def picture(shape=PICTURE, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def gap(a, b, given):
    with torch.no_grad():
        return float((a(given) - b(given)).abs().max())


class Same(nn.Module):
    """Convolution padded as ONNX's SAME_UPPER: the odd one comes last; SAME_LOWER: it comes first."""

    def __init__(self, kernel_size, factor, upper):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, kernel_size)
        few, many = (kernel_size - 1) // 2, kernel_size // 2
        self.pads = (few, many) * 2 if upper else (many, few) * 2
        self.factor = factor

    def forward(self, x):
        return self.conv(F.pad(F.interpolate(x, scale_factor=self.factor), self.pads))


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize(("kernel_size", "factor"), list(itertools.product((2, 3, 4, 5, 6), (2.0, 3.0, 4.0))))
def test_qonnx_even_kernels_with_uneven_padding(kernel_size, factor, upper):
    net = Same(kernel_size, factor, upper)
    result = uncheck.fuse(net, picture())
    assert len(result.fused) == 1
    assert gap(net, result.model, picture((1, 3, 9, 4))) < ROUNDING


@pytest.mark.parametrize("kernel_size", [2, 4])
def test_even_kernels_with_torchs_own_same_padding(kernel_size):
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, kernel_size, padding="same")).eval()
    result = uncheck.fuse(net, picture())
    assert result.fused[0].padding == ((kernel_size // 2 - 1, kernel_size // 2),) * 2
    assert gap(net, result.model, picture()) < ROUNDING


def test_a_fusion_that_forgets_the_odd_padding_is_caught(monkeypatch):
    """QONNX's fault, planted: the padding taken as equal on both sides."""
    honest = FusedResizeConv.from_conv

    def faulty(*args, padding, **kwargs):
        return honest(*args, padding=tuple((b, a) for a, b in padding), **kwargs)

    monkeypatch.setattr(build.FusedResizeConv, "from_conv", staticmethod(faulty))
    with pytest.raises(uncheck.UncheckError, match=r"differs by .* more than rounding allows .* thrown away"):
        uncheck.fuse(Same(4, 2.0, True), picture())


def test_a_fusion_that_forgets_the_flip_is_caught(monkeypatch):
    honest = FusedResizeConv.from_conv

    def faulty(weight, *args, **kwargs):
        return honest(weight.flip(-1), *args, **kwargs)

    monkeypatch.setattr(build.FusedResizeConv, "from_conv", staticmethod(faulty))
    with pytest.raises(uncheck.UncheckError, match="thrown away"):
        uncheck.fuse(Same(3, 2.0, True), picture())


def test_a_norm_folded_wrongly_is_caught(monkeypatch):
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    net[2].running_var.fill_(1e-4)
    honest = build.folded

    def faulty(weight, bias, norm):
        other = copy.deepcopy(norm)
        other.eps = 0.0
        return honest(weight, bias, other)

    monkeypatch.setattr(build, "folded", faulty)
    with pytest.raises(uncheck.UncheckError, match="thrown away"):
        uncheck.fuse(net, picture())


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("factor", [2, 3, 4, 5, 6, 7, 8, 11, 16])
def test_qonnx_conventions_of_nearest_by_whole_factors_are_one(factor, mode):
    """round_prefer_ceil, x 3 with round_prefer_floor: torch has neither; what it has agrees with the hold."""
    for size in (1, 2, 3, 7, 100, 1023, 4097):
        x = torch.arange(size, dtype=torch.float64).reshape(1, 1, size)
        held = x.repeat_interleave(factor, 2)
        assert torch.equal(F.interpolate(x, scale_factor=float(factor), mode=mode), held)
        assert torch.equal(F.interpolate(x, size=size * factor, mode=mode), held)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_qonnx_factor_three_and_others_are_the_same_function(factor):
    net = nn.Sequential(nn.Upsample(scale_factor=factor), nn.Conv2d(3, 4, 3, padding=1))
    result = uncheck.fuse(net, picture())
    assert len(result.fused) == 1
    assert gap(net, result.model, picture((1, 3, 33, 5))) < ROUNDING


def test_qonnx_scale_one_and_a_half_is_refused():
    net = nn.Sequential(nn.Upsample(scale_factor=1.5), nn.Conv2d(3, 4, 3, padding=1))
    result = uncheck.fuse(net, picture((1, 3, 8, 8)))
    assert result.fused == ()
    assert "the scale factor is 1.5 x 1.5 times the input's, not a whole number" in result.refused[0].reason
    assert gap(net, result.model, picture()) == 0


class Told(nn.Module):
    """A resize told a size, as ONNX's `sizes`."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x, like):
        return self.conv(F.interpolate(x, size=like.shape[2:]))


def test_qonnx_sizes_do_not_crash_and_stay_right_for_other_ratios():
    net = Told()
    result = uncheck.fuse(net, (picture((1, 3, 4, 5)), picture((1, 1, 8, 10))))
    assert len(result.fused) == 1
    with torch.no_grad():
        for size in ((8, 10), (9, 10), (8, 15), (4, 5), (5, 7), (2, 3)):
            given = picture((1, 3, 4, 5)), torch.zeros(1, 1, *size)
            assert float((net(*given) - result.model(*given)).abs().max()) < ROUNDING, size


def test_a_size_taken_for_a_factor_would_be_caught():
    """The fault that the comparison of sizes prevents: it must matter, or the test above proves nothing."""
    net = Told()
    fused = uncheck.fuse(net, (picture((1, 3, 4, 5)), picture((1, 1, 8, 10)))).model
    given = picture((1, 3, 4, 5)), torch.zeros(1, 1, 9, 10)
    assert fused.conv.fused(given[0]).shape != net(*given).shape


def test_qonnx_never_compares_outputs_but_here_they_are_measured():
    net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3, padding=1))
    measured = uncheck.fuse(net, picture()).difference
    assert 0 <= measured.example < ROUNDING
    assert 0 <= measured.random < ROUNDING
    assert measured.relative <= measured.allowed == pytest.approx(torch.finfo(torch.float32).eps ** 0.5)


def test_a_summary_tool_unfroze_a_frozen_batch_norm():
    net = nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3),
        nn.BatchNorm2d(4),
    )
    net.train()
    net[4].eval()
    before = copy.deepcopy(net.state_dict())
    result = uncheck.fuse(net, picture())
    assert [m.training for m in net] == [True, True, True, True, False]
    assert [m.training for m in result.model] == [True, True, True, True, False]
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())
    assert result.fused[0].notes == ("2 was not folded: it is in training mode",)


@pytest.mark.integration
def test_torchfix_exits_0_with_findings_but_a_refusal_exits_with_1(tmp_path, monkeypatch, capsys):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n"
        "def good():\n    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3))\n"
        "def bad():\n    return nn.Sequential(nn.Upsample(scale_factor=1.5), nn.Conv2d(3, 4, 3))\n"
    )
    monkeypatch.chdir(tmp_path)
    shape = ("--shape", "1,3,8,8")
    assert main(["fuse", "net.py:good", *shape]) == 0
    assert main(["fuse", "net.py:bad", *shape]) == 1
    assert main(["fuse", "net.py:bad", *shape, "--exit-zero"]) == 0
    assert re.search(r"0: the scale factor is 1\.5", capsys.readouterr().out)
