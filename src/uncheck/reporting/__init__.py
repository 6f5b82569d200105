"""Results become text, JSON, pictures and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uncheck.reporting.inspection import inspect_text
from uncheck.reporting.measured import measure_text
from uncheck.reporting.overlaps import overlap_text
from uncheck.reporting.page import Page, json_text

if TYPE_CHECKING:
    from uncheck.reporting.web.text import html_text

__all__ = ["Page", "html_text", "inspect_text", "json_text", "measure_text", "overlap_text"]


def __getattr__(name: str) -> Any:
    # Pages have pictures, whose libraries the texts do without.
    if name != "html_text":
        raise AttributeError(f"module 'uncheck.reporting' has no attribute {name!r}")
    from uncheck.reporting.web.text import html_text

    return html_text
