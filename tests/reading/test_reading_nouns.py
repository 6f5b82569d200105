"""Nests of tensors, one run of a network, the picture among outputs, and the entries that make a kernel."""

from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tiers import examples
from uncheck.errors import UncheckError
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.reading import CallWatcher, copied, copy_modes, fresh, picture_of, record, run
from uncheck.reading.outputs import largest_maps, maps_in
from uncheck.reading.provenance import kernel_entries
from uncheck.reading.tensors import named_tensors, parts_of, replace_tensors, tensors_in

Two = namedtuple("Two", "first second")


@dataclass
class Held:
    picture: Any
    other: Any = None
    made: int = field(init=False, default=7)


tensors = st.integers(0, 99).map(lambda n: torch.full((1,), n))
leaves = tensors | st.none() | st.integers() | st.text(max_size=3)
nests = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(deque)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.dictionaries(st.integers(), inner, max_size=3).map(OrderedDict)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2).map(lambda d: defaultdict(list, d))
        | st.builds(Two, inner, inner)
        | st.builds(Held, inner, inner)
        | st.builds(slice, inner, inner)
    ),
    max_leaves=12,
)


def part(value, key):
    return dict(parts_of(value))[key]


@pytest.mark.integration
@examples(6, 200)
@given(nests)
def test_paths_lead_to_the_tensors(nest):
    found = list(named_tensors(nest))
    assert all(reduce(part, path, nest) is tensor for path, tensor in found)
    assert [id(t) for _, t in found] == [id(t) for t in tensors_in(nest)]


@examples(6, 200)
@given(nests)
def test_a_nest_replaced_has_the_same_structure_and_new_tensors(nest):
    new = replace_tensors(nest, lambda a, b: a + b, nest)
    before, after = list(named_tensors(nest)), list(named_tensors(new))
    assert [path for path, _ in before] == [path for path, _ in after]
    assert all(torch.equal(2 * a, b) for (_, a), (_, b) in zip(before, after, strict=True))
    # back again everything is equal, other values and kinds included
    back = replace_tensors(new, lambda t: t // 2)
    assert repr(back).replace("defaultdict", "") == repr(plain(nest)).replace("defaultdict", "")


def plain(value):
    """The same, in which a defaultdict is a plain dictionary, as no defaultdict is made of its items."""
    if isinstance(value, defaultdict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Two):
        return Two(*map(plain, value))
    if isinstance(value, Held):
        return Held(plain(value.picture), plain(value.other))
    if isinstance(value, slice):
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    if isinstance(value, dict):
        return type(value)((key, plain(one)) for key, one in value.items())
    return type(value)(map(plain, value)) if isinstance(value, list | tuple | deque) else value


class Spoiler(nn.Module):
    """Writes to all it is given, and draws."""

    def forward(self, x, more):
        x.add_(1)
        more["y"].zero_()
        more["list"].append(3)
        return x + torch.rand(())


def test_a_run_spoils_no_input_draws_the_same_and_needs_no_gradient():
    x, more = torch.ones(2, requires_grad=True), {"y": torch.ones(2), "list": []}
    one = run(Spoiler(), (x, more))
    torch.manual_seed(9)
    two = run(Spoiler(), (x, more))
    assert torch.equal(one, two)
    assert not one.requires_grad
    assert x.tolist() == more["y"].tolist() == [1, 1]
    assert more["list"] == []


def test_fresh_inputs_keep_their_gradient():
    x = torch.ones(2, requires_grad=True)
    (copy,) = fresh((x,))
    copy.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_a_run_that_fails_says_where_if_somebody_watched():
    model = nn.Sequential(nn.Conv2d(3, 1, 1))
    with pytest.raises(UncheckError, match=r"Sequential raised RuntimeError: .*\(1, 2, 4, 4\)"):
        run(model, (torch.zeros(1, 2, 4, 4),))
    with pytest.raises(UncheckError, match="Sequential raised RuntimeError in '0': "):
        run(model, (torch.zeros(1, 2, 4, 4),), CallWatcher(model))


def test_a_copy_with_other_layers_gets_the_modes_of_the_old():
    model = nn.Sequential(nn.Sequential(nn.Conv2d(1, 1, 1)), nn.BatchNorm2d(1)).train()
    model[1].eval()
    model[0].requires_grad_(False)
    other = copied(model, "test").eval().requires_grad_(True)
    other[0][0] = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()).eval()
    copy_modes(model, other)
    assert [m.training for m in other.modules()] == [True] * 5 + [False]
    wanted = {name: p.requires_grad for name, p in other.named_parameters()}
    assert wanted == {"0.0.0.weight": True, "0.0.0.bias": True, "1.weight": True, "1.bias": True}


shapes = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
pictures = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(shapes, st.sampled_from([torch.float32, torch.int64, torch.bool, torch.complex64])).map(
        lambda made: torch.zeros(made[0], dtype=made[1])
    ),
)


@given(st.tuples(pictures, pictures))
def test_the_picture_is_the_largest_real_map_and_each_can_be_named(outputs):
    every = [t for t in tensors_in(outputs) if t.dtype in (torch.float32, torch.int64)]
    maps = {id(t) for t in every if max(t.shape[2:]) >= 4}
    found = maps_in(outputs, 2, strict=True)
    assert {id(t) for _, t in found} == maps
    for path, tensor in found:
        assert picture_of(outputs, ".".join(map(str, path)), 2) is tensor
    largest = largest_maps(found)
    assert bool(largest) == bool(maps)
    sizes = [(t.is_floating_point(), t[0, 0].numel()) for _, t in found]
    assert [(t.is_floating_point(), t[0, 0].numel()) for _, t in largest] == [
        size for size in sizes if size == max(sizes)
    ]


@pytest.mark.integration
@examples(5, 50)
@given(
    st.integers(1, 2),
    st.tuples(st.integers(1, 4), st.integers(2, 3), st.integers(0, 1), st.integers(1, 2), st.booleans()),
)
def test_a_kernel_is_the_entries_it_is_said_to_be(ndim, sizes):
    kernel, stride, padding, groups, bias = sizes
    layer = CONV_TRANSPOSES[ndim - 1](2, 4, kernel, stride, min(padding, kernel - 1), 0, groups, bias)
    recording = record(layer, torch.ones(1, 2, *[4] * ndim))
    (stage,) = recording.stages
    weight, of_bias = kernel_entries(recording.graph, recording.stages)[0]
    rebuilt = torch.cat([torch.zeros(1), weight.value.flatten()])[weight.index]
    assert torch.equal(rebuilt, stage.kernel.weight)
    assert weight.value.data_ptr() == layer.weight.data_ptr()
    assert (of_bias is not None) is bias
    if bias:
        assert torch.equal(of_bias.value.flatten()[of_bias.index - 1], stage.kernel.bias)


def test_entries_of_sub_pixel_layers_and_none_where_they_are_sums():
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.PixelShuffle(2), nn.Upsample(scale_factor=2), nn.Conv2d(2, 1, 3)
    )
    recording = record(net, torch.ones(1, 1, 5, 5))
    shuffle, resize = recording.stages
    entries = kernel_entries(recording.graph, recording.stages)
    weight, bias = entries[shuffle.index]
    rebuilt = torch.cat([torch.zeros(1), weight.value.flatten()])[weight.index]
    assert torch.equal(rebuilt, shuffle.kernel.weight)
    assert bias.index.shape == (2, 2, 2)
    assert entries.get(resize.index, (None, None))[0] is None
