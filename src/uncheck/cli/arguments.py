"""The words of a command line before they are parsed: which command, which options, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from uncheck.errors import UncheckError

#: What people call the commands, and what to tell them.
SYNONYMS = {
    **dict.fromkeys(
        ("fix", "mend", "cure", "heal", "patch", "clean", "remove", "denoise", "deblock"),
        "`uncheck repair` mends a network; `uncheck.clean(images)` in Python cleans finished pictures",
    ),
    **dict.fromkeys(
        ("check", "lint", "diagnose", "debug", "blame", "audit", "analyse", "analyze", "summary", "profile"),
        "`uncheck inspect` runs a network and names the layer; `uncheck measure` takes pictures",
    ),
    **dict.fromkeys(
        ("detect", "find", "scan", "score", "test", "evaluate", "eval", "metric", "image", "images"),
        "`uncheck measure` looks for a grid in pictures, `uncheck inspect` in a network",
    ),
    **dict.fromkeys(
        ("count", "kernel", "stride", "taps", "deconv", "size", "sizes"),
        "`uncheck overlap KERNEL STRIDE` counts the taps per output pixel",
    ),
    **dict.fromkeys(
        ("merge", "optimize", "optimise", "speed", "accelerate", "fold"),
        "`uncheck fuse` makes a resize and its convolution one layer",
    ),
    **dict.fromkeys(
        ("why", "what", "doc", "docs", "man", "glossary", "advise", "advice", "cause"),
        "`uncheck explain` has a page for each cause and word",
    ),
    **dict.fromkeys(
        ("env", "info", "versions", "config", "status", "about", "system"),
        "`uncheck doctor` shows versions, extras and settings",
    ),
    **dict.fromkeys(("example", "try", "tutorial", "start"), "`uncheck demo` shows all on a small network"),
    "swap": "uncheck.swap(model, example_input) exchanges layers in Python; `uncheck repair` mends weights",
    "train": "uncheck.training has penalties, a metric and a monitor, for Python",
    "export": "`uncheck repair --export onnx` exports what it repaired",
    "help": "`uncheck --help` lists the commands, `uncheck COMMAND --help` the options of one",
    "version": "`uncheck --version` tells it",
}


def command_of(words: Sequence[str]) -> tuple[str | None, int]:
    """Return the first word that is no option, which names the command, and its place."""
    for index, word in enumerate(words):
        if not word.startswith("-") or word == "-":
            return word, index
    return None, len(words)


def check_command(name: str, known: Sequence[str]) -> None:
    """Raise UncheckError, with what was probably meant, unless there is such a command.

    >>> check_command("fix", ["repair"])
    Traceback (most recent call last):
    ...
    uncheck.errors.UncheckError: there is no command 'fix'; `uncheck repair` mends a network; ...
    """
    if name in known:
        return
    lower = name.lower()
    for word in (lower, *get_close_matches(lower, SYNONYMS, 1, 0.85)):
        if word in SYNONYMS and not get_close_matches(lower, known, 1, 0.85):
            raise UncheckError(f"there is no command {name!r}; {SYNONYMS[word]}")
    if near := get_close_matches(lower, known, 1):
        raise UncheckError(f"there is no command {name!r}; did you mean `uncheck {near[0]}`?")
    if "." in name or "/" in name:
        raise UncheckError(
            f"there is no command {name!r}; for a file, write `uncheck measure {name}`, for a network "
            "`uncheck inspect file.py:name`"
        )
    raise UncheckError(f"there is no command {name!r}; there are {', '.join(known)}")


def given_options(words: Sequence[str], parameters: Sequence[Any]) -> Iterator[tuple[Any, str, str]]:
    """Yield the options among the words of a command: the parameter, the name written, and the value.

    The value of a flag is the name.
    """
    by_name = options_of(parameters)
    index = 0
    while index < len(words) and words[index] != "--":
        word, equals, value = words[index].partition("=")
        index += 1
        if not word.startswith("--") and len(word) > 2 and word[:2] in by_name:  # -fjson, -vq
            word, equals, value = words[index - 1][:2], "=", words[index - 1][2:]
        parameter = by_name.get(word)
        if parameter is None:
            continue
        if parameter.is_flag:
            yield parameter, word, word
            continue
        if not equals:
            value = words[index] if index < len(words) else ""
            index += 1
        yield parameter, word, value


def options_of(parameters: Sequence[Any]) -> Mapping[str, Any]:
    """Return the parameters that are options by each of their names."""
    named = [one for one in parameters if one.param_type_name == "option"]
    return {name: one for one in named for name in (*one.opts, *one.secondary_opts)}


def check_repeated(words: Sequence[str], parameters: Sequence[Any]) -> None:
    """Raise UncheckError for an option that is given several times with different values.

    The parser would keep the last one in silence.
    """
    seen: dict[str, tuple[str, str]] = {}
    for parameter, name, value in given_options(words, parameters):
        if parameter.multiple:
            continue
        before = seen.setdefault(parameter.name, (name, value))
        if before[1] == value or (parameter.is_flag and {name, before[0]} <= set(parameter.opts)):
            continue
        if parameter.is_flag:
            raise UncheckError(f"{before[0]} and {name} exclude each other; give one")
        joined = f", as {name} {before[1]},{value}" if parameter.name == "periods" else ""
        both = f"as {before[1] or 'nothing'} and as {value or 'nothing'}"
        raise UncheckError(f"{name} is given twice, {both}; give it once{joined}")
