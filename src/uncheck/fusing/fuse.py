"""`uncheck.fuse`: a network whose resize-convolutions are one layer each, and the account of it."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from uncheck.errors import Kind, Refused, UncheckError
from uncheck.fusing.difference import difference, is_constant, second_input
from uncheck.fusing.effects import watched_for_effects
from uncheck.fusing.finish import finish, finishable
from uncheck.fusing.plan import Place, Planner, is_layer
from uncheck.fusing.result import Fused, Fusion
from uncheck.fusing.rewrite import rewrite
from uncheck.fusing.sites import Site, find_sites
from uncheck.fusing.tracing import Signature
from uncheck.progress import Progress
from uncheck.reading import Recording, as_found, copied, run
from uncheck.reading.graph import Graph
from uncheck.reading.record import record_written
from uncheck.reading.tensors import replace_tensors


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

    Cost: a copy of the network and five forward passes.

    Source: the identity is known since Karras et al., Progressive Growing of GANs, 2017.
    """
    tell = progress or (lambda label, done, total: None)
    inputs = example_input if isinstance(example_input, tuple) else (example_input,)
    net = copied(model, "fuse")
    tell("reading", 0, 4)
    others = second_input(inputs)
    with _attributes_kept(net):
        with _signatures(net) as seen:
            recording = record_written(net, *inputs)
        runs = dict(seen.runs)
        tell("reading", 1, 4)
        again, notes = _second(net, others)
    signatures = seen.signatures()
    layers = {path for path, module in net.named_modules() if is_layer(module)}
    own = finishable(net, runs)
    seen_sites = tuple(site for site in find_sites(recording.graph, layers) if not _belongs(site, own))
    sites = _steady(seen_sites, again, layers)
    places, refused = Planner(net, recording.graph, runs).places(sites)
    tell("rewriting", 2, 4)
    left = rewrite(net, places, signatures)
    net, finished = finish(net, own, runs)
    refused += _scripted(net)
    refused += [
        Refused(Kind.unsupported, reason, places[i].site.name, places[i].runs) for i, reason in left.items()
    ]
    tell("comparing", 3, 4)
    before = (recording.output, None if again is None else again.output)
    with _attributes_kept(net):
        after = (_run(net, inputs), None if again is None else _run(net, others))
    measured = difference(before, after, _types(net, recording.graph), constant=is_constant(inputs))
    if not measured.relative <= measured.allowed:
        raise UncheckError(
            f"the fused network's output differs by {measured.relative:.2g} of its largest value, more than "
            f"rounding allows ({measured.allowed:.2g}), so it was thrown away: try the network in float64, "
            "and report this if it stays"
        )
    tell("comparing", 4, 4)
    names = [site.where if isinstance(site, Refused) else site.name for site in sites]
    order = {name: i for i, name in reversed(list(enumerate(names)))}
    fused = [*finished, *(_account(place) for i, place in enumerate(places) if i not in left)]
    return Fusion(
        net,
        tuple(sorted(fused, key=lambda one: order.get(one.resize, 0))),
        tuple(sorted(_together(refused), key=lambda one: order.get(one.where, 0))),
        measured,
        tuple(notes),
    )


class _Seen:
    """Arguments of each module of a network in one forward pass."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self._calls: dict[str, Any] = {}

    def hook(self, path: str) -> Callable[..., None]:
        def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self.runs[path] += 1
            if path not in self._calls:
                try:
                    bound = inspect.signature(type(module).forward).bind(module, *args, **kwargs)
                except (TypeError, ValueError):
                    return
                bound.apply_defaults()
                values = dict(list(bound.arguments.items())[1:])
                self._calls[path] = replace_tensors(values, lambda t: _Shape(tuple(t.shape), t.dtype))

        return note

    def signatures(self) -> dict[str, Signature]:
        return {path: Signature(_stand_ins(values)) for path, values in self._calls.items()}


class _Shape:
    """Shape and type of a tensor, to make a stand-in of once nothing is recorded any more."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.shape, self.dtype = shape, dtype


def _stand_ins(value: Any) -> Any:
    return replace_tensors(
        value, lambda shape: torch.empty(shape.shape, dtype=shape.dtype, device="meta"), kind=_Shape
    )


@contextmanager
def _signatures(net: nn.Module) -> Iterator[_Seen]:
    seen = _Seen()
    handles = [
        module.register_forward_pre_hook(seen.hook(path), with_kwargs=True)
        for path, module in net.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _second(net: nn.Module, inputs: tuple[Any, ...]) -> tuple[Recording | None, list[str]]:
    """Return a recording of another input, or the reason why there is none."""
    try:
        return record_written(net, *inputs), []
    except UncheckError as error:
        return None, [f"outputs were compared on the example alone: on a random input {error}"]


def _steady(
    sites: tuple[Site | Refused, ...], again: Recording | None, layers: set[str]
) -> list[Site | Refused]:
    """Refuse what is another resize, or has another weight, in another run."""
    if again is None:
        return list(sites)
    other = {s.resize.key: s for s in find_sites(again.graph, layers) if isinstance(s, Site)}
    return [
        site
        if isinstance(site, Refused) or _alike(site, other.get(site.resize.key))
        else Refused(
            Kind.unsupported, "it is not the same in another run, on an input of the same shape", site.name
        )
        for site in sites
    ]


def _alike(a: Site, b: Site | None) -> bool:
    if b is None or a.conv.key != b.conv.key:
        return False
    weights = a.plain.weight, b.plain.weight
    biases = a.plain.bias, b.plain.bias
    same = all(
        x is y or (x is not None and y is not None and torch.equal(x, y)) for x, y in (weights, biases)
    )
    return same and (a.factor, a.mode, a.sized, a.pads, a.own) == (b.factor, b.mode, b.sized, b.pads, b.own)


@contextmanager
def _attributes_kept(net: nn.Module) -> Iterator[None]:
    """Put back what the forward writes to plain attributes, such as counters and caches."""
    modules = [module for module in net.modules() if not isinstance(module, torch.jit.ScriptModule)]
    with watched_for_effects(modules):
        yield


def _scripted(net: nn.Module) -> list[Refused]:
    """Return a refusal for each of the outermost modules whose calls cannot be seen."""
    paths = [path for path, module in net.named_modules() if isinstance(module, torch.jit.ScriptModule)]
    outer = [
        path for path in paths if not any(path.startswith(f"{p}." if p else "") for p in paths if p != path)
    ]
    reason = "it is TorchScript, whose calls cannot be seen; fuse the network before scripting it"
    return [Refused(Kind.unsupported, reason, path or "the model itself") for path in outer]


def _belongs(site: Site | Refused, own: Collection[str]) -> bool:
    """Test whether a resize is made inside one of these modules."""
    name = site.where if isinstance(site, Refused) else site.name
    return any(not path or name == path or name.startswith(f"{path}.") for path in own)


def _run(net: nn.Module, inputs: tuple[Any, ...]) -> Any:
    with as_found(net):
        return run(net, inputs)


def _types(net: nn.Module, graph: Graph) -> set[torch.dtype]:
    """Return the floating-point types the network computes in."""
    found = {tensor.dtype for tensor in net.parameters()}
    for node in graph.nodes:
        for value in (*node.args, *node.kwargs.values()):
            kind = getattr(value, "dtype", None)
            if isinstance(kind, torch.dtype):
                found.add(kind)
    return {kind for kind in found if kind.is_floating_point}


def _together(refused: list[Refused]) -> list[Refused]:
    """Return one entry for several refusals of one resize with one reason."""
    calls: Counter[tuple[str, str]] = Counter()
    for one in refused:
        calls[one.where, one.reason] += one.calls
    return [Refused(Kind.unsupported, reason, resize, count) for (resize, reason), count in calls.items()]


def _account(place: Place) -> Fused:
    site = place.site
    conv = place.conv.module if place.conv.layer else f"{place.conv.module}.{place.conv.function}".lstrip(".")
    return Fused(
        site.name,
        conv,
        site.factor,
        site.kind,
        tuple(site.plain.kernel_size),
        place.padding[1],
        place.padding[0],
        place.norm,
        place.runs,
        place.notes,
    )
