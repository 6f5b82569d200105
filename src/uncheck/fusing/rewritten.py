"""A module with another forward: its class becomes a subclass whose forward is a graph's code."""

from __future__ import annotations

import importlib
import inspect
import linecache
from functools import reduce
from types import FunctionType, ModuleType
from typing import Any

from torch import fx, nn

from uncheck.errors import Refusal
from uncheck.fusing.tracing import Way

Names = tuple[tuple[str, str, str], ...]
"""What generated code needs: a name, the module its meaning lies in, and the name there ("" for a module)."""
Code = tuple[str, Names]
"""Source of methods, and what it needs."""
LEVEL = "_uncheck_level"
_MADE: dict[tuple[type[nn.Module], str, Names], type[nn.Module]] = {}


def rewrite_forward(module: nn.Module, way: Way, question: Code) -> None:
    """Give a module the forward of a graph; where the graph does not hold, its own forward runs as before.

    Args:
        module: changed in place; its class becomes a subclass of what it was.
        way: the graph, rewritten.
        question: of `shape_question`, taken before the graph was rewritten.

    Raises:
        Refusal: the code cannot be written down.
    """
    try:
        code, names = _guarded(module, way, question) if is_guarded(module, way) else code_of(way.graph)
        module.__class__ = rewritten(type(module), code, names)
    except (SyntaxError, TypeError, ValueError) as error:
        raise Refusal(f"its forward cannot be written down ({error})") from error


def is_guarded(module: nn.Module, way: Way) -> bool:
    """Test whether some calls must still run the module's own forward."""
    return way.guarded or _takes_more(type(module)) or bool(_optional(type(module), way))


def rewritten(base: type[nn.Module], code: str, names: Names) -> type[nn.Module]:
    """Make a subclass of a module's class with generated methods.

    Args:
        base: the module's class.
        code: source of the methods.
        names: what it uses.

    Returns:
        The class; its instances copy and pickle, as their code goes with them.
    """
    if (base, code, names) in _MADE:
        return _MADE[base, code, names]
    space: dict[str, Any] = {name: _found(home, inner) for name, home, inner in names}
    # The source must be found again by torch.jit.script and in tracebacks.
    place = f"<uncheck.fuse {base.__name__} {abs(hash((base, code)))}>"
    linecache.cache[place] = (len(code), None, code.splitlines(keepends=True), place)
    exec(compile(code, place, "exec"), space)
    methods = {name: value for name, value in space.items() if _is_made(value, place)}

    def reduced(self: nn.Module, protocol: Any) -> Any:
        return _blank, (base, code, names), self.__getstate__()  # type: ignore[no-untyped-call]

    name = f"Fused{base.__name__}"
    made = {
        **methods,
        f"_uncheck_plain{_level(base)}": base.forward,
        "__reduce_ex__": reduced,
        "__module__": base.__module__,
        "__doc__": base.__doc__,
        LEVEL: getattr(base, LEVEL, 0) + 1,
    }
    kind: type[nn.Module] = type(name, (base,), made)
    _MADE[base, code, names] = kind
    return kind


def _level(base: type[nn.Module]) -> str:
    """Return a suffix that sets the methods apart from those of a class that was rewritten before."""
    return str(getattr(base, LEVEL, ""))


def _is_made(value: Any, place: str) -> bool:
    return isinstance(value, FunctionType) and value.__code__.co_filename == place


def _blank(base: type[nn.Module], code: str, names: Names) -> nn.Module:
    made = rewritten(base, code, names)
    return made.__new__(made)


def _found(home: str, inner: str) -> Any:
    found: Any = importlib.import_module(home)
    for part in inner.split(".") if inner else ():
        found = getattr(found, part)
    return found


def code_of(graph: fx.Graph, name: str = "forward") -> Code:
    """Source of a method that computes a graph, and what it needs."""
    made = graph.python_code("self")
    code = made.src.replace("def forward(self", f"def {name}(self", 1)
    return code, tuple(sorted(_name(key, value) for key, value in made.globals.items()))


def _name(key: str, value: Any) -> tuple[str, str, str]:
    if isinstance(value, ModuleType):
        return key, value.__name__, ""
    if value is type(None):
        return key, "types", "NoneType"
    own = str(getattr(value, "__module__", ""))
    for home in (own, "torch", "math", "torch.nn.functional", "torch._C._nn"):
        for inner in (getattr(value, "__qualname__", ""), getattr(value, "__name__", ""), key):
            if home and inner and _is_there(home, str(inner), value):
                return key, home, str(inner)
    raise TypeError(f"the generated code uses {value!r}, which has no name to be found by")


def _is_there(home: str, inner: str, value: Any) -> bool:
    try:
        return _found(home, inner) is value
    except (ImportError, AttributeError):
        return False


def _optional(kind: type[nn.Module], way: Way) -> list[str]:
    """Arguments that the example gave and that another call may leave out."""
    parameters = inspect.signature(kind.forward).parameters.values()
    return [p.name for p in parameters if p.default is None and p.name not in way.constants]


def _takes_more(kind: type[nn.Module]) -> bool:
    parameters = inspect.signature(kind.forward).parameters.values()
    return any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _guarded(module: nn.Module, way: Way, question: Code) -> Code:
    """Return the fused forward, the question whether it holds, and the forward that asks it."""
    level = _level(type(module))
    fused, names = code_of(way.graph, f"_uncheck_fused{level}")
    conditions = [f"self.training == {module.training}"] if way.training else []
    parameters = list(inspect.signature(type(module).forward).parameters.values())[1:]
    more = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    known = ", ".join(f"{p.name}={p.name}" for p in parameters if p.kind not in more)
    for p in parameters:
        if p.kind in more:
            conditions.append(f"not {p.name}")
        elif p.name in way.constants:
            conditions.append(_is_constant(p.name, way.constants[p.name]))
    conditions += [f"{name} is not None" for name in _optional(type(module), way)]
    code, needed = question
    if code:
        conditions.append(f"self._uncheck_holds{level}({known})")
    declared = [p.replace(annotation=_plain_hint(p.annotation)) for p in parameters]
    forward = (
        f"\ndef forward(self, {str(inspect.Signature(declared))[1:-1]}):\n"
        f"    if {' and '.join(conditions)}:\n"
        f"        return self._uncheck_fused{level}({known})\n"
        f"    return self._uncheck_plain{level}({', '.join(map(_passed_on, parameters))})\n"
    )
    return fused + code + forward, tuple(sorted({*names, *needed, ("torch", "torch", "")}))


def _passed_on(p: inspect.Parameter) -> str:
    if p.kind is p.KEYWORD_ONLY:
        return f"{p.name}={p.name}"
    return ("*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else "") + p.name


def _plain_hint(hint: Any) -> Any:
    return hint if hint in (int, float, bool) else inspect.Parameter.empty


def _is_constant(name: str, value: Any) -> str:
    return f"{name} is None" if value is None else f"{name} == {value!r}"


def shape_question(module: nn.Module, way: Way) -> Code:
    """Code that asks whether shapes lead the same way as in the example; "" where they cannot matter."""
    if not way.conditions:
        return "", ()
    graph = fx.Graph()
    copied: dict[fx.Node, fx.Node] = {}

    def copy(node: fx.Node) -> fx.Node:
        if node not in copied:
            copied[node] = graph.node_copy(node, copy)
        return copied[node]

    for node in way.graph.nodes:
        if node.op == "placeholder":
            copy(node)
    answers = [graph.call_function(agrees, (copy(node), truth)) for node, truth in way.conditions]
    graph.output(reduce(lambda a, b: graph.call_function(both, (a, b)), answers))
    return code_of(graph, f"_uncheck_holds{_level(type(module))}")


def agrees(answer: bool, truth: bool) -> bool:
    """Test whether a decision falls as it did in the example."""
    return bool(answer) == truth


def both(a: bool, b: bool) -> bool:
    """Test whether two decisions fall as they did."""
    return a and b
