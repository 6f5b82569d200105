"""Which formats a result is written in, and where: `--format`, several at once, and the ending of `-o`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uncheck.cli.options import ENDINGS, Format
from uncheck.cli.output import Say, check_output, command_line, emit, note, page
from uncheck.errors import UncheckError

if TYPE_CHECKING:
    from uncheck.reporting import Page
    from uncheck.reporting.page import Result

Text = Callable[[Any, "Page"], str]
Pixels = Mapping[str, Any]

#: Formats of which several may share stdout: lines for people, and lines that a runner picks out.
SHARED = {Format.text, Format.github}


@dataclass(frozen=True)
class Destination:
    """One format, and the file it goes to; None is stdout."""

    form: Format
    path: Path | None


@dataclass(frozen=True)
class Judged:
    """A result, and the limit of `--fail-above`, in grey levels."""

    result: Result
    fail_above: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the result's dictionary, with the key `fail_above`."""
        return {**self.result.to_dict(), "fail_above": self.fail_above}


class Outputs:
    """The destinations of a result, checked before long work.

    Args:
        formats: words of `--format`: NAME or NAME=FILE.
        output: `-o`; where no format without a file is given, its ending names one.
        inputs: files that are read, and may not be replaced.
        only: the formats that the command has, if not all.
        html: `--html`, the same as `--format html=FILE`.

    Raises:
        UncheckError: an unknown format, a file named twice or that cannot be written, or several formats for
            one place.
    """

    def __init__(
        self,
        formats: Sequence[str] | None,
        output: Path | None = None,
        inputs: Sequence[str | Path] = (),
        only: Sequence[str] = (),
        html: Path | None = None,
    ) -> None:
        named = [_parsed(word) for word in formats or ()]
        loose = list(dict.fromkeys(one.form for one in named if one.path is None))
        placed = [one for one in named if one.path is not None]
        if output is not None and str(output) == "-":
            output = None
        if not loose and (output is not None or not placed):
            loose = [_by_ending(output)]
        if len(loose) > 1 and (output is not None or not SHARED.issuperset(loose)):
            where = f"-o {output}" if output is not None else "stdout"
            raise UncheckError(
                f"{where} takes one format, not {' and '.join(loose)}; write the others to files, "
                f"as --format {loose[1]}=FILE"
            )
        placed += [] if html is None else [Destination(Format.html, html)]
        self.destinations = [*(Destination(one, output) for one in loose), *placed]
        if only and (others := [one.form for one in self.destinations if one.form not in only]):
            raise UncheckError(f"this command has no format {others[0]}; give {' or '.join(only)}")
        paths = [one.path.absolute() for one in self.destinations if one.path is not None]
        if twice := [path for path in paths if paths.count(path) > 1]:
            raise UncheckError(f"{twice[0].name} is to be written twice; give each format a file of its own")
        self.check(inputs)

    def check(self, inputs: Sequence[str | Path]) -> None:
        """Refuse files that cannot be written, or that are read."""
        for one in self.destinations:
            check_output(one.path, inputs)

    def emit(
        self, result: Any, text: Text, say: Say | None = None, pixels: Callable[[], Pixels] | None = None
    ) -> None:
        """Write the result to every destination: what goes to stdout first.

        `pixels` makes the pictures of a page, and is asked only where there is one.
        """
        for one in sorted(self.destinations, key=lambda one: one.path is not None):
            emit(_written(result, one, text, say, pixels), one.path)
        named = [str(one.path) for one in self.destinations if one.path is not None]
        if len(named) == len(self.destinations) and len(named) > 1:
            note(f"wrote {', '.join(named)}", "")


def _parsed(word: str) -> Destination:
    name, _, file = word.partition("=")
    try:
        form = Format(name.strip().lower())
    except ValueError:
        near = get_close_matches(name.strip().lower(), list(Format), 1)
        hint = f"did you mean {near[0]}?" if near else f"give one of {', '.join(Format)}"
        raise UncheckError(f"--format {word!r} is not known; {hint}") from None
    if "=" in word and not file:
        raise UncheckError(f"--format {word} names no file; write it like {name}=out.{form}")
    return Destination(form, None if file in ("", "-") else Path(file))


def _by_ending(output: Path | None) -> Format:
    return Format.text if output is None else ENDINGS.get(output.suffix.lower(), Format.text)


def _written(
    result: Any, one: Destination, text: Text, say: Say | None, pixels: Callable[[], Pixels] | None
) -> str:
    if one.form is Format.text:
        return text(result, page(one.path, say))
    from uncheck.reporting import formats, json_text

    if one.form is Format.json:
        return json_text(result)
    if one.form is Format.html:
        from uncheck.reporting.web.document import Made
        from uncheck.reporting.web.text import html_text

        return html_text(result, pixels() if pixels else {}, Made.now(command_line()))
    if one.form is Format.sarif:
        from uncheck import __version__

        return formats.sarif_text(result.to_dict(), __version__)
    writers = {
        Format.csv: formats.csv_text,
        Format.github: formats.github_text,
        Format.junit: formats.junit_text,
    }
    return writers[one.form](result.to_dict())
