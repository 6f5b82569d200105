"""A model or a function by name: `file.py:name` or `package.module:name`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from uncheck.errors import UncheckError, first_line
from uncheck.targets import check_exists, missing, no_module, parse_target


def load_target(spec: str) -> nn.Module:
    """Load the model that a name stands for.

    Args:
        spec: "file.py:name" or "package.module:name"; the name is a module, or a class or function that needs
            no arguments and returns one. Dots in it go into attributes.

    Returns:
        The model, in whatever mode it was made.

    Raises:
        UncheckError: no such file, package or name; the import fails; the callable needs arguments, raises,
            or does not return a torch.nn.Module.

    Cost: runs the file.
    """
    with _imported(spec) as found:
        if isinstance(found, nn.Module):
            return found
        if not callable(found):
            raise UncheckError(
                f"{spec} is of type {type(found).__name__}, not a model: name a torch.nn.Module, or a "
                "class or function that returns one"
            )
        model = _called(spec, found)
    if not isinstance(model, nn.Module):
        raise UncheckError(
            f"{spec}() returned a {type(model).__name__}, not a torch.nn.Module: name something that "
            "returns one"
        )
    return model


def load_callable(spec: str) -> Callable[..., Any]:
    """Load the function that a name stands for, such as one that makes inputs; it is not called.

    Raises:
        UncheckError: no such file, package or name; the import fails; it cannot be called.
    """
    with _imported(spec) as found:
        if not callable(found):
            raise UncheckError(
                f"{spec} is of type {type(found).__name__}, which cannot be called: name a function"
            )
        return found  # type: ignore[no-any-return]


@contextmanager
def _imported(spec: str) -> Iterator[Any]:
    named = parse_target(spec)
    if named.file is not None:
        check_exists(named.file)
    folder = Path.cwd() if named.file is None else named.file.resolve().parent
    with _on_path(folder):
        module = _package(named.place) if named.file is None else _run(named.file)
        found: Any = module
        for part in named.name.split("."):
            if not hasattr(found, part):
                raise UncheckError(_missing(named.place, found, part))
            found = getattr(found, part)
        yield found


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    """Let the file's neighbours be imported while it runs."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)


def _run(path: Path) -> ModuleType:
    name = f"uncheck_target_{path.stem}_{abs(hash(path.resolve()))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UncheckError(f"{path} is not a Python file: name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up here
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise UncheckError(f"running {path} failed: {_cause(error)}; mend that first") from error
    return module


def _package(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except (Exception, SystemExit) as error:
        lacking = error.name if isinstance(error, ModuleNotFoundError) else None
        if lacking and f"{place}.".startswith(f"{lacking}."):
            raise UncheckError(no_module(place, lacking)) from error
        raise UncheckError(f"importing {place} failed: {_cause(error)}; mend that first") from error


def _called(spec: str, make: Callable[..., Any]) -> Any:
    try:
        parameters = list(inspect.signature(make).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    needed = [
        p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if needed:
        raise UncheckError(
            f"{spec} needs {_listed(needed)}: name a function without arguments that fills them in "
            "and returns the model"
        )
    try:
        return make()
    except Exception as error:
        raise UncheckError(f"calling {spec} failed: {_cause(error)}; mend that first") from error


def _cause(error: BaseException) -> str:
    """Return the error in a line, with the place in the user's code where it arose."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    trace = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    frames = [frame for frame in trace if "importlib" not in frame.filename and frame.filename != __file__]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {first_line(error)}{place}"


def _missing(place: str, holder: Any, name: str) -> str:
    public = (
        [word for word in vars(holder) if not word.startswith("_")] if hasattr(holder, "__dict__") else []
    )
    return missing(place, name, public, [word for word in public if _is_model(getattr(holder, word, None))])


def _is_model(value: Any) -> bool:
    return isinstance(value, nn.Module) or (inspect.isclass(value) and issubclass(value, nn.Module))


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else words[0]
