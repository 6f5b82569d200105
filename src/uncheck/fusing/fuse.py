"""`uncheck.fuse`: a network whose resize-convolutions are one layer each, and the account of it."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from uncheck.errors import Kind, Refused, UncheckError
from uncheck.fusing.layers import finished
from uncheck.fusing.places import Planner, exchange, has_hooks, is_layer, rewrite
from uncheck.fusing.result import Fused, Fusion, difference, is_constant, second_input
from uncheck.fusing.sites import Site, find_sites
from uncheck.layers.resize import ResizeConv
from uncheck.progress import Progress
from uncheck.reading import Recording, as_found, copied, record, run
from uncheck.reading.graph import Graph
from uncheck.reading.tensors import tensors_in


def fuse(model: nn.Module, example_input: Any, *, progress: Progress | None = None) -> Fusion:
    """Make every resize by an integer and the convolution after it one layer, in a copy of a network.

        conv(pad(resize(x)))  =  one transposed convolution of x, kernel flip(w) * hold

    Nearest resizes of any integer factor and linear ones (align_corners=False) where that saves
    multiplications; 1-D to 3-D; as layers or functional calls; with padding between, and a BatchNorm in
    eval mode after. What cannot be fused for every input stays as it is and is listed with the reason.

    >>> net = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 8, 3, padding=1))
    >>> result = fuse(net, torch.rand(1, 3, 16, 16))
    >>> print(result.fused[0], result.refused)
    0 (nearest x 2x2) + 1 (3x3) ()

    Args:
        model: any module; it is left untouched.
        example_input: a tensor, or a tuple of positional inputs. Batch and spatial sizes may be others later.
        progress: called with what is being done, how much is done and how much there is.

    Returns:
        The new network in the mode of the old one, what was fused, what was refused and why, and the largest
        difference of the outputs, measured in eval mode on the example and on a second, random input.

    Raises:
        UncheckError: no module; no real weights; a forward that raises; a network that cannot be copied; or
            outputs that differ by more than rounding allows.

    Cost: a copy of the network and four forward passes.

    Source: the identity is known since Karras et al., Progressive Growing of GANs, 2017.
    """
    tell = progress or (lambda label, done, total: None)
    inputs = example_input if isinstance(example_input, tuple) else (example_input,)
    net = copied(model, "fuse")
    tell("reading", 0, 4)
    others = second_input(inputs)
    kept: dict[str, str] = {}
    with _attributes_kept(net, kept), _runs_counted(net) as runs:
        recording = record(net, *inputs)
    tell("reading", 1, 4)
    again, notes = _second(net, others)
    own = _finishable(net, runs)
    layers = {path for path, module in net.named_modules() if is_layer(module)}
    found = [one for one in find_sites(recording.graph, layers) if not _belongs(one, own)]
    tell("rewriting", 2, 4)
    with _attributes_kept(net):
        planner = Planner(net, recording.graph, None if again is None else again.graph, runs, kept)
        places, refused = planner.places([one for one in found if isinstance(one, Site)])
    rewrite(net, places)
    net, fused = _finish(net, own, runs)
    fused += [place.account for place in places]
    refused += [*(one for one in found if isinstance(one, Refused)), *_scripted(net)]
    tell("comparing", 3, 4)
    before = (recording.output, None if again is None else again.output)
    after = (_run(net, inputs), None if again is None else _run(net, others))
    measured = difference(before, after, _types(net, recording.graph), constant=is_constant(inputs))
    if not measured.relative <= measured.allowed:
        raise UncheckError(
            f"the fused network's output differs by {measured.relative:.2g} of its largest value, more than "
            f"rounding allows ({measured.allowed:.2g}), so it was thrown away: try the network in float64, "
            "and report this if it stays"
        )
    tell("comparing", 4, 4)
    order = {_name(one): i for i, one in reversed(list(enumerate(found)))}
    return Fusion(
        net,
        tuple(sorted(fused, key=lambda one: order.get(one.resize, 0))),
        tuple(sorted(_together(refused), key=lambda one: order.get(one.where, 0))),
        measured,
        tuple(notes),
    )


@contextmanager
def _runs_counted(net: nn.Module) -> Iterator[Counter[str]]:
    """Count how often each module of a network runs, by path."""
    paths = {id(module): path for path, module in net.named_modules()}
    runs: Counter[str] = Counter()

    def count(module: nn.Module, args: Any) -> None:
        if id(module) in paths:
            runs[paths[id(module)]] += 1

    handle = register_module_forward_pre_hook(count)
    try:
        yield runs
    finally:
        handle.remove()


@contextmanager
def _attributes_kept(net: nn.Module, kept: dict[str, str] | None = None) -> Iterator[None]:
    """Restore the attributes that the forward writes, such as counters, lists and caches.

    `kept` is given the attribute in which each module kept a tensor, by path.
    """
    named = [
        (path, module)
        for path, module in net.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)
    ]
    modules = [module for _, module in named]
    kinds = (list, dict, set)
    before = [
        {name: copy.copy(value) if type(value) in kinds else value for name, value in vars(module).items()}
        for module in modules
    ]
    try:
        yield
    finally:
        for (path, module), attributes in zip(named, before, strict=True):
            if kept is not None:
                for name in vars(module).keys() - vars(nn.Module()).keys():
                    was = {id(tensor) for tensor in tensors_in(attributes.get(name))}
                    if any(id(tensor) not in was for tensor in tensors_in(vars(module)[name])):
                        kept[path] = name
            vars(module).clear()
            vars(module).update(attributes)


def _second(net: nn.Module, inputs: tuple[Any, ...]) -> tuple[Recording | None, list[str]]:
    """Return a recording of another input, or the reason why there is none."""
    try:
        with _attributes_kept(net):
            return record(net, *inputs), []
    except UncheckError as error:
        return None, [f"outputs were compared on the example alone: on a random input {error}"]


def _finishable(net: nn.Module, runs: Mapping[str, int]) -> list[str]:
    """Return paths of this package's layers that ran, and whose weight can be fused once and for all."""
    return [
        path
        for path, module in net.named_modules()
        if isinstance(module, ResizeConv)
        and type(module).forward is ResizeConv.forward
        and module.fused
        and runs.get(path)
        and not has_hooks(module)
        and "forward" not in vars(module)
    ]


def _finish(net: nn.Module, paths: Sequence[str], runs: Mapping[str, int]) -> tuple[nn.Module, list[Fused]]:
    """Finish these layers; return the network, a new one if it was itself such a layer."""
    account = []
    for path in paths:
        old = net.get_submodule(path)
        assert isinstance(old, ResizeConv)
        name, pads = path or "the model itself", tuple((p, p) for p in old.padding)
        sizes = (old.scale_factor, old.mode, old.kernel_size, pads, old.padding_mode)
        account.append(Fused(name, name, *sizes, calls=runs[path]))
        exchange(net, old, new := finished(old))
        net = net if path else new
    return net, account


def _scripted(net: nn.Module) -> list[Refused]:
    """Return a refusal for each of the outermost modules whose calls cannot be seen."""
    paths = [path for path, module in net.named_modules() if isinstance(module, torch.jit.ScriptModule)]
    outer = [
        path for path in paths if not any(path.startswith(f"{p}." if p else "") for p in paths if p != path)
    ]
    reason = "it is TorchScript, whose calls cannot be seen; fuse the network before scripting it"
    return [Refused(Kind.unsupported, reason, path or "the model itself") for path in outer]


def _name(one: Site | Refused) -> str:
    return one.where if isinstance(one, Refused) else one.resize.label


def _belongs(one: Site | Refused, own: Sequence[str]) -> bool:
    """Test whether a resize is made inside one of these modules."""
    name = _name(one)
    return any(not path or name == path or name.startswith(f"{path}.") for path in own)


def _run(net: nn.Module, inputs: tuple[Any, ...]) -> Any:
    with _attributes_kept(net), as_found(net):
        return run(net, inputs)


def _types(net: nn.Module, graph: Graph) -> set[torch.dtype]:
    """Return the floating-point types the network computes in."""
    slots = (value for node in graph.nodes for value in (*node.args, *node.kwargs.values()))
    found = {tensor.dtype for tensor in net.parameters()} | {getattr(slot, "dtype", None) for slot in slots}
    return {kind for kind in found if isinstance(kind, torch.dtype) and kind.is_floating_point}


def _together(refused: Sequence[Refused]) -> list[Refused]:
    """Merge refusals of one place for one reason."""
    calls: Counter[tuple[str, str]] = Counter()
    for one in refused:
        calls[one.where, one.reason] += one.calls
    return [Refused(Kind.unsupported, reason, where, count) for (where, reason), count in calls.items()]
