"""Where in the user's files a layer is made: the line that assigns it, as far as the source tells."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from uncheck.targets import definition, parse_target

Place = dict[str, Any]
"""`file`, relative to the working folder where it lies in it, and `line`."""


def find_definitions(model: nn.Module, target: str, names: Iterable[str]) -> dict[str, Place]:
    """Return where layers are made, by name; "" is the class or function that `target` names.

    A name without a line of its own in a file of the user is left out: layers made in loops, by functions, or
    in libraries. Nothing is run.

    >>> find_definitions(nn.Sequential(nn.ReLU()), "no.such:name", ["0"])
    {}
    """
    found = {}
    own = _of_target(target)
    if own is not None:
        found[""] = own
    for name in dict.fromkeys(names):
        place = _of_layer(model, name)
        if place is not None:
            found[name] = place
    return found


def _of_target(target: str) -> Place | None:
    place = parse_target(target)
    if place.file is None:
        return None
    line = definition(place.file, place.name.partition(".")[0])
    return _place(place.file, line or 1)


def _of_layer(model: nn.Module, name: str) -> Place | None:
    """Return the line of the deepest class of the user's on the way to a layer that assigns what is in it."""
    parts, module = name.split(".") if name else [], model
    best: Place | None = None
    for index, part in enumerate(parts):
        place = _assigned(type(module), parts[index:])
        best = place or best
        inner = getattr(module, part, None)
        if not isinstance(inner, nn.Module):
            break
        module = inner
    return best


def _assigned(owner: type, path: list[str]) -> Place | None:
    """Return the line of `self.NAME = ...` in a class or its bases, or of the part of a Sequential in it."""
    for one in owner.__mro__:
        if one.__module__.partition(".")[0] == "torch" or one is object:
            continue
        try:
            file, tree = _parsed(one)
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name == one.__name__:
                line = _in_class(node, path)
                if line is not None:
                    return _place(file, line)
    return None


def _in_class(owner: ast.ClassDef, path: list[str]) -> int | None:
    for node in ast.walk(owner):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            named = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
            if named and target.value.id == "self" and target.attr == path[0]:  # type: ignore[attr-defined]
                return _in_value(node.value, path[1:])
    return None


def _in_value(value: ast.expr, path: list[str]) -> int:
    """Return the line of an element of nested nn.Sequential(...) or ModuleList([...]), else of the value."""
    if path and path[0].isdigit() and isinstance(value, ast.Call):
        function = value.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        elements = value.args
        if called == "ModuleList" and len(elements) == 1 and isinstance(elements[0], ast.List):
            elements = elements[0].elts
        plain = called in ("Sequential", "ModuleList") and not any(
            isinstance(one, ast.Starred) for one in elements
        )
        if plain and int(path[0]) < len(elements):
            return _in_value(elements[int(path[0])], path[1:])
    return value.lineno


@lru_cache(maxsize=64)
def _parsed(owner: type) -> tuple[Path, ast.Module]:
    file = inspect.getsourcefile(owner)
    if file is None:
        raise OSError("no source")
    return Path(file), ast.parse(Path(file).read_text(encoding="utf-8"))


def _place(file: Path, line: int) -> Place:
    full, here = file.resolve(), Path.cwd()
    shown = full.relative_to(here) if full.is_relative_to(here) else full
    return {"file": shown.as_posix(), "line": line}
