"""Nodes of a traced graph that ask for shapes, and graphs compared without them."""

from __future__ import annotations

import operator
from typing import Any

from torch import fx

QUESTIONS = frozenset({"size", "dim", "ndimension", "numel", "nelement", "is_floating_point", "__len__"})
"""Methods that ask a tensor for more than its values."""
PROPERTIES = frozenset({"shape", "ndim", "dtype", "device", "is_cuda"})


def canonical(graph: fx.Graph) -> list[Any]:
    """Return a comparable form of a graph, without unasked questions and copies for layout."""
    names: dict[fx.Node, Any] = {}
    form: list[Any] = []
    needed = _needed(graph)
    for node in graph.nodes:
        if node not in needed:
            continue
        if node.op == "call_method" and node.target == "contiguous":
            names[node] = names[node.args[0]]
            continue
        arguments = fx.node.map_arg((node.args, node.kwargs), lambda n: names[n])
        form.append((node.op, str(node.target), arguments))
        names[node] = f"%{len(form)}"
    return form


def _needed(graph: fx.Graph) -> set[fx.Node]:
    """All nodes but questions whose answer nobody takes."""
    needed: set[fx.Node] = set()
    for node in reversed(graph.nodes):
        if not is_question(node) or any(user in needed for user in node.users):
            needed.add(node)
    return needed


def is_question(node: fx.Node) -> bool:
    """Test whether a node asks for a shape or a type, or reckons with the answers; it reads no values."""
    if node.op == "call_method":
        return node.target in QUESTIONS
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return node.args[1] in PROPERTIES
    home = getattr(node.target, "__module__", "")
    reckons = home in ("_operator", "builtins", "math") and node.target is not operator.setitem
    return reckons and all(is_question(n) or n.op == "placeholder" for n in node.all_input_nodes)


def unasked(graph: fx.Graph) -> None:
    """Take out the questions whose answer nobody takes."""
    for node in reversed(graph.nodes):
        if not node.users and is_question(node):
            graph.erase_node(node)
