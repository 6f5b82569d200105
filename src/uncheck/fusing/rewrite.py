"""Put the fused layers into a network: by exchanging layers where that suffices, else with a new forward."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from torch import fx, nn

from uncheck.errors import Refusal
from uncheck.fusing.build import fused_layer
from uncheck.fusing.pattern import Match, match, relative
from uncheck.fusing.plan import Place, has_hooks, is_layer
from uncheck.fusing.questions import is_question, unasked
from uncheck.fusing.rewritten import is_guarded, rewrite_forward, shape_question
from uncheck.fusing.shapes import enlarged, resized_shape
from uncheck.fusing.tracing import Signature, Way, trace

Refusals = dict[int, str]
"""Reasons by position of the place."""


def rewrite(net: nn.Module, places: Sequence[Place], signatures: Mapping[str, Signature]) -> Refusals:
    """Fuse places of a network, in place.

    Args:
        net: the network.
        places: what to fuse.
        signatures: how each module was called, by path.

    Returns:
        Why some places were left as they are, by position.
    """
    refused: Refusals = {}
    by_module: dict[str, list[int]] = {}
    for i, place in enumerate(places):
        by_module.setdefault(place.module, []).append(i)
    for path in sorted(by_module, key=lambda p: -p.count(".") if p else 1):  # the innermost first
        module = net.get_submodule(path)
        _with_graph(module, {i: places[i] for i in by_module[path]}, signatures[path], refused)
    return refused


def _refusing(refused: Refusals, number: int, do: Any, *args: Any) -> Any:
    try:
        return do(*args)
    except Refusal as reason:
        refused[number] = str(reason)
        return None


def _is_simple(place: Place, found: Match) -> bool:
    """Test whether exchanging layers is enough: all are layers of their own, and the factor is fixed."""
    nodes = (*found.chain, found.conv)
    layers = all(node.op == "call_module" and not node.kwargs for node in nodes)
    return layers and place.once and not place.site.sized and not found.questions


def _inside(module: nn.Module, places: Sequence[Place]) -> list[nn.Module]:
    """Return the modules within `module` whose forward lies on the way to a call of these places."""
    found: dict[str, nn.Module] = {}
    for place in places:
        nodes = (place.site.resize, *place.site.between, place.site.conv)
        paths = [node.key.module for node in nodes] + ([place.norm] if place.norm else [])
        for absolute in paths:
            parts = [part for part in relative(absolute, place.module).split(".") if part]
            for end in range(1, len(parts) + 1):
                path = ".".join(parts[:end])
                one = module.get_submodule(path)
                if not is_layer(one):
                    found[path] = one
    return list(found.values())


def _substitute(module: nn.Module, place: Place) -> None:
    """Put the fused layer for the convolution, identities for the resize, the padding and the norm."""
    layer = _layer(module, place, either=False)
    for path in (place.site.resize.key.module, *(node.key.module for node in place.site.between)):
        _put(module, relative(path, place.module), nn.Identity())
    _put(module, relative(place.conv.module, place.module), layer)
    _drop_norm(module, place)


def _with_graph(
    module: nn.Module, places: Mapping[int, Place], signature: Signature, refused: Refusals
) -> None:
    """Trace the module that encloses places, and exchange layers or give it a new forward."""
    if "forward" in vars(module):
        refused.update(dict.fromkeys(places, "the forward of the module that encloses it was replaced"))
        return
    try:
        way = _trace(module, list(places.values()), signature)
    except Refusal as reason:
        if len(places) == 1:
            refused.update(dict.fromkeys(places, str(reason)))
            return
        # One place may lie in a module that cannot be traced: keep those that can be traced alone.
        kept = {}
        for i, place in places.items():
            if _refusing(refused, i, _trace, module, [place], signature) is not None:
                kept[i] = place
        if len(kept) == len(places):
            refused.update(dict.fromkeys(places, str(reason)))
        elif kept:
            _with_graph(module, kept, signature, refused)
        return
    question = shape_question(module, way)
    guarded = is_guarded(module, way)
    found = {i: _refusing(refused, i, match, way.graph, module, place) for i, place in places.items()}
    matches = {i: one for i, one in found.items() if one is not None}
    if not guarded and all(_is_simple(places[i], m) for i, m in matches.items()):
        for i in matches:
            _refusing(refused, i, _substitute, module, places[i])
        return
    before = [(one, dict(one._modules)) for one in module.modules()]
    paths = {i: _refusing(refused, i, _added_layer, module, places[i], guarded) for i in matches}
    done = {i: path for i, path in paths.items() if path is not None}
    for i, path in done.items():
        _exchange(way.graph, places[i], matches[i], path, guarded)
    if done:
        unasked(way.graph)
        try:
            rewrite_forward(module, way, question)
        except Refusal as reason:
            for one, children in before:
                one._modules.clear()
                one._modules.update(children)
            refused.update(dict.fromkeys(done, str(reason)))


def _trace(module: nn.Module, places: Sequence[Place], signature: Signature) -> Way:
    inside = _inside(module, places)
    for one in inside:
        if has_hooks(one) or "forward" in vars(one):
            raise Refusal(f"a {type(one).__name__} on the way has hooks or a forward of its own")
    return trace(module, inside, signature)


def _is_either(place: Place, guarded: bool) -> bool:
    """Test whether the convolution must also be able to work as it did before."""
    return place.site.sized or (guarded and place.conv.layer)


def _added_layer(module: nn.Module, place: Place, guarded: bool) -> str:
    """Put the fused layer into the module; its path there."""
    layer = _layer(module, place, either=_is_either(place, guarded))
    path = relative(place.conv.module, place.module)
    if not place.conv.layer:
        path = _free(module, path)
    _put(module, path, layer)
    _drop_norm(module, place)
    return path


def _exchange(graph: fx.Graph, place: Place, found: Match, target: str, guarded: bool) -> None:
    """Replace a place's nodes by one call of the layer at `target`."""
    factor = list(place.site.factor)
    resize = found.chain[0]
    either = _is_either(place, guarded)
    with graph.inserting_before(resize):
        size = found.size
        if size is None and (either or found.questions):
            size = graph.call_function(enlarged, (found.low, factor))
        given = (found.low, size) if either else (found.low,)
        made = graph.call_module(target, given)
        for node, number in zip(found.chain, found.passed, strict=True):
            added = _added(place, number)
            for question in [user for user in node.users if is_question(user)]:
                question.replace_all_uses_with(_answer(graph, question, found.low, size, added))
                graph.erase_node(question)
    last = found.norm or found.conv
    last.replace_all_uses_with(made)
    for node in (*([found.norm] if found.norm else []), found.conv, *reversed(found.chain)):
        graph.erase_node(node)
    unasked(graph)


def _answer(graph: fx.Graph, question: fx.Node, low: fx.Node, size: Any, added: list[int]) -> fx.Node:
    """Put a question about the resized tensor to the tensor before."""
    word: Any = question.args[1] if question.op == "call_function" else question.target
    if word in ("shape", "size"):
        shape = graph.call_function(resized_shape, (low, size, added))
        rest: list[Any] = [*question.args[1:], *question.kwargs.values()] if word == "size" else []
        return graph.call_function(operator.getitem, (shape, rest[0])) if rest else shape
    if question.op == "call_function":
        return graph.call_function(getattr, (low, word))
    return graph.call_method(str(word), (low,))


def _added(place: Place, number: int) -> list[int]:
    """Return how much longer each axis is after the first `number` calls that follow the resize."""
    total = [0] * len(place.site.factor)
    pads = iter(place.site.pads)
    for node in place.site.between[:number]:
        if node.name != "contiguous":
            total = [t + sum(pair) for t, pair in zip(total, next(pads)[1], strict=True)]
    return total


def _layer(module: nn.Module, place: Place, *, either: bool) -> nn.Module:
    norm = module.get_submodule(relative(place.norm, place.module)) if place.norm else None
    owner = module.get_submodule(relative(place.conv.module, place.module))
    trains = any(parameter.requires_grad for parameter in owner.parameters(recurse=place.conv.layer))
    layer = fused_layer(place, norm, either=either, trains=trains)
    return layer.train(owner.training)


def _drop_norm(module: nn.Module, place: Place) -> None:
    if place.norm:
        _put(module, relative(place.norm, place.module), nn.Identity())


def _put(module: nn.Module, path: str, layer: nn.Module) -> None:
    """Exchange a module within another, in its mode."""
    holder, _, name = path.rpartition(".")
    owner = module.get_submodule(holder)
    old = owner._modules.get(name)
    owner._modules[name] = layer.train(layer.training if old is None else old.training)


def _free(module: nn.Module, path: str) -> str:
    """Return a path for a new child of the module at `path`."""
    owner = module.get_submodule(path)
    names = (f"fused{n or ''}" for n in range(1000))
    name = next(name for name in names if not hasattr(owner, name))
    return f"{path}.{name}" if path else name
