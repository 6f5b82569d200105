"""The page of a fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uncheck.reporting.page import Report
from uncheck.reporting.web.document import Sheet, Tile


def sheet(report: Report, pixels: Mapping[str, Any]) -> Sheet:
    """Return the page of a fusion: it has no pictures."""
    del pixels
    fused, refused, gap = report["fused"], report["refused"], report["difference"]
    verdict, tone = ("Fused", "good") if fused else ("Nothing to fuse", "good")
    if refused:
        verdict, tone = ("Fused in part", "mixed") if fused else ("Not fused", "bad")
    tiles = [
        Tile(
            str(len(fused)),
            "resize-convolutions now one layer each",
            "good" if fused else "",
            "fused" if fused else "",
        )
    ]
    if refused:
        tiles.append(Tile(str(len(refused)), "resizes left as they were", "mixed", "refused"))
    if fused:
        equal = gap["relative"] <= gap["allowed"]
        word = "only rounding" if equal else "more than rounding"
        tiles.append(
            Tile(
                f"{gap['relative']:.1g}", "of the largest value: difference", "good" if equal else "bad", word
            )
        )
    return Sheet("report.html", f"{verdict}: fusion", verdict, tone, tiles, report)
