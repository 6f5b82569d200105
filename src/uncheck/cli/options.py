"""Options that several commands share, and the values people write in them.

A value that makes no sense is an UncheckError that names the option.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from uncheck.errors import UncheckError

Planes = StrEnum("Planes", ["pictures", "frames", "volume", "audio"])
"""How several planes, or an array of one axis, are taken."""

Format = StrEnum("Format", ["text", "json", "csv", "sarif", "github", "junit", "html"])
"""How a result is written."""

#: Formats by the ending of the file they go to.
ENDINGS = {
    ".txt": Format.text,
    ".json": Format.json,
    ".csv": Format.csv,
    ".sarif": Format.sarif,
    ".xml": Format.junit,
    ".html": Format.html,
    ".htm": Format.html,
}

#: Numbers in an input.
MOST_NUMBERS = 2**32

Target = Annotated[
    str, typer.Argument(help="file.py:name or package.module:name of a model, or of what makes one.")
]
Weights = Annotated[
    Path | None, typer.Option("--weights", help="Weights: .safetensors, or a .pth of tensors only.")
]
Input = Annotated[
    str | None,
    typer.Option(
        "--input",
        metavar="WHAT",
        help="A picture, a folder of them, a .npy, or file.py:name of a callable returning the input.",
    ),
]
#: What black and white are in the input, if nothing is said.
INPUT_RANGE = "0,1"

InputRange = Annotated[
    str, typer.Option("--input-range", metavar="LO,HI", help="What black and white are in the input.")
]
Shape = Annotated[
    str | None, typer.Option("--shape", help="Shape of the input, like 1,3,256,256; made up without --input.")
]
Form = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT[=FILE]",
        help="One of text, json, csv, sarif, github, junit, html; several at once, as sarif=out.sarif.",
    ),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Also write one page of HTML with pictures, for a browser."),
]
FailAbove = Annotated[
    float | None,
    typer.Option(
        metavar="LEVELS", help="Exit with 1 only where a lattice is stronger than so many grey levels."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="Write the result to this file; .json, .csv, .sarif, .xml (JUnit) and .html say the format.",
    ),
]
Range = Annotated[
    str | None,
    typer.Option(
        "--range", metavar="LO,HI", help="The values that stand for black and white; inferred if not given."
    ),
]
Threshold = Annotated[
    float, typer.Option(help="Grey levels (of 255) below which a lattice counts as a trace.")
]
Which = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The output meant, among several: its key or attribute, in a tuple its index (aux.depth).",
    ),
]
Unit = Annotated[
    str | None, typer.Option(help="Unit of the values, such as m: amplitudes are given in it too.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the details, too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show one line, of files one for each.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 also when something is found.")]


def parse_shape(text: str) -> tuple[int, ...]:
    """Parse a shape like 1,3,256,256 or 1x3x256x256."""
    try:
        shape = tuple(int(part) for part in _parts(text))
    except ValueError:
        raise UncheckError(
            f"--shape {text!r} is not a list of whole numbers; write it like 1,3,256,256"
        ) from None
    if min(shape) < 1:
        raise UncheckError(f"--shape {text!r} has the size {min(shape)}; every size must be at least 1")
    if math.prod(shape) > MOST_NUMBERS:
        raise UncheckError(f"--shape {text!r} has more than 2^32 numbers, 17 gigabytes; give a smaller one")
    return shape


def parse_range(text: str | None, option: str = "--range") -> tuple[float, float] | None:
    """Parse a range like -1,1; None stays None."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.strip().strip("()[]").split(","))
    except ValueError:
        raise UncheckError(f"{option} {text!r} is not two numbers; write it like -1,1") from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UncheckError(f"{option} {text!r} is not finite; give two ordinary numbers, like -1,1")
    if high <= low:
        raise UncheckError(f"{option} {text!r} is empty or reversed; give the lower value first, like -1,1")
    return low, high


def parse_tile(text: str | None) -> tuple[int, int] | None:
    """Parse a tile like 64 or 64x48 (height x width); None stays None."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,6})\s*(?:x\s*(\d{1,6})\s*)?", text)
    if not match:
        raise UncheckError(f"--mosaic {text!r} is not a size; write it like 64, or 64x48 for height x width")
    return int(match[1]), int(match[2] or match[1])


def parse_periods(text: str) -> tuple[int, ...]:
    """Parse periods like 2-16, 2,4,8 or 2-4,8 into ascending whole numbers."""
    periods: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", part)
        if not match:
            raise UncheckError(f"--periods {text!r} is not understood; write it like 2-16 or 2,4,8")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UncheckError(f"--periods {text!r} runs backwards at {part}; write {last}-{first}")
        periods.update(range(first, last + 1))
    return tuple(sorted(periods))


def parse_sizes(text: str, option: str) -> int | tuple[int, ...]:
    """Parse a size like 3 for all axes, or 3x5 or 3,5 for each; geometry judges whether they make sense."""
    parts = _parts(text)
    if not all(re.fullmatch(r"\s*-?\d{1,18}\s*", part) for part in parts):
        raise UncheckError(f"{option} {text!r} is not a size; write a whole number, or one per axis like 3x3")
    sizes = tuple(int(part) for part in parts)
    return sizes[0] if len(sizes) == 1 else sizes


def _parts(text: str) -> list[str]:
    return re.split(r"[,x]", text.strip().strip("()[]"))


def checked_threshold(threshold: float) -> float:
    """Return the threshold, if it is a number of grey levels."""
    if not (math.isfinite(threshold) and threshold >= 0):
        raise UncheckError(f"--threshold {threshold:g} is not a number of grey levels; give 0 or more")
    return threshold


def check_positive(number: float | None, option: str) -> None:
    """Raise UncheckError unless the number is above 0 and finite, or None."""
    if number is not None and not (math.isfinite(number) and number > 0):
        raise UncheckError(f"{option} {number:g} is not above 0; give an ordinary number")


def checked_limit(levels: float | None) -> float | None:
    """Return the limit of `--fail-above`, if it is a number of grey levels."""
    if levels is not None and not (math.isfinite(levels) and levels >= 0):
        raise UncheckError(f"--fail-above {levels:g} is not a number of grey levels; give 0 or more")
    return levels
