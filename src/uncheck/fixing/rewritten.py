"""A module with another forward: its class becomes a subclass whose forward is a graph's code."""

from __future__ import annotations

import importlib
import inspect
import linecache
from types import FunctionType, ModuleType
from typing import Any

from torch import fx, nn

from uncheck.fixing.sites import NotFusable
from uncheck.fixing.tracing import Way

Names = tuple[tuple[str, str, str], ...]
"""What generated code needs: a name, the module its meaning lies in, and the name there ("" for a module)."""
Code = tuple[str, Names]
"""Source of methods, and what it needs."""
_MADE: dict[tuple[type[nn.Module], str, Names], type[nn.Module]] = {}


def rewrite_forward(module: nn.Module, way: Way, question: Code) -> None:
    """Give a module the forward of a graph; where the graph does not hold, its own forward runs as before.

    Args:
        module: changed in place; its class becomes a subclass of what it was.
        way: the graph, rewritten.
        question: of `shape_question`, taken before the graph was rewritten.

    Raises:
        NotFusable: the code cannot be written down.
    """
    try:
        code, names = _guarded(module, way, question) if is_guarded(module, way) else _code(way.graph)
        module.__class__ = rewritten(type(module), code, names)
    except (SyntaxError, TypeError, ValueError) as error:
        raise NotFusable(f"its forward cannot be written down ({error})") from error


def is_guarded(module: nn.Module, way: Way) -> bool:
    """Whether some calls must still run the module's own forward."""
    return way.guarded or _takes_more(type(module))


def rewritten(base: type[nn.Module], code: str, names: Names) -> type[nn.Module]:
    """A subclass of a module's class with generated methods.

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
    space["_base_forward"] = base.forward
    # The source must be found again by torch.jit.script and in tracebacks.
    place = f"<uncheck.fuse {base.__name__} {abs(hash((base, code)))}>"
    linecache.cache[place] = (len(code), None, code.splitlines(keepends=True), place)
    exec(compile(code, place, "exec"), space)
    methods = {name: value for name, value in space.items() if _is_made(value, place)}

    def reduce(self: nn.Module, protocol: Any) -> Any:
        return _blank, (base, code, names), self.__dict__

    name = f"Fused{base.__name__}"
    made = {**methods, "__reduce_ex__": reduce, "__module__": base.__module__, "__doc__": base.__doc__}
    kind: type[nn.Module] = type(name, (base,), made)
    _MADE[base, code, names] = kind
    return kind


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


def _code(graph: fx.Graph, name: str = "forward") -> Code:
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


def _takes_more(kind: type[nn.Module]) -> bool:
    parameters = inspect.signature(kind.forward).parameters.values()
    return any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _guarded(module: nn.Module, way: Way, question: Code) -> Code:
    """The fused forward, the question whether it holds, and the forward that asks it."""
    fused, names = _code(way.graph, "fused_forward")
    conditions = [f"self.training is {module.training}"] if way.training else []
    parameters = list(inspect.signature(type(module).forward).parameters.values())[1:]
    more = {p.kind: p.name for p in parameters if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    conditions += [f"not {name}" for name in more.values()]
    constants = {p.name: way.constants[p.name] for p in parameters if p.name in way.constants}
    conditions += [_is_constant(name, value) for name, value in constants.items()]
    shapes, shape_names = question
    if shapes:
        inner = ", ".join(p.name for p in parameters if p.name not in more.values())
        conditions.append(f"self.holds({inner})")
    given = ", ".join(
        f"*{p.name}"
        if p.kind is p.VAR_POSITIONAL
        else f"**{p.name}"
        if p.kind is p.VAR_KEYWORD
        else f"{p.name}={p.name}"
        if p.kind is p.KEYWORD_ONLY
        else p.name
        for p in parameters
    )
    known = ", ".join(f"{p.name}={p.name}" for p in parameters if p.name not in more.values())
    forward = (
        f"\ndef forward(self, {_declared(parameters)}):\n"
        f"    if {' and '.join(conditions)}:\n"
        f"        return self.fused_forward({known})\n"
        f"    return _base_forward(self, {given})\n"
    )
    return fused + shapes + forward, tuple(sorted({*names, *shape_names, ("torch", "torch", "")}))


def _is_constant(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return f"{name} is {value}"
    return f"{name} == {value!r}"


def _declared(parameters: list[inspect.Parameter]) -> str:
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return str(inspect.Signature(bare))[1:-1]


def shape_question(way: Way) -> Code:
    """Code of `holds`: whether the shapes lead the same way as in the example."""
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
            copied[node] = graph.node_copy(node, copy)
    answers = [graph.call_function(_agrees, (copy(node), truth)) for node, truth in way.conditions]
    graph.output(tuple(answers))
    code, names = _code(graph, "answers")
    question = "\ndef holds(self, *values):\n    return all(self.answers(*values))\n"
    return code + question, names


def _agrees(answer: Any, truth: bool) -> bool:
    return bool(answer) is truth
