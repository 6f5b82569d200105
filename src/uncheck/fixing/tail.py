"""Run only the part of a network that is being trained: what comes before it is computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from uncheck.reading.nest import replace_tensors, tensors_in
from uncheck.reading.watch import function_name


class Strayed(Exception):
    """A forward pass did not make the calls that it made before."""


class _Script(TorchFunctionMode):
    """Number every torch call of a forward pass; a subclass says what is done with it."""

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
    """Find the calls that depend on trained parameters, and keep what they take from the others.

    Autograd already knows: with only the trained parameters requiring gradients, an output that requires one
    depends on them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.shapes: list[Any] = []  # what a call before the tail returned: shapes; None for the tail's own
        self.made: dict[int, tuple[int, int, Tensor]] = {}  # id of a tensor: call and position that made it
        self.taken: set[int] = set()  # calls whose output the tail takes

    def call(self, index: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        out = func(*args, **kwargs)
        self.names.append(function_name(func))
        found = list(tensors_in(out))
        trained = any(t.requires_grad for t in found) or any(
            t.requires_grad and not isinstance(t, nn.Parameter) for t in tensors_in((args, kwargs))
        )
        if trained or not found:
            self.shapes.append(None)
            for tensor in tensors_in((args, kwargs)):
                if trained and id(tensor) in self.made:
                    self.taken.add(self.made[id(tensor)][0])
            return out
        self.shapes.append(replace_tensors(out, lambda t: (tuple(t.shape), t.dtype, t.device)))
        for position, tensor in enumerate(found):
            self.made[id(tensor)] = (index, position, tensor)  # held, so that no id is given twice
        return out


class _Replay(_Script):
    """Answer the calls before the tail from memory, or with a placeholder where nobody looks."""

    def __init__(self, names: list[str], shapes: list[Any], kept: dict[int, Any]) -> None:
        super().__init__()
        self._names, self._shapes, self._kept = names, shapes, kept

    def call(self, index: int, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        if index >= len(self._names) or self._names[index] != function_name(func):
            raise Strayed
        if index in self._kept:
            return replace_tensors(self._kept[index], torch.clone)  # the tail may write to it
        shapes = self._shapes[index]
        if shapes is None:
            return func(*args, **kwargs)
        return _placeholders(shapes)


class Tail:
    """A network whose calls before the trained part are remembered per input.

    Args:
        model: in eval mode; only the parameters to train require gradients.

    Use: `key = tail.remember(inputs)` once per input, `output = tail(inputs, key)` as often as wanted.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._script: tuple[list[str], list[Any]] | None = None

    def remember(self, inputs: tuple[Any, ...]) -> dict[int, Any]:
        """Run the whole network on these inputs, and give what its tail takes from the rest."""
        recording = _Recording()
        torch.manual_seed(0)
        with torch.enable_grad(), recording:
            self.model(*inputs)
        self._script = (recording.names, recording.shapes)
        outputs: dict[int, list[Tensor]] = {}
        for index, _, tensor in recording.made.values():
            if index in recording.taken:
                outputs.setdefault(index, []).append(tensor.detach())
        kept = {}
        for index, tensors in outputs.items():
            left = iter(tensors)
            kept[index] = _filled(recording.shapes[index], left)
        return kept

    def __call__(self, inputs: tuple[Any, ...], kept: dict[int, Any]) -> Any:
        """Run the tail alone; Strayed if the forward pass goes another way than when it was remembered."""
        if self._script is None:
            raise Strayed
        names, shapes = self._script
        replay = _Replay(names, shapes, kept)
        torch.manual_seed(0)
        with replay:
            return self.model(*inputs)


def bytes_of(kept: dict[int, Any]) -> int:
    """Memory of what is kept for one input."""
    return sum(t.numel() * t.element_size() for t in tensors_in(list(kept.values())))


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], torch.dtype)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if _is_shape(value):
        return change(value)
    if isinstance(value, dict):
        return {key: _mapped(each, change) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_mapped(each, change) for each in value))
    if isinstance(value, list | tuple):
        return type(value)(_mapped(each, change) for each in value)
    return value


def _placeholders(shapes: Any) -> Any:
    """Tensors of these shapes that hold one number: nothing of them is ever used but the shape."""
    return _mapped(shapes, lambda s: torch.zeros((), dtype=s[1], device=s[2]).expand(s[0]))


def _filled(shapes: Any, tensors: Any) -> Any:
    return _mapped(shapes, lambda _: next(tensors))
