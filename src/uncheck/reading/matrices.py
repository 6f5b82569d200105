"""Resizes by a constant matrix: each block of its rows is the block before, moved on by a column."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor

from uncheck.reading.calls import arguments
from uncheck.reading.constants import known, slots_of
from uncheck.reading.graph import Graph, Node, Slot


@dataclass(frozen=True)
class Stretched:
    """An axis of a call's output that a matrix made longer: by how much, and the kind of resize."""

    dim: int
    factor: int
    kind: str


def stretched(graph: Graph, node: Node) -> tuple[Stretched, ...]:
    """Return the axes that a product with constant matrices enlarges evenly; none for other calls."""
    if node.name not in PRODUCTS or node.layer is not None:
        return ()
    found = []
    for dim, matrix in _applied(graph, node):
        read = read_matrix(matrix)
        if read is not None:
            found.append(Stretched(dim % len(node.shape), *read))
    return tuple(found)


def read_matrix(matrix: Tensor) -> tuple[int, str] | None:
    """Return by how much a matrix (output, input) enlarges, and the kind of resize; None if it is no resize.

    Its middle half is compared; ends may treat borders as they like.
    """
    rows, columns = matrix.shape
    if columns < 4 or rows % columns or rows == columns:
        return None
    factor, middle = rows // columns, columns // 2
    one, two = matrix[factor * middle], matrix[factor * middle - factor]
    if float((one[2:] - two[1:-1]).abs().max()) > 1e-5 * float(one.abs().max()):
        return None
    matrix = matrix.double()
    inner = matrix[factor : rows - factor, 1 : columns - 1]
    quarter = (columns - 2) // 4
    blocks = inner[quarter * factor : (columns - 2 - quarter) * factor]
    if len(blocks) < 2 * factor or not bool(blocks.any()):
        return None
    moved = blocks[factor:, 1:] - blocks[:-factor, :-1]
    if float(moved.abs().max()) > 1e-5 * float(matrix.abs().max()):
        return None
    used = (blocks != 0).sum(1)
    if int(used.min()) == 0:
        return factor, "transposed"
    return factor, "nearest" if int(used.max()) == 1 else "linear"


def _applied(graph: Graph, node: Node) -> list[tuple[int, Tensor]]:
    """Return the constant matrices of a call as (output, input), each with the output axis it makes."""
    slots = slots_of(node)
    constant = [_matrix(graph, slot) for slot in slots]
    if all(one is not None for one in constant):
        return []
    if node.name == "einsum":
        return _letters(node, constant)
    if node.name == "linear":
        weight = arguments(node).get("weight")
        value = _matrix(graph, weight) if isinstance(weight, Slot) else None
        return [] if value is None else [(-1, value)]
    left, right = (constant[i] if len(constant) > i else None for i in (0, 1))
    if left is not None:
        return [(-2, left)]
    return [] if right is None else [(-1, right.T)]


def _letters(node: Node, constant: list[Tensor | None]) -> list[tuple[int, Tensor]]:
    equation = node.args[0]
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        return []
    terms, result = equation.replace(" ", "").split("->")
    found = []
    for term, value in zip(terms.split(","), constant, strict=False):
        if value is None or len(term) != 2:
            continue
        new, old = (term[0], term[1]) if term[0] in result else (term[1], term[0])
        if new in result and old not in result:
            found.append((result.index(new), value if term[0] == new else value.T))
    return found


def _matrix(graph: Graph, slot: Slot) -> Tensor | None:
    """Return the values of a constant with two axes beside axes of one entry."""
    value = known(slot) if slot.node is None or not graph.nodes[slot.node].signal else None
    if value is None or value.dim() < 2 or value.shape[:-2].numel() != 1 or value.is_complex():
        return None
    return value.reshape(value.shape[-2:]) if value.is_floating_point() else None


def factors_of(found: tuple[Stretched, ...]) -> dict[int, Fraction]:
    """Return output over input positions of each axis."""
    return {one.dim: Fraction(one.factor) for one in found}


PRODUCTS = frozenset({"matmul", "mm", "bmm", "einsum", "linear"})
