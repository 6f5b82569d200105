"""Reports for programs: SARIF, workflow commands of GitHub, JUnit and CSV, from the same dictionaries."""

from __future__ import annotations

from uncheck.reporting.formats.github import github_text
from uncheck.reporting.formats.junit import junit_text
from uncheck.reporting.formats.sarif import sarif_text
from uncheck.reporting.formats.table import csv_text

__all__ = ["csv_text", "github_text", "junit_text", "sarif_text"]
