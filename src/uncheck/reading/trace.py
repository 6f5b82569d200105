"""The tracer, which writes down the graph of a forward pass."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from uncheck.reading.axes import Made
from uncheck.reading.graph import INPUT, OPAQUE, Graph, Node, Slot
from uncheck.reading.tables import CONVOLUTION, RANDOM, TRANSPOSED, canonical, is_in_place
from uncheck.reading.tensors import named_tensors, replace_tensors, tensors_in
from uncheck.reading.watch import WRITES, CallKey, CallWatcher

WEIGHTED = CONVOLUTION.names | TRANSPOSED.names | {"linear"}
CONSTANTS = frozenset(
    {
        *("mul", "multiply", "kron", "einsum", "stack", "cat", "concat", "concatenate", "getitem", "setitem"),
        *("index_select", "index_copy", "index_add", "index_put", "scatter", "scatter_add", "grid_sample"),
        *("matmul", "mm", "bmm"),
    }
)
MADE_LIKE = frozenset(f"{way}_like" for way in ("zeros", "ones", "full", "empty")) | frozenset(
    f"new_{way}" for way in ("zeros", "ones", "full", "empty")
)
INDEXED = CONSTANTS - {
    "matmul",
    "mm",
    "bmm",
    "mul",
    "multiply",
    "kron",
    "einsum",
    "stack",
    "cat",
    "concat",
    "concatenate",
}
MOST_CONSTANTS = 2**20
"""Entries of the largest constant that is kept for reading."""
ADDRESSES = frozenset({"data_ptr", "__dlpack__", "untyped_storage"})
LEAVING = frozenset({"numpy", "tolist", "__array__"}) | ADDRESSES
"""Calls after which code outside torch has the values of a tensor."""
FROM_ARRAYS = frozenset({"tensor", "as_tensor", "asarray", "from_numpy", "frombuffer", "from_dlpack"})
FILLED = frozenset({"zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_full"})
EMPTY = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"})
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)


class Tracer(CallWatcher):
    """Collect the graph of a forward pass on a nest of inputs; activations are not kept alive."""

    def __init__(self, model: nn.Module, inputs: object, foreign: bool = False) -> None:
        super().__init__(model, foreign)
        self.nodes: list[Node] = []
        self._made: MutableMapping[Tensor, int] = WeakIdKeyDictionary()
        self._old = _living_tensors()
        self._module_inputs: list[tuple[int, ...]] = []
        self._left: list[int] = []
        self._blank: MutableMapping[Tensor, bool] = WeakIdKeyDictionary()
        for tensor in tensors_in(inputs):
            if tensor not in self._made:
                self._add(tensor, CallKey("", INPUT, len(self.nodes)), signal=True)
        self._inputs = tuple(range(len(self.nodes)))

    def made(self, output: object) -> list[Made]:
        """Return every tensor that the model returned with its path and the node that made it."""
        return [(path, tensor, self._node_of(tensor)) for path, tensor in named_tensors(output)]

    def graph(self, output: object) -> Graph:
        """Return the graph so far, given what the model returned."""
        found = [index for _, _, index in self.made(output)]
        outputs = tuple(dict.fromkeys(index for index in found if index is not None))
        return Graph(tuple(self.nodes), outputs)

    def on_enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Remember the inputs of a module: the parents of a result whose making could not be seen."""
        del self._module_inputs[len(self.running) - 1 :]  # of modules that have ended
        known = (self._node_of(tensor, outside=1) for tensor in tensors_in(args))
        given = tuple(index for index in known if index is not None)
        self._module_inputs.append(given or (self._module_inputs or [self._inputs])[-1])

    def on_leave(self, module: nn.Module, output: Any) -> None:
        """Give a node to whatever a module returns that no seen call has made."""
        for tensor in tensors_in(output):
            self._node_of(tensor)

    def on_question(self, name: str, args: tuple[Any, ...]) -> None:
        """Remember a tensor whose values leave torch: what comes back from there may depend on it."""
        tensor = args[0] if args else None
        if name not in LEAVING or not isinstance(tensor, Tensor) or tensor.numel() < 2:
            return
        index = self._node_of(tensor)
        if index is None:
            return
        if self.nodes[index].signal:
            self._left.append(index)
        elif name in ADDRESSES and self.nodes[index].name in EMPTY | FILLED:  # a kernel writes to it
            key = CallKey(self.path, OPAQUE, len(self.nodes))
            parents = self._left or (self._module_inputs or [self._inputs])[-1]
            self._write(tensor, self._add(tensor, key, (index, *parents), signal=True, writes=True), key)

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Add a node for each tensor the call made or changed."""
        name = canonical(key.function)
        if key.foreign and name in EMPTY | FILLED:
            for tensor in tensors_in(out):  # memory that code may write to which nobody sees
                self._blank[tensor] = name in EMPTY
            return out
        if self._left and name in FROM_ARRAYS and _holds_numbers(args):
            for tensor in tensors_in(out):
                self._add(
                    tensor, CallKey(key.module, OPAQUE, len(self.nodes)), tuple(self._left), signal=True
                )
            return out
        keep = name in WEIGHTED
        parents: list[int] = []

        def slot(tensor: Tensor) -> Slot:
            written = tensor is first and is_in_place(key.function)
            node = self._foreign_node(tensor, written) if key.foreign else self._node_of(tensor)
            if node is not None:
                parents.append(node)
            constant = name in CONSTANTS and tensor.numel() <= MOST_CONSTANTS
            constant = constant and not (tensor is first and name in INDEXED)  # which may be written to later
            constant = constant and (node is None or not self.nodes[node].signal)
            value = tensor.detach() if (keep and tensor is not first) or constant else None
            return Slot(node, tuple(tensor.shape), value, tensor.dtype)

        first = next(tensors_in((args, kwargs)), None)
        slots = tuple(replace_tensors(value, slot) for value in args)
        named = {word: replace_tensors(value, slot) for word, value in kwargs.items()}
        add = partial(self._add, key=key, parents=tuple(parents), func=func, args=slots, kwargs=named)
        if key.function in WRITES:
            target = args[0]
            self._write(target, add(target, writes=True), key)
            return out
        random = name in RANDOM
        for item, tensor in enumerate(tensors_in(out)):
            writes = tensor is first and (is_in_place(key.function) or kwargs.get("inplace") is True)
            writes = writes or kwargs.get("out") is tensor
            index = add(tensor, item=item, signal=random, writes=writes)
            if writes:
                self._write(tensor, index, key)
        return out

    def _add(
        self, tensor: Tensor, key: CallKey, parents: tuple[int, ...] = (), signal: bool = False, **call: Any
    ) -> int:
        index = len(self.nodes)
        made = canonical(key.function) in MADE_LIKE  # its parent gives it a shape and nothing else
        call["signal"] = signal or (not made and any(self.nodes[parent].signal for parent in parents))
        call["layer"] = self._layer() if "func" in call else None
        self.nodes.append(Node(index, key, parents, tuple(tensor.shape), **call))
        self._made[tensor] = index
        return index

    def _write(self, tensor: Tensor, index: int, key: CallKey) -> None:
        """Add a node for the tensor that a written view is a part of, which has changed too."""
        base = tensor._base
        if base is None or not (base in self._made or self.nodes[index].signal):
            return
        earlier = self._made.get(base)
        parents = (index,) if earlier is None else (earlier, index)
        node = CallKey(key.module, "(written)", key.occurrence)
        self._add(base, node, parents, writes=True)

    def _node_of(self, tensor: Tensor, outside: int = 0) -> int | None:
        """Return the node that made a tensor: None for one there was before, else a new opaque node."""
        index: int | None = self._made.get(tensor)
        if index is not None:
            return index
        seen = self._old.get(id(tensor))
        if (seen is not None and seen() is tensor) or isinstance(tensor, nn.Parameter):
            return None
        if tensor._base is not None and (base := self._made.get(tensor._base)) is not None:
            return int(base)
        depth = len(self.running) - outside  # what a module is given was made outside it
        parents = self._module_inputs[depth - 1] if depth else self._inputs
        path = self._stack[depth - 1][1] if depth else ""
        return self._add(tensor, CallKey(path, OPAQUE, len(self.nodes)), parents, signal=True)

    def _foreign_node(self, tensor: Tensor, written: bool) -> int | None:
        """Return the node of an argument of a call that TorchScript or C++ made.

        What is not known is a constant of theirs; but memory that is read before anybody was seen to write to
        it was written to unseen.
        """
        if tensor in self._made or self._left:
            return self._node_of(tensor)
        return self._node_of(tensor) if self._blank.get(tensor) and not written else None

    def _layer(self) -> str | None:
        """Return the path of the innermost module if it is a torch.nn layer or a subclass of one."""
        if not self.running:
            return None
        kind = type(self.running[-1])
        layers = (c for c in kind.__mro__ if c.__module__.startswith("torch.nn.") and c is not nn.Module)
        return self.path if any(c not in CONTAINERS for c in layers) else None


def _holds_numbers(args: tuple[Any, ...]) -> bool:
    """Test whether a call makes a tensor of several numbers that are not in one yet."""
    given = args[0] if args else None
    return not isinstance(given, Tensor) and (hasattr(given, "__len__") or hasattr(given, "__array__"))


def _living_tensors() -> dict[int, weakref.ref[Tensor]]:
    """Return every tensor there is before the forward pass: weights, buffers and constants, anywhere."""
    kinds: set[type] = set()
    new: list[type] = [Tensor]
    while new:
        kind = new.pop()
        if kind not in kinds:
            kinds.add(kind)
            new += kind.__subclasses__()
    tensors = [thing for thing in gc.get_objects() if type(thing) in kinds]
    return {id(tensor): weakref.ref(tensor) for tensor in tensors}
