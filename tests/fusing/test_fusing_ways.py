"""What an example does not show: other sizes in exports, other modes, arguments left out, outputs of other
kinds."""

import collections
import enum
from collections import UserDict
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import uncheck
from fusing.zoo import fused, make
from uncheck.fusing.lazy import lazy_class
from uncheck.layers import FusedResizeConv, ResizeConv, ResizeConv1d


class Act(enum.Enum):
    RELU = 1


class Up(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def up(self, x):
        return self.conv(F.interpolate(x, scale_factor=2))


def picture(*shape):
    return torch.randn(*(shape or (2, 3, 6, 5)), generator=torch.Generator().manual_seed(1))


class ToSize(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.conv = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 2, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(self.down(x), size=x.shape[2:]))


def test_exports_stay_right_at_sizes_of_no_whole_ratio():
    net = ToSize().eval()
    fused = uncheck.fuse(net, picture(1, 3, 16, 16)).model
    open_sizes = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
    example = (picture(2, 3, 16, 20),)
    # The default of newer torch; the strict way of torch 2.6 does not trace what is put off.
    program = torch.export.export(fused, example, dynamic_shapes=(open_sizes,), strict=False).module()
    traced = torch.jit.trace(fused, picture(1, 3, 16, 16))
    odd = picture(1, 3, 13, 17)
    for way in (program, traced, fused):
        torch.testing.assert_close(way(odd), net(odd), rtol=0, atol=1e-5)


class Precise(Up):
    def forward(self, x):
        with torch.autocast("cpu", enabled=False):
            return self.up(x.float())


class Frozen(Up):
    def forward(self, x):
        with torch.no_grad():
            return self.up(x)


@pytest.mark.parametrize("kind", [Precise, Frozen])
def test_switches_of_gradients_and_autocast_stay(kind):
    net = kind()
    fused = uncheck.fuse(net, picture()).model
    for enabled in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            want, got = net(picture()), fused(picture())
        assert want.dtype is got.dtype
        assert want.requires_grad is got.requires_grad
        torch.testing.assert_close(got, want, rtol=0, atol=1e-5 if want.dtype is torch.float32 else 0.02)


class Detached(Up):
    def forward(self, x):
        with torch.no_grad():
            y = F.interpolate(x, scale_factor=2)
        return self.conv(y)


def test_what_was_resized_without_gradients_has_none():
    net = Detached()
    fused = uncheck.fuse(net, picture()).model
    x = picture().requires_grad_()
    for one in (net, fused):
        loss = one(x).sum()
        assert loss.requires_grad
        assert torch.autograd.grad(loss, x, allow_unused=True) == (None,)


class InPlace(Up):
    def forward(self, x, flag=False):
        x = x + 0
        y = F.interpolate(x, scale_factor=2)
        if flag:
            x.add_(1)
        if flag is None:
            F.relu(x, True)
        return self.conv(y) + x.mean()


@pytest.mark.parametrize("flag", [False, True, None])
def test_a_write_between_resize_and_convolution_is_seen(flag):
    net = InPlace()
    fused = uncheck.fuse(net, picture())
    assert len(fused.fused) == 1
    torch.testing.assert_close(fused.model(picture(), flag), net(picture(), flag), rtol=0, atol=1e-5)


class EarlyWayOut(Up):
    def forward(self, x, way="conv"):
        y = F.interpolate(x, scale_factor=2)
        if way == "out":
            return {"large": [y]}
        if way == "kind" and not isinstance(y, torch.Tensor):
            raise TypeError("no tensor")
        if way == "mean":
            return y.mean() + torch.cat([y, y]).sum() + (2 - y).flatten()[3] + max(y.shape)
        y[:, :1] *= 1 if way != "slice" else 0
        return self.conv(y if way != "pad" else F.pad(y, (2, 1, 0, 1)))


@pytest.mark.parametrize("way", ["conv", "out", "kind", "mean", "slice", "pad"])
def test_every_other_way_gets_the_resized_tensor(way):
    net, other = EarlyWayOut(), EarlyWayOut()
    other.__class__ = lazy_class(EarlyWayOut)
    want, got = net(picture(), way), other(picture(), way)
    if way == "out":
        want, got = want["large"][0], got["large"][0]
        assert type(got) is torch.Tensor
    torch.testing.assert_close(got, want, rtol=0, atol=1e-4)


class ChildMode(Up):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        y = self.up(x)
        return self.drop(y) if self.drop.training else y * 3


def test_the_mode_of_a_layer_inside_is_not_frozen():
    net = ChildMode().eval()
    fused = uncheck.fuse(net, picture()).model
    outputs = []
    for one in (net.train(), fused.train()):
        torch.manual_seed(0)
        outputs.append(one(picture()))
    torch.testing.assert_close(outputs[1], outputs[0], rtol=0, atol=1e-5)


class Ordered(Up):
    def forward(self, x):
        return collections.OrderedDict(out=self.up(x))


def test_an_output_of_another_kind_is_kept():
    result = uncheck.fuse(Ordered(), picture())
    assert result.fused
    assert type(result.model(picture())) is collections.OrderedDict


class Skip(Up):
    def forward(self, x, skip=None):
        y = self.up(x)
        return y if skip is None else y + skip


def test_an_argument_of_the_example_may_be_left_out_later():
    net = Skip()
    result = uncheck.fuse(net, (picture(), picture(2, 4, 12, 10)))
    assert result.fused
    torch.testing.assert_close(result.model(picture()), net(picture()), rtol=0, atol=1e-5)


class Named(Up):
    def forward(self, x, act=Act.RELU, last=False):
        return self.up(x)


def test_defaults_of_any_kind():
    net = nn.Sequential(Named(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3))
    result = uncheck.fuse(net, picture())
    assert [one.conv for one in result.fused] == ["0.conv", "2"]
    torch.testing.assert_close(result.model(picture()), net(picture()), rtol=0, atol=1e-5)


def test_a_norm_that_a_flag_leaves_out_is_not_folded():
    net, model = make("a norm that may be left out"), fused("a norm that may be left out").model
    for norm in (True, False):
        torch.testing.assert_close(model(picture(), norm), net(picture(), norm), rtol=0, atol=1e-5)


def test_a_constant_example_before_a_norm_is_judged_on_the_second_input():
    net = nn.Sequential(
        nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(3, 8, 3), nn.InstanceNorm2d(8)
    )
    result = uncheck.fuse(net, torch.ones(1, 3, 8, 8))
    assert len(result.fused) == 1
    assert result.difference.relative < 1e-4


@pytest.mark.parametrize("groups", [1, 3])
def test_layers_of_this_package_are_finished(groups):
    shared = ResizeConv(3, 6, 3, groups=groups)
    net = nn.Sequential(shared, nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(6, 2, 3, padding=1))
    result = uncheck.fuse(net, picture())
    assert isinstance(result.model[0], FusedResizeConv)
    assert isinstance(net[0], ResizeConv)
    assert len(result.fused) == 2
    assert not result.refused
    torch.testing.assert_close(result.model(picture()), net(picture()), rtol=0, atol=1e-5)
    assert isinstance(uncheck.fuse(ResizeConv1d(2, 2, 3), picture(1, 2, 9)).model, FusedResizeConv)


def test_a_resize_conv_that_cannot_be_fused_stays():
    net = nn.Sequential(ResizeConv(3, 4, 5))  # reflect padding of 2 by 2
    result = uncheck.fuse(net, picture())
    assert not result.fused
    assert len(result.refused) == 1


class Doubled(ResizeConv):
    def forward(self, x):
        return 2 * super().forward(x)


def test_a_subclass_with_a_forward_of_its_own_is_not_finished():
    net = nn.Sequential(Doubled(3, 4, 3))
    result = uncheck.fuse(net, picture())
    assert isinstance(result.model[0], Doubled)
    assert not result.fused
    torch.testing.assert_close(result.model(picture()), net(picture()), rtol=0, atol=1e-5)


@dataclass
class Two:
    fused: torch.Tensor
    plain: torch.Tensor


class Beside(nn.Module):
    """Returns a convolved and a merely resized picture in a container of its own kind."""

    def __init__(self, kind):
        super().__init__()
        self.conv, self.kind, self.seen = nn.Conv2d(3, 4, 3, padding=1), kind, []

    def forward(self, x):
        made, plain = self.conv(F.interpolate(x, scale_factor=2)), F.interpolate(x, scale_factor=4)
        if self.kind == "attribute":
            self.last = plain
        if self.kind == "list":
            self.seen.append(plain)
        return Two(made, plain) if self.kind == "data class" else UserDict(fused=made, plain=plain)


@pytest.mark.parametrize("kind", ["data class", "mapping", "attribute", "list"])
def test_what_is_merely_resized_is_a_tensor_and_does_not_change_with_the_input(kind):
    net = Beside(kind).eval()
    result, x = uncheck.fuse(net, picture(1, 3, 8, 8)), picture(1, 3, 8, 8)
    out, want = result.model(x), F.interpolate(x, scale_factor=4)
    plain = {"attribute": lambda: result.model.last, "list": lambda: result.model.seen[0]}
    got = plain.get(kind, lambda: out.plain if kind == "data class" else out["plain"])()
    x.zero_()
    assert type(got) is torch.Tensor
    assert torch.equal(got, want)
    if kind in plain:
        reason = f"its forward keeps a tensor in the attribute '{'last' if kind == 'attribute' else 'seen'}'"
        assert result.refused[0].reason == reason
    else:
        assert len(result.fused) == 1
