"""A module's forward as a graph, every decision it takes about its input's shape tried both ways."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, fx, nn

from uncheck.errors import Refusal
from uncheck.fusing.effects import watched_for_effects
from uncheck.fusing.questions import canonical, is_question

MOST_DECISIONS = 5
"""So many decisions are tried in all combinations, two to this power."""


@dataclass(frozen=True)
class Signature:
    """The arguments of a module in the example.

    Attributes:
        values: by parameter name; tensors are stand-ins on the meta device.
    """

    values: Mapping[str, Any]

    @property
    def constants(self) -> dict[str, Any]:
        """The arguments that are kept as they were: None, flags, numbers and words."""
        kinds = (bool, int, float, str, type(None), torch.dtype)
        return {name: value for name, value in self.values.items() if isinstance(value, kinds)}


@dataclass(frozen=True)
class Traced:
    """A forward as a graph.

    Attributes:
        graph: its calls; nodes know their module by `meta["place"]`.
        conditions: nodes whose truth decided the way, and what it was.
    """

    graph: fx.Graph
    conditions: tuple[tuple[fx.Node, bool], ...]


@dataclass(frozen=True)
class Way:
    """The way a forward took in the example, and when it takes another.

    Attributes:
        graph: its calls.
        conditions: nodes of the graph, and what they must be for the graph to hold.
        constants: arguments that must be what they were in the example.
        training: whether the graph holds only in the mode it was traced in.
    """

    graph: fx.Graph
    conditions: tuple[tuple[fx.Node, bool], ...]
    constants: Mapping[str, Any]
    training: bool

    @property
    def guarded(self) -> bool:
        """Whether another input may take another way."""
        return bool(self.conditions or self.constants or self.training)


def trace(module: nn.Module, inlined: Sequence[nn.Module], signature: Signature) -> Way:
    """Trace a module's forward for inputs like the example's, and find out for which others it holds.

    Args:
        module: whose forward.
        inlined: modules inside it to look into as well; the others stay whole.
        signature: how the example calls it.

    Raises:
        Refusal: the forward cannot be traced, with the reason.

    Cost: one trace for each decision about shapes, and 2^d for the d that seem not to matter, at most five.
    """
    first = _trace(module, inlined, signature, ())
    taken = [value for _, value in first.conditions]
    form = canonical(first.graph)

    def same(flipped: Sequence[int]) -> bool:
        decisions = tuple(value != (i in flipped) for i, value in enumerate(taken))
        try:
            return canonical(_trace(module, inlined, signature, decisions).graph) == form
        except (Refusal, ArithmeticError):
            return False

    matter = [i for i in range(len(taken)) if not same([i])]
    rest = [i for i in range(len(taken)) if i not in matter]
    together = (
        [i for i, flip in zip(rest, flips, strict=True) if flip]
        for flips in product((False, True), repeat=len(rest))
    )
    if len(rest) > MOST_DECISIONS or not all(same(some) for some in together if len(some) > 1):
        matter = list(range(len(taken)))
    with _training_flipped([m for m in module.modules() if not isinstance(m, torch.jit.ScriptModule)]):
        training = not same([])
    constants = signature.constants
    return Way(first.graph, tuple(first.conditions[i] for i in matter), constants, training)


def _trace(
    module: nn.Module, inlined: Sequence[nn.Module], signature: Signature, decisions: tuple[bool, ...]
) -> Traced:
    tracer = _Tracer(inlined, signature, decisions)
    name = type(module).__name__
    with watched_for_effects((module, *inlined)) as effects:
        try:
            with _switches_refused():
                graph = tracer.trace(module)
        except Refusal:
            raise
        except Exception as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
            raise Refusal(f"the forward of {name} cannot be traced ({first})") from error
    if effects:
        raise Refusal(f"the forward of {name} {effects[0]}")
    return Traced(graph, tuple(tracer.conditions))


class _Proxy(fx.Proxy):
    """A proxy that does not pass for something that is no tensor: isinstance would say so."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        caller = sys._getframe(1)
        home = str(caller.f_globals.get("__name__", ""))
        if caller.f_code.co_name == "is_tensor" or home.partition(".")[0] not in ("torch", __package__[:7]):
            raise Refusal("its forward asks what kind of thing its input is (isinstance)")
        return type(self)


class _Tracer(fx.Tracer):
    def __init__(
        self, inlined: Sequence[nn.Module], signature: Signature, decisions: tuple[bool, ...]
    ) -> None:
        super().__init__()
        self.conditions: list[tuple[fx.Node, bool]] = []
        self._inlined = {id(module) for module in inlined}
        self._signature = signature
        self._decisions = decisions
        self._places = [""]
        self._modes = _modes()

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return id(m) not in self._inlined

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if id(m) not in self._inlined:
            return super().call_module(m, forward, args, kwargs)
        self._places.append(self.path_of_module(m))
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self._places.pop()

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        if _modes() != self._modes:
            raise Refusal("its forward switches gradients or autocast on or off, which a graph forgets")
        node = super().create_node(*args, **kwargs)
        node.meta["place"] = self._places[-1]
        return node

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, dict) and type(a) is not dict:
            raise Refusal(f"its forward makes a {type(a).__name__}, of which a graph makes a plain dict")
        known = isinstance(a, nn.Parameter) or any(a is b for b in self.root.buffers())
        if isinstance(a, Tensor) and not known:
            raise Refusal(
                f"the forward of {type(self.root).__name__} makes a tensor that does not come from its input"
            )
        return super().create_arg(a)

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        positional: list[Any] = []
        named: dict[str, Any] = {}
        hints = _hints(root_fn)
        for name, parameter in list(inspect.signature(root_fn).parameters.items())[1:]:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                if self._signature.values.get(name):
                    raise Refusal(f"the forward of {type(self.root).__name__} takes *{name}")
                continue
            default = () if parameter.default is parameter.empty else (parameter.default,)
            hint = hints.get(name)
            proxy = self.create_proxy("placeholder", name, default, {}, type_expr=hint)
            value = self._signature.constants.get(name, proxy)
            if parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = value
            else:
                positional.append(value)
        return lambda root: root_fn(root, *positional, **named), [self.root]

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        if is_question(obj.node):
            shape = self._value(obj.node)
            if isinstance(shape, tuple):
                return iter([obj[place] for place in range(len(shape))])  # type: ignore[index]
        return super().iter(obj)

    def to_bool(self, obj: fx.Proxy) -> bool:
        place = len(self.conditions)
        truth = bool(self._value(obj.node))
        if place < len(self._decisions):
            truth = self._decisions[place]
        self.conditions.append((obj.node, truth))
        return truth

    def _value(self, node: fx.Node) -> Any:
        """Return the answer to a question about the inputs' shapes on the example."""
        if node.op == "placeholder":
            return self._signature.values[str(node.target)]
        if not is_question(node):
            raise Refusal(
                f"the forward of {type(self.root).__name__} decides by "
                f"{node.target if isinstance(node.target, str) else node.target.__name__}, which depends on "
                "what the network computes"
            )
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), self._value)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        return node.target(*args, **kwargs)  # type: ignore[operator]


@contextmanager
def _switches_refused() -> Iterator[None]:
    """Refuse a forward that switches gradients or autocast, also to what they are already."""
    kinds = (torch.autocast, torch.no_grad, torch.enable_grad, torch.inference_mode, torch.set_grad_enabled)
    own = [(kind, kind.__enter__) for kind in kinds]

    def refuse(*_: Any) -> None:
        raise Refusal("its forward switches gradients or autocast on or off, which a graph forgets")

    for kind in kinds:
        kind.__enter__ = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        for kind, enter in own:
            kind.__enter__ = enter  # type: ignore[method-assign]


def _modes() -> tuple[bool, ...]:
    kinds = ("cpu", "cuda")
    casts = (torch.is_autocast_enabled(kind) for kind in kinds)
    return (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), *casts)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Types of parameters, as far as generated code can name them."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        return {}
    return {
        name: hint
        for name, hint in hints.items()
        if getattr(hint, "__module__", "") in ("torch", "builtins", "typing")
    }


@contextmanager
def _training_flipped(modules: Sequence[nn.Module]) -> Iterator[None]:
    modes = [module.training for module in modules]
    for module in modules:
        module.training = not module.training
    try:
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
