"""What names a network and its weights, checked without running anything and without torch.

A mistyped name is told within a moment; `reading/` asks the same questions before it loads.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from uncheck.errors import UncheckError
from uncheck.foreign import foreign_file

#: Endings of weights that are read.
PICKLED = (".pth", ".pt", ".bin", ".ckpt")

#: Calls by which a file may define names that its text does not show.
_DYNAMIC = {"globals", "exec", "setattr", "vars", "locals", "__import__"}


@dataclass(frozen=True)
class TargetName:
    """A target taken apart: a file or a module, and the name in it."""

    spec: str
    place: str
    name: str
    file: Path | None


def parse_target(spec: str) -> TargetName:
    """Take a target like "file.py:name" or "package.module:name" apart.

    Raises:
        UncheckError: it has no such form, or names a file of another kind, which is then told.

    >>> parse_target("nets.unet:make").name
    'make'
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name or "/" in name or "\\" in name:
        if (said := foreign_file(spec)) is not None:
            raise UncheckError(said)
        if spec.endswith(".py"):
            raise UncheckError(f"{spec!r} names a file but no object in it: write {spec}:name{_choice(spec)}")
        raise UncheckError(f"{spec!r} names no object: write file.py:name or package.module:name")
    if not place.endswith(".py") and (said := foreign_file(place)) is not None:
        raise UncheckError(said)
    path = Path(place)
    return TargetName(spec, place, name, path if place.endswith(".py") or path.is_file() else None)


def check_target(spec: str) -> TargetName:
    """Check that a target's file or module exists, and that a plain file has the name.

    Files whose text does not show all their names (star imports, `globals()`, `__getattr__`) and packages are
    left to the import.

    Raises:
        UncheckError: what does not exist, with what is close to it.
    """
    found = parse_target(spec)
    if found.file is not None:
        _check_file(found, found.file)
    else:
        _check_module(found)
    return found


def check_exists(path: Path) -> None:
    """Raise UncheckError, with a name close to it, unless there is such a Python file."""
    if path.is_file():
        return
    near = difflib.get_close_matches(path.name, sorted(p.name for p in path.parent.glob("*.py")), 1)
    hint = f": did you mean {path.with_name(near[0])}?" if near else ": check the path"
    raise UncheckError(f"there is no file {path}{hint}")


def check_weights(file: Path) -> None:
    """Raise UncheckError unless there is such a file, of an ending that weights have."""
    if not file.is_file():
        raise UncheckError(f"there is no weight file {file}: check the path")
    if file.suffix != ".safetensors" and file.suffix not in PICKLED:
        raise UncheckError(
            f"{file} ends in {file.suffix or 'nothing'!r}: weights are read from "
            f".safetensors, {', '.join(PICKLED)}"
        )


def definition(path: Path, name: str) -> int | None:
    """Return the line on which a file defines a name at its top level; None where its text shows none."""
    try:
        names, _ = _top_names(ast.parse(path.read_text(encoding="utf-8")))
    except (OSError, SyntaxError, ValueError):
        return None
    return names.get(name)


def _check_file(found: TargetName, path: Path) -> None:
    check_exists(path)
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        said = f"{type(error).__name__}: {error.msg} (line {error.lineno})"
        raise UncheckError(f"running {path} failed: {said}; mend that first") from error
    except ValueError:
        return  # null bytes: the import says so
    names, open_ended = _top_names(tree)
    first = found.name.partition(".")[0]
    if first in names or open_ended or first in dir(sys.modules["builtins"]):
        return
    public = [name for name in names if not name.startswith("_")]
    raise UncheckError(missing(found.place, first, public, _models(tree)))


def missing(place: str, name: str, public: list[str], models: list[str]) -> str:
    """Return the sentence about a name that a place does not have."""
    near = difflib.get_close_matches(name, public, 3)
    if near:
        return f"{place} has no {name!r}: did you mean {' or '.join(near)}?"
    if models:
        return f"{place} has no {name!r}; it has {_listed(models[:5])}: name one of these"
    return f"{place} has no {name!r}: name a model, class or function it defines"


def _check_module(found: TargetName) -> None:
    top = found.place.partition(".")[0]
    sys.path.insert(0, str(Path.cwd()))
    try:
        known = top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        known = False
    finally:
        sys.path.remove(str(Path.cwd()))
    if not known:
        raise UncheckError(no_module(found.place, top))


def no_module(place: str, lacking: str) -> str:
    """Return the sentence about a module that is not there."""
    near = f"{place}.py"
    hint = f"; {near} is a file: write {near}:name" if Path(near).is_file() else ""
    return (
        f"there is no module {place!r} ({lacking!r} was not found): install it, or name a "
        f"file as file.py:name{hint}"
    )


def _top_names(tree: ast.Module) -> tuple[dict[str, int], bool]:
    """Return the names that a module binds at its top level, with lines, and whether there may be more."""
    names: dict[str, int] = {}
    open_ended = False
    for node in _statements(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] = node.lineno
            open_ended |= node.name == "__getattr__"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = node.lineno
                open_ended |= alias.name == "*"
        else:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    names.setdefault(inner.id, inner.lineno)
    for inner in ast.walk(tree):
        open_ended |= isinstance(inner, ast.Global)
        open_ended |= isinstance(inner, ast.Call) and getattr(inner.func, "id", "") in _DYNAMIC
    return names, open_ended


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements of a module, those of its ifs, loops, withs and tries too."""
    found = []
    for node in body:
        found.append(node)
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if inner and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found += _statements(inner)
        for handler in getattr(node, "handlers", ()):
            found += _statements(handler.body)
    return found


def _models(tree: ast.Module) -> list[str]:
    """Return classes that derive from something called Module."""
    return [
        node.name
        for node in _statements(tree.body)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).rpartition(".")[2].endswith("Module") for base in node.bases)
    ]


def _choice(spec: str) -> str:
    try:
        models = _models(ast.parse(Path(spec).read_bytes()))
    except (OSError, SyntaxError, ValueError):
        return ""
    return f", such as {spec}:{models[0]}" if models else ""


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
