"""One page for every kind of result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from uncheck.errors import UncheckError
from uncheck.reporting.fusion import fuse_text
from uncheck.reporting.inspection import inspect_text
from uncheck.reporting.measured import measure_text
from uncheck.reporting.page import Report, Result
from uncheck.reporting.repair_page import repair_sheet
from uncheck.reporting.web import counted, fused, inspected, measured
from uncheck.reporting.web.document import Made, Sheet, written
from uncheck.reporting.web.parts import sections_of

Pixels = Mapping[str, Any]

_SHEETS: dict[str, Callable[[Report, Pixels], Sheet]] = {
    "uncheck.inspect": inspected.sheet,
    "uncheck.measure": measured.sheet,
    "uncheck.overlap": counted.sheet,
    "uncheck.fuse": fused.sheet,
    "uncheck.repair": repair_sheet,
}

_TEXTS = {
    "uncheck.inspect": inspect_text,
    "uncheck.measure": measure_text,
    "uncheck.fuse": fuse_text,
}


def html_text(result: Result | Report, pixels: Pixels | None = None, made: Made | None = None) -> str:
    """Return a result as one HTML page that needs nothing beside itself.

    What there is, why, and what to do come first, with commands to copy; then pictures, then the tables of
    the text report; versions, date and command at the end. Names from outside are escaped.

    Args:
        result: of inspect, measure, repair, fuse or overlap, or its `to_dict()`.
        pixels: arrays to show, by name. inspect: "output" and "lattice" (H, W, C) grey levels, "place", row
            and column of the part to enlarge, "spectrum" (H, W, 1) dB. measure: "cards", pictures by index
            (`reporting.web.card`). repair: those of `repair_sheet`. Whatever is missing is left out.
        made: the command, the date and the versions; those of now, without a command, if None.

    Raises:
        UncheckError: a dictionary of another kind.

    Cost: a few pictures, compressed; at most 60 of a folder.

    >>> from uncheck import overlap
    >>> "taps" in html_text(overlap(3, 2))
    True
    """
    report: Report = result if isinstance(result, Mapping) else result.to_dict()
    kind = str(report.get("schema", "")).partition("/")[0]
    if kind not in _SHEETS:
        raise UncheckError(f"a page needs a result of uncheck, or its to_dict(), not {kind or 'this'!r}")
    sheet = _SHEETS[kind](report, pixels or {})
    sections = sections_of(_TEXTS[kind], report) if kind in _TEXTS else []
    return written(sheet, sections, made or Made.now())
