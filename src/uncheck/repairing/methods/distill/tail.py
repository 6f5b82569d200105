"""The trained part of a network, run alone: the layers before it are computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from uncheck.reading import call
from uncheck.reading.tensors import replace_tensors, tensors_in
from uncheck.reading.watch import function_name

#: The answer to a call of the tail itself, which is made each time.
_RUN = object()


class Strayed(Exception):
    """A forward pass did not make the calls that it made before."""


@dataclass(eq=False)
class _Slot:
    """A tensor that a call returned: its shape, and its value where the tail reads it."""

    size: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    value: Tensor | None = None

    def tensor(self) -> Tensor:
        """Return a copy, for the tail may write to it; one number in this shape where there is no value."""
        if self.value is not None:
            return self.value.clone()
        return torch.zeros((), dtype=self.dtype, device=self.device).expand(self.size)


@dataclass
class Memory:
    """The memory of one input: the calls in order, the answer to each, and the values kept in them."""

    names: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)


class _Script(TorchFunctionMode):
    """The torch calls of a forward pass, numbered; a subclass handles each."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        index, self.count = self.count, self.count + 1
        return self.call(index, func, args, kwargs or {})

    def call(self, index: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        raise NotImplementedError


class _Recording(_Script):
    """The calls that depend on trained parameters, and the values that they take from the others.

    With only the trained parameters requiring gradients, a call depends on them if it takes a tensor that
    requires one, or that came from such a call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory()
        # by id of the tensor, which is held so that no id is given twice: where calls returned it
        self.made: dict[int, tuple[Tensor, list[_Slot]]] = {}
        self.loose: dict[int, Tensor] = {}  # of the tail, without a gradient
        self.taken: dict[int, tuple[int, Tensor]] = {}  # version and value when the tail took it

    def call(self, index: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        self.memory.names.append(function_name(func))
        given = list(tensors_in((args, kwargs)))
        if any(t.requires_grad or id(t) in self.loose for t in given):
            self.take(given)
            out = func(*args, **kwargs)
            self.memory.answers.append(_RUN)
            written = [t for t in given if id(t) in self.made and t._version != self.taken[id(t)][0]]
            for tensor in (*tensors_in(out), *written):
                self.made.pop(id(tensor), None)
                if not tensor.requires_grad:
                    self.loose[id(tensor)] = tensor
            return out
        out = func(*args, **kwargs)
        if next(tensors_in(out), None) is None:
            # an answer about tensors, such as a size or a number; calls about none may set torch's state
            self.memory.answers.append(out if given else _RUN)
        else:
            self.memory.answers.append(replace_tensors(out, self._slot))
        return out

    def _slot(self, tensor: Tensor) -> _Slot:
        slot = _Slot(tuple(tensor.shape), tensor.dtype, tensor.device)
        self.made.setdefault(id(tensor), (tensor, []))[1].append(slot)
        return slot

    def take(self, given: Iterable[Tensor]) -> None:
        """Keep the values that the tail, or the caller, takes, as they are before it writes to them."""
        for tensor in given:
            if id(tensor) not in self.made:
                continue
            if id(tensor) not in self.taken:
                self.taken[id(tensor)] = tensor._version, tensor.detach().clone()
                self.memory.values.append(self.taken[id(tensor)][1])
            version, value = self.taken[id(tensor)]
            if version != tensor._version:
                raise Strayed  # taken, written to and taken again: two values of one tensor
            for slot in self.made[id(tensor)][1]:
                slot.value = value


class _Replay(_Script):
    """A forward pass whose calls before the tail are answered from memory, or with placeholders."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory

    def call(self, index: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        names = self.memory.names
        if index >= len(names) or names[index] != function_name(func):
            raise Strayed
        answer = self.memory.answers[index]
        if answer is _RUN:
            return func(*args, **kwargs)
        return replace_tensors(answer, _Slot.tensor, kind=_Slot)


class Tail:
    """A network in eval mode, whose calls before the parameters that require gradients are remembered.

    Use: `memory = tail.remember(inputs)` once per input, `output = tail(inputs, memory)` as often as wanted.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def remember(self, inputs: tuple[Any, ...]) -> Memory:
        """Run the whole network on these inputs, and return the values that its tail takes from the rest.

        Raises:
            Strayed: the tail takes a tensor twice, with other values.
        """
        recording = _Recording()
        with torch.enable_grad(), recording:
            output = call(self.model, inputs)
        recording.take(tensors_in(output))
        return recording.memory

    def __call__(self, inputs: tuple[Any, ...], memory: Memory) -> Any:
        """Run the tail alone; Strayed if the forward pass goes another way than when it was remembered."""
        with _Replay(memory):
            return call(self.model, inputs)


def bytes_of(memory: Memory) -> int:
    """Return the bytes kept for one input."""
    return sum(value.numel() * value.element_size() for value in memory.values)
