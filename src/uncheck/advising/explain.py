"""The page behind each piece of advice."""

from __future__ import annotations

from difflib import get_close_matches

from uncheck.advising.causes import CAUSES
from uncheck.advising.fault import Cause
from uncheck.errors import UncheckError


def explain(name: str) -> str:
    """Return the page about a cause, as Markdown.

    Raises:
        UncheckError: there is no such cause; close matches are named.

    >>> print(explain("jpeg").splitlines()[0])
    # JPEG
    """
    return page(find(name))


def find(name: str) -> Cause:
    """Return the cause of a name or a synonym."""
    known = {cause.name: cause for cause in CAUSES.values()}
    known |= {word: cause for cause in CAUSES.values() for word in cause.synonyms}
    asked = "-".join(name.lower().replace("_", " ").replace("-", " ").split())
    spelled = {"-".join(word.lower().split()): cause for word, cause in known.items()}
    if asked in spelled:
        return spelled[asked]
    near = list(dict.fromkeys(spelled[word].name for word in get_close_matches(asked, spelled, 3)))
    ask = f"did you mean {' or '.join(near)}?" if near else "`uncheck explain` lists all"
    raise UncheckError(f"there is no cause {name!r}; {ask}")


def page(cause: Cause) -> str:
    """Return a page as Markdown."""
    parts = [f"# {cause.title}", cause.meaning, "## How to recognise it", _bullets(cause.signs)]
    parts += ["## What to do, cheapest first"]
    parts += [
        "\n".join(
            f"{i}. {cure.text[:1].upper()}{cure.text[1:]}. Cost: {cure.cost}."
            for i, cure in enumerate(cause.cures, 1)
        )
        or "Nothing."
    ]
    if cause.findings:
        found = [f"{one.text} ({one.source})" for one in cause.findings]
        parts += ["## What was measured", _bullets(found)]
    return "\n\n".join(parts) + "\n"


def index() -> list[tuple[str, str]]:
    """Return name and title of every cause."""
    return [(cause.name, cause.title) for cause in CAUSES.values()]


def _bullets(lines: object) -> str:
    return "\n".join(f"- {line}" for line in lines)  # type: ignore[attr-defined]
