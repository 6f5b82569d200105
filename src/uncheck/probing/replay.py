"""Runs of a network with the outputs of some calls replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.utils.hooks import RemovableHandle

from uncheck.reading import CallKey, CallWatcher

Edits = Mapping[CallKey, Callable[[Tensor], Tensor]]
"""For some calls, what to do with their outputs."""


@dataclass(frozen=True)
class WholeEdit:
    """An edit of the whole tensor that a call wrote to through a view."""

    edit: Callable[[Tensor], Tensor]

    def __call__(self, tensor: Tensor) -> Tensor:
        """Return the tensor edited."""
        return self.edit(tensor)


class Replay(CallWatcher):
    """Run the model again with the outputs of some calls replaced.

    Calls are watched only while the modules run that make those: to watch all of them costs more than
    many small calls themselves.
    """

    def __init__(self, model: nn.Module, edits: Edits) -> None:
        super().__init__(model, foreign=any(key.foreign for key in edits))
        self.edits = edits
        self._modules = dict(model.named_modules())
        self._hooks: list[RemovableHandle] = []
        self._inside, self._everywhere = 0, False
        self.met: set[CallKey] = set()

    def __enter__(self) -> Replay:
        places = [self._modules.get(path) for path in {key.module for key in self.edits}]
        self._everywhere = self._modules[""] in places or any(
            module is None or isinstance(module, ScriptModule) for module in places
        )
        if self._everywhere:
            super().__enter__()
            return self
        for module in filter(None, places):
            self._hooks.append(module.register_forward_pre_hook(self._begin, prepend=True))
            self._hooks.append(module.register_forward_hook(self._end, always_call=True))
        return self

    def _begin(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._inside += 1
        if self._inside == 1:
            super().__enter__()
            self._push(module, args)  # hooks common to all modules had their turn before these were there

    def _end(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._inside -= 1
        if self._inside == 0:
            super().__exit__(None, None, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._inside or self._everywhere:
            super().__exit__(kind, error, trace)
        while self._hooks:
            self._hooks.pop().remove()
        self._inside = 0

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Replace the output of the calls to edit."""
        edit = self.edits.get(key)
        if isinstance(edit, WholeEdit) and isinstance(args[0], Tensor):  # a write through a view
            self.met.add(key)
            whole = args[0] if args[0]._base is None else args[0]._base
            whole.copy_(edit(whole))
            return out
        if edit is not None and out is None and args and isinstance(args[0], Tensor):  # a write to positions
            self.met.add(key)
            args[0].copy_(edit(args[0]))
            return None
        if edit is None or not isinstance(out, Tensor):
            return out
        self.met.add(key)
        return edit(out)
