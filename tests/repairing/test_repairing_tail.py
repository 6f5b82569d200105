"""The tail of a network, run from memory, is the whole network: outputs, gradients, awkward forwards."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from uncheck.reading.tensors import tensors_in
from uncheck.repairing.methods.distill.tail import Strayed, Tail, bytes_of


class Net(nn.Module):
    """Two early convolutions and two late ones; only the late ones are trained."""

    def __init__(self, way):
        super().__init__()
        self.way = way
        self.early = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.late = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 3, 1)

    def forward(self, x, *more):
        return WAYS[self.way](self, x, *more)


def plain(net, x):
    return net.last(F.relu(net.late(net.second(F.relu(net.early(x))))))


def skip(net, x):
    a = net.early(x)
    b = net.second(F.relu(a))
    return net.last(net.late(b) + a + 0.5 * b)


def in_place(net, x):
    y = net.early(x).relu_()
    y *= 0.7
    z = net.second(y)
    z += y
    z = net.late(z)
    z += 1
    return net.last(z.relu_())


def discarded(net, x):
    """The result of an in-place call is not used, but its argument is."""
    y = net.early(x)
    F.relu(y, inplace=True)
    return net.last(net.late(y))


def added_to_early(net, x):
    """The tail writes to what came before it."""
    y = net.second(net.early(x))
    y += net.late(F.relu(y))
    return net.last(y)


def written_slices(net, x):
    y = net.early(x)
    y[:, 0] = y[:, 0] * 2 + 1
    z = torch.zeros_like(y)
    z[:, :2] = net.late(y)[:, 1:3]
    return net.last(z)


def changed_between(net, x):
    """What the tail takes is changed, and taken again."""
    y = net.early(x)
    z = net.late(net.second(y)) + y
    y.mul_(2)
    return net.last(z * y)


def functional(net, x):
    y = F.conv2d(x, net.early.weight, net.early.bias, padding=1)
    y = F.avg_pool2d(F.leaky_relu(y, 0.2), 2)
    y = F.interpolate(y, scale_factor=2)
    return F.conv2d(F.conv2d(y, net.late.weight, padding=1).sigmoid(), net.last.weight)


def nested(net, x):
    y = net.early(x)
    z = net.late(y)
    return {"early": y, "pictures": [net.last(z), (z, 3)], "none": None}


def pieces(net, x):
    a, b = net.early(x).chunk(2, 1)
    most = torch.max(net.second(torch.cat([b, a], 1)), dim=1, keepdim=True)
    values, _ = a.sort(dim=1)
    return net.last(net.late(torch.cat([a, b], 1)) * most.values + values.mean())


def shapes(net, x):
    y = net.early(x)
    n, c, h, w = y.shape
    y = net.second(y.reshape(n, c * h, w).view(n, c, h, w))
    y = y[..., : y.size(2) - 2, : y.shape.numel() // (n * c * h) - 2]
    return net.last(net.late(y) / (h * w) ** 0.5)


def dead(net, x):
    """A branch that nobody looks at, before and after the trained part."""
    y = net.early(x)
    net.second(y).sigmoid()
    z = net.late(y)
    net.second(z).mean()
    return net.last(z)


def values(net, x):
    """Numbers taken out of tensors, before the tail."""
    y = net.early(x)
    y = y / y.abs().max().item()
    scale = float(y.std())
    return net.last(net.late(y) * scale + len(y.mean((0, 2, 3)).tolist()))


def branching(net, x):
    """Inputs go different ways."""
    y = net.early(x)
    y = net.second(y).relu() if bool(x.mean() > 0) else y.tanh()
    return net.last(net.late(y))


def detached(net, x):
    """What depends on the trained part but carries no gradient is not remembered."""
    y = net.late(net.early(x))
    with torch.no_grad():
        size = y.abs().mean()
        size = size.sqrt() * 2
    weight = net.late.weight.detach().square().mean()
    return net.last(y / size * weight.sqrt()) + y.detach().mean().exp()


def made_here(net, x):
    grid = torch.linspace(-1, 1, x.shape[-1]).expand(1, 1, *x.shape[-2:])
    y = net.early(x) + grid
    return net.last(net.late(y) + torch.arange(4.0)[None, :, None, None] * grid)


def writes_input(net, x):
    """The network writes to its own input."""
    x.sub_(0.5)
    return net.last(net.late(net.early(x)))


def two_inputs(net, x, gain):
    return net.last(net.late(net.early(x) * gain) + gain)


def no_memory(net, x):
    """The tail begins at the input."""
    return net.last(net.late(torch.cat([x, x[:, :1]], 1)))


WAYS = {
    way.__name__: way
    for way in (
        plain, skip, in_place, discarded, added_to_early, written_slices, functional, nested, pieces, shapes,
        dead, values, branching, detached, made_here, writes_input, two_inputs, no_memory, changed_between,
    )
}  # fmt: skip
#: Where the replay may give up, which it must say.
MAY_STRAY = {"changed_between"}


def network(way):
    torch.manual_seed(0)
    net = Net(way).eval().requires_grad_(False)
    for module in (net.late, net.last):
        module.requires_grad_(True)
    return net


def calls(way):
    torch.manual_seed(1)
    out = []
    for n in range(3):
        x = torch.randn(2, 3, 10, 12) + (-1) ** n * 0.5
        out.append((x, torch.tensor(1.5 + n)) if way == "two_inputs" else (x,))
    return out


def copied(inputs):
    return tuple(x.clone() for x in inputs)


def changed(net):
    """Other weights of the trained part, as a step of training gives."""
    with torch.no_grad():
        for module in (net.late, net.last):
            for p in module.parameters():
                p += 0.2 * torch.randn_like(p)


def outcome(net, output):
    """Outputs, and the gradients of the sum of their squares."""
    tensors = list(tensors_in(output))
    net.zero_grad()
    sum(t.square().sum() for t in tensors if t.requires_grad).backward()
    trained = [*net.late.parameters(), *net.last.parameters()]
    return [t.detach().clone() for t in tensors], [p.grad.clone() for p in trained if p.grad is not None]


def same(one, two):
    return all(
        len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(one, two, strict=True)
    )


def replayed(net, given):
    """Whether tails from memory equal full runs under other weights; Strayed passes."""
    tail = Tail(net)
    kept = [tail.remember(inputs) for inputs in given]
    changed(net)
    full = [outcome(net, net(*copied(inputs))) for inputs in given]
    with torch.no_grad():  # nothing before the tail is computed again
        for module in (net.early, net.second):
            for p in module.parameters():
                if net.way not in ("functional", "dead"):
                    p.fill_(torch.nan)
    return all(
        same(outcome(net, tail(copied(inputs), memory)), wanted)
        for inputs, memory, wanted in zip(given, kept, full, strict=True)
    )


@pytest.mark.parametrize("way", WAYS)
def test_the_tail_from_memory_is_the_whole_network(way):
    net, given = network(way), calls(way)
    before = [copied(inputs) for inputs in given]
    try:
        assert replayed(net, given)
    except Strayed:
        assert way in MAY_STRAY
    # inputs are not written to
    assert all(
        torch.equal(x, y)
        for one, two in zip(given, before, strict=True)
        for x, y in zip(one, two, strict=True)
    )


def test_the_oracle_catches_the_memory_of_another_input():
    net, (one, two, _) = network("skip"), calls("skip")
    tail = Tail(net)
    tail.remember(one)
    kept = tail.remember(two)
    wanted = outcome(net, net(*one))
    assert not same(outcome(net, tail(one, kept)), wanted)
    assert same(outcome(net, tail(one, tail.remember(one))), wanted)


def test_the_oracle_catches_a_trained_part_that_is_remembered():
    """With the late convolution frozen while remembering, its old output is what is kept."""
    net, (inputs, *_) = network("plain"), calls("plain")
    net.late.requires_grad_(False)
    tail = Tail(net)
    kept = tail.remember(inputs)
    net.late.requires_grad_(True)
    changed(net)
    assert not same([outcome(net, tail(inputs, kept))[0]], [outcome(net, net(*inputs))[0]])


def test_outputs_can_be_written_to_without_spoiling_the_memory():
    net, (inputs, *_) = network("nested"), calls("nested")
    tail = Tail(net)
    kept = tail.remember(inputs)
    first = tail(inputs, kept)["early"]
    was = first.clone()
    first.zero_()
    assert torch.equal(tail(inputs, kept)["early"], was)


def test_another_way_strays():
    """Whoever runs one way with what was remembered of another is told."""
    net, (one, two, _) = network("branching"), calls("branching")
    tail = Tail(net)
    kept = tail.remember(one)
    net.way = "dead"
    with pytest.raises(Strayed):
        tail(two, kept)


def test_only_what_the_tail_takes_is_kept():
    net, (inputs, *_) = network("plain"), calls("plain")
    kept = Tail(net).remember(inputs)
    assert bytes_of(kept) == 2 * 4 * 10 * 12 * 4  # the output of the second convolution, float32
