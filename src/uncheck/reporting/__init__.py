"""Results become text, JSON, pictures and pages."""

from __future__ import annotations

from uncheck.reporting.inspection import inspect_text
from uncheck.reporting.measured import measure_text
from uncheck.reporting.overlaps import overlap_text
from uncheck.reporting.page import Page, json_text

__all__ = ["Page", "inspect_text", "json_text", "measure_text", "overlap_text"]
