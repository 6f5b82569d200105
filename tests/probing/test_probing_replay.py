"""Edited runs watch only the modules that make the edited calls, and edit what a full watch would."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import _get_current_function_mode_stack

from uncheck.probing import made_up
from uncheck.probing.counterfactuals import evening, mending, scrambling
from uncheck.probing.replay import Replay
from uncheck.reading import CallWatcher, record, run


class Block(nn.Module):
    """Calls its functions itself, twice, around modules of its own."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 4, 3, 2, 1, 1)

    def forward(self, x):
        x = F.pixel_shuffle(self.conv(x), 2)
        x = self.up(x).relu()
        return F.avg_pool2d(F.pixel_shuffle(self.conv(x), 2), 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head, self.block, self.tail = nn.Conv2d(3, 4, 3), Block(), nn.Conv2d(4, 3, 3)

    def forward(self, x):
        return self.tail(self.block(self.block(self.head(x))))


class Everywhere(Replay):
    """The full watch, as an oracle."""

    def __enter__(self):
        self._everywhere = True
        return CallWatcher.__enter__(self)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.mark.parametrize("edit", [evening, mending, scrambling])
@pytest.mark.parametrize("which", [slice(None), slice(1), slice(1, 2), slice(3, None)])
def test_the_same_as_a_full_watch(net, edit, which):
    x = made_up((1, 3, 20, 20))
    stages = record(net, x).stages
    options = {"second_order": True} if edit is evening else {}
    edits = edit(stages[which], **options)
    fast, slow = Replay(net, edits), Everywhere(net, edits)
    assert torch.equal(run(net, (x,), fast), run(net, (x,), slow))
    assert fast.met == slow.met == set(edits)
    assert not torch.equal(run(net, (x,), Replay(net, edits)), run(net, (x,)))


def test_fewer_calls_are_watched_and_nothing_is_left_behind(net):
    x = made_up((1, 3, 20, 20))
    (stage,) = [s for s in record(net, x).stages if s.name == "block.up"][:1]
    watch, whole = Replay(net, evening([stage], second_order=False)), Everywhere(net, {})
    run(net, (x,), watch)
    run(net, (x,), whole)
    assert watch.calls == 2 < whole.calls
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert not _get_current_function_mode_stack()


def test_a_forward_that_raises_leaves_no_watch(net):
    x = made_up((1, 3, 20, 20))
    stages = record(net, x).stages

    def fail(tensor):
        raise RuntimeError("no more")

    with pytest.raises(Exception, match="no more"):
        run(net, (x,), Replay(net, {stages[1].even_key: fail}))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert not _get_current_function_mode_stack()


class Written(nn.Module):
    """Write four phases, by assignment or through views."""

    def __init__(self, through_views):
        super().__init__()
        self.through_views, self.conv = through_views, nn.Conv2d(3, 12, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        out = torch.zeros(len(y), 3, 2 * y.shape[2], 2 * y.shape[3])
        for k, part in enumerate(y.chunk(4, 1)):
            if self.through_views:
                out[:, :, k // 2 :: 2, k % 2 :: 2].copy_(part)
            else:
                out[:, :, k // 2 :: 2, k % 2 :: 2] = part
        return out * 1.0


@pytest.mark.parametrize("edit", [evening, mending, scrambling])
def test_the_whole_is_edited_where_the_last_write_is_through_a_view(edit):
    x = made_up((1, 3, 20, 20))
    options = {"second_order": True} if edit is evening else {}
    found = []
    for through_views in (True, False):
        torch.manual_seed(0)
        net = Written(through_views).eval()
        edits = edit(record(net, x).stages, **options)
        replay = Replay(net, edits)
        found.append(run(net, (x,), replay))
        assert replay.met == set(edits)
        assert not torch.equal(found[-1], run(net, (x,)))
    assert torch.equal(*found)
