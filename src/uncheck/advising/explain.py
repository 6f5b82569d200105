"""The pages behind the advice, and the meaning of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from uncheck.advising.causes import CAUSES
from uncheck.advising.fault import Cause, Cure, Fault
from uncheck.advising.glossary import GLOSSARY
from uncheck.advising.request import Request
from uncheck.errors import UncheckError

_SIZES = {"kernel_size": [3, 3], "stride": [2, 2]}

#: What the examples of the pages are about.
_REQUEST = Request("model.py:make", weights="weights.safetensors", input="photos")
_STAGE = {"name": "up", "kind": "transposed", "in_channels": 128, "out_channels": 64, **_SIZES}
_REPORT = {"images": [{"path": "output.png"}], "layers": [{"transposed": True, **_SIZES}]}


def explain(name: str) -> str:
    """Return the page about a cause, or the meaning of a word of the reports, as Markdown.

    Args:
        name: of a cause (`index` lists them), another name of it, or a word of the glossary.

    Raises:
        UncheckError: it is none of these; close matches are named.

    >>> print(explain("jpeg").splitlines()[0])
    # JPEG
    >>> print(explain("spread"))
    spread: How unequal the gains of a layer's phases are: 0 equal, 1 as unequal as can be.
    """
    asked = _key(name)
    causes, words = _causes(), {_key(word): word for word in GLOSSARY}
    if asked in CAUSES or (asked in causes and asked not in words):
        return page(causes[asked])
    if asked in words:
        word = words[asked]
        more = f"\nSee also: uncheck explain {causes[asked].name}" if asked in causes else ""
        return f"{word}: {GLOSSARY[word]}{more}"
    known: Mapping[str, str] = {key: cause.name for key, cause in causes.items()} | words
    near = list(dict.fromkeys(known[key] for key in get_close_matches(asked, known, 3)))
    ask = f"did you mean {' or '.join(near)}?" if near else "`uncheck explain` lists all"
    raise UncheckError(f"nothing is known of {name!r}; {ask}")


def _causes() -> dict[str, Cause]:
    """Return every cause by its name and its other names."""
    named = {_key(word): cause for cause in CAUSES.values() for word in cause.synonyms}
    return named | dict(CAUSES)


def _key(name: str) -> str:
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())


def page(cause: Cause, level: int = 1) -> str:
    """Return the page of a cause, its title a heading of this level."""
    title, section = "#" * level, "#" * (level + 1)
    cures = [
        f"{cure.text[:1].upper()}{cure.text[1:]} ({cure.cost}):\n\n        {_example(cause, cure)}"
        for cure in cause.cures
    ]
    parts = [
        f"{title} {cause.title}",
        cause.meaning,
        f"{section} How to recognise it",
        _bullets(cause.signs),
        f"{section} What to do, the cheapest first",
        "\n\n".join(f"{i}. {line}" for i, line in enumerate(cures, 1)) or "Nothing.",
    ]
    if cause.findings:
        found = [f"{one.text} ({one.source})" for one in cause.findings]
        parts += [f"{section} What was measured", _bullets(found)]
    return "\n\n".join(parts)


def _example(cause: Cause, cure: Cure) -> str:
    """Return the command or code of a cure for a layer of 128 to 64 channels, kernel 3, stride 2."""
    for request in (_REQUEST, Request()):
        fault = Fault(cause.name, "", _REPORT, request, _STAGE)
        for write in (cure.command, cure.code):
            if write is not None and (words := write(fault)) is not None:
                return words
    raise AssertionError(f"{cause.name} has a cure without an example: {cure.text}")


def index() -> str:
    """Return the names and titles of all causes, and the words of the glossary, one a line each."""
    width = max(map(len, CAUSES))
    lines = [f"{cause.name.ljust(width)}  {cause.title}" for cause in CAUSES.values()]
    return "\n".join([*lines, "", f"Words: {', '.join(GLOSSARY)}."])


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
