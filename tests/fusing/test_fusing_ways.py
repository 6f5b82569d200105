"""What an example does not show: other sizes in exports, other modes, arguments left out, outputs of other
kinds."""

import collections
import enum

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import uncheck
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
    # The default of newer torch, said for 2.6, the oldest.
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


@pytest.mark.parametrize("net", [Precise(), Frozen()])
def test_switches_to_what_is_already_so_are_refused(net):
    with torch.no_grad():
        result = uncheck.fuse(net, picture())
    assert not result.fused
    assert "switches gradients or autocast" in result.refused[0].reason


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
    assert type(result.model(picture())) is collections.OrderedDict
    assert "makes a OrderedDict" in result.refused[0].reason


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


def test_a_forward_that_cannot_be_written_down_leaves_the_rest_fused():
    net = nn.Sequential(Named(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3))
    result = uncheck.fuse(net, picture())
    assert "cannot be written down" in result.refused[0].reason
    assert [one.conv for one in result.fused] == ["2"]
    torch.testing.assert_close(result.model(picture()), net(picture()), rtol=0, atol=1e-5)


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
