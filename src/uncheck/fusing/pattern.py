"""A place of the recording, found again in a traced graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from uncheck.errors import Refusal
from uncheck.fusing.plan import Call, Place, has_hooks
from uncheck.fusing.questions import is_question
from uncheck.reading.watch import function_name


@dataclass(frozen=True)
class Match:
    """The nodes of a place.

    Attributes:
        low: what the resize takes.
        chain: the resize and what comes between it and the convolution, in order.
        passed: for each of the chain, how many of the recorded calls between have been made after it.
        conv: the convolution.
        norm: the BatchNorm to fold.
        size: the size the resize is told: numbers, a node, or a nest of both; None if it has a factor.
    """

    low: fx.Node
    chain: tuple[fx.Node, ...]
    passed: tuple[int, ...]
    conv: fx.Node
    norm: fx.Node | None
    size: Any

    @property
    def questions(self) -> tuple[fx.Node, ...]:
        """Nodes that ask the resized tensor for its shape or type."""
        return tuple(user for node in self.chain for user in node.users if is_question(user))


def match(graph: fx.Graph, module: nn.Module, place: Place) -> Match:
    """Find the nodes of a place in the graph of the module that encloses it.

    Raises:
        Refusal: the graph differs from the recording, or from what can be rewritten.
    """
    resize = _find(graph, place.resize, place)
    conv = _find(graph, place.conv, place)
    low = _input(resize)
    size = _size(module, resize, low)
    chain, passed = [resize], [0]
    while True:
        takers = [user for user in chain[-1].users if not is_question(user)]
        if len(takers) != 1:
            raise Refusal(f"other code than {place.conv.module or 'the convolution'} takes what it makes")
        (taker,) = takers
        if _input(taker) is not chain[-1]:
            raise Refusal(f"{taker.name} takes it, but not as its input")
        if taker is conv:
            break
        if any(node is not chain[-1] for node in taker.all_input_nodes):
            raise Refusal("the padding after it is computed while running")
        chain.append(taker)
        passed.append(passed[-1] + (not _does_nothing(module, taker)))
    if passed[-1] != len(place.site.between):
        raise Refusal("its forward does not do what was recorded")
    for node in conv.all_input_nodes:
        if node is not chain[-1] and not _is_constant(node):
            raise Refusal("the arguments of the convolution are computed while running")
    return Match(low, tuple(chain), tuple(passed), conv, _norm(conv, place), size)


def _find(graph: fx.Graph, call: Call, place: Place) -> fx.Node:
    path = relative(call.module, place.module)
    if call.layer:
        found = [node for node in graph.nodes if node.op == "call_module" and node.target == path]
    else:
        found = [
            node
            for node in graph.nodes
            if node.op == "call_function"
            and function_name(node.target) == call.function
            and node.meta.get("place") == path
        ]
    if len(found) != call.times:
        raise Refusal(f"{call.function} of {call.module or 'the model'} does not run as often each time")
    node: fx.Node = found[call.place]
    return node


def relative(path: str, module: str) -> str:
    """Return a path as seen from a module on it; "" for the module itself."""
    return "" if path == module else path.removeprefix(f"{module}.") if module else path


def _input(node: fx.Node) -> fx.Node:
    value = node.args[0] if node.args else node.kwargs.get("input")
    if not isinstance(value, fx.Node):
        raise Refusal(f"{node.name} takes no single tensor")
    return value


def _does_nothing(module: nn.Module, node: fx.Node) -> bool:
    """Test whether a node is an nn.Identity, which makes no call that would have been recorded."""
    if node.op != "call_module":
        return False
    layer = module.get_submodule(str(node.target))
    if type(layer) is nn.Identity and has_hooks(layer):
        raise Refusal(f"{node.target} has hooks, which would see something else")
    return type(layer) is nn.Identity


def _size(module: nn.Module, resize: fx.Node, low: fx.Node) -> Any:
    """Return the size the resize is told; other arguments must be plain."""
    if resize.op == "call_module":
        return getattr(module.get_submodule(str(resize.target)), "size", None)
    size = resize.args[1] if len(resize.args) > 1 else resize.kwargs.get("size")
    inside: list[fx.Node] = []
    fx.node.map_arg(size, inside.append)
    if any(node is not low and node not in inside for node in resize.all_input_nodes):
        raise Refusal("its factor is computed while running")
    return size


def _is_constant(node: fx.Node) -> bool:
    """Test whether a node comes from weights alone."""
    if node.op == "get_attr":
        return True
    known = node.op in ("call_function", "call_method") and bool(node.all_input_nodes)
    return known and all(_is_constant(n) for n in node.all_input_nodes)


def _norm(conv: fx.Node, place: Place) -> fx.Node | None:
    if place.norm is None:
        return None
    users = list(conv.users)
    path = relative(place.norm, place.module)
    right = len(users) == 1 and users[0].op == "call_module" and users[0].target == path
    if not right or users[0].all_input_nodes != [conv]:
        raise Refusal("its forward does not do what was recorded")
    return users[0]
