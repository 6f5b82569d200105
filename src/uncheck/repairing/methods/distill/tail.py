"""The trained part of a network, run alone: the layers before it are computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count, repeat
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


@dataclass(frozen=True)
class _Shape:
    """The shape of a tensor that the tail does not read."""

    size: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def placeholder(self) -> Tensor:
        """Return a tensor of this shape that holds one number."""
        return torch.zeros((), dtype=self.dtype, device=self.device).expand(self.size)


@dataclass
class Memory:
    """The memory of one input: the calls in order, and the answer to each."""

    names: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class _Taken:
    """A tensor that the tail takes: its version and value then, and the calls that returned it."""

    version: int
    value: Tensor
    tensor: Tensor
    places: list[tuple[int, int]]


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
        # by id of the tensor, which is held so that no id is given twice: the calls that returned it
        self.made: dict[int, tuple[Tensor, list[tuple[int, int]]]] = {}
        self.loose: dict[int, Tensor] = {}  # of the tail, without a gradient
        self.taken: dict[int, _Taken] = {}

    def call(self, index: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        self.memory.names.append(function_name(func))
        given = list(tensors_in((args, kwargs)))
        if any(t.requires_grad or id(t) in self.loose for t in given):
            self._take(given)
            out = func(*args, **kwargs)
            self.memory.answers.append(_RUN)
            written = [t for t in given if id(t) in self.made and t._version != self.taken[id(t)].version]
            for tensor in (*tensors_in(out), *written):
                self.made.pop(id(tensor), None)
                if not tensor.requires_grad:
                    self.loose[id(tensor)] = tensor
            return out
        out = func(*args, **kwargs)
        found = list(tensors_in(out))
        if not found:
            # an answer about tensors, such as a size or a number; calls about none may set torch's state
            self.memory.answers.append(out if given else _RUN)
            return out
        self.memory.answers.append(replace_tensors(out, lambda t: _Shape(tuple(t.shape), t.dtype, t.device)))
        for position, tensor in enumerate(found):
            self.made.setdefault(id(tensor), (tensor, []))[1].append((index, position))
        return out

    def _take(self, given: list[Tensor]) -> None:
        """Keep the values that the tail takes, as they are before it writes to them."""
        for tensor in given:
            if id(tensor) not in self.made:
                continue
            new = _Taken(tensor._version, tensor.detach().clone(), *self.made[id(tensor)])
            if self.taken.setdefault(id(tensor), new).version != new.version:
                raise Strayed  # taken, written to and taken again: two values of one tensor

    def finished(self, output: Any) -> Memory:
        """Return the memory, with the values that the tail and the caller read."""
        self._take(list(tensors_in(output)))
        values = {place: one.value for one in self.taken.values() for place in one.places}
        for index, answer in enumerate(self.memory.answers):
            places = zip(repeat(index), count())
            self.memory.answers[index] = replace_tensors(
                answer, partial(_filled, values, places), kind=_Shape
            )
        return self.memory


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
        # a copy, for the tail may write to it
        return replace_tensors(
            answer, lambda x: x.clone() if isinstance(x, Tensor) else x.placeholder(), kind=(Tensor, _Shape)
        )


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
        return recording.finished(output)

    def __call__(self, inputs: tuple[Any, ...], memory: Memory) -> Any:
        """Run the tail alone; Strayed if the forward pass goes another way than when it was remembered."""
        with _Replay(memory):
            return call(self.model, inputs)


def bytes_of(memory: Memory) -> int:
    """Return the bytes kept for one input."""
    kept = {id(t): t for t in tensors_in(memory.answers)}
    return sum(t.numel() * t.element_size() for t in kept.values())


def _filled(
    values: Mapping[tuple[int, int], Tensor], places: Iterator[tuple[int, int]], shape: _Shape
) -> Tensor | _Shape:
    return values.get(next(places), shape)
