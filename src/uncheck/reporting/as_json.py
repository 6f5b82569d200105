"""Results as dictionaries and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

Report = Mapping[str, Any]
"""A result's `to_dict()`, from which all reports are written."""


class Result(Protocol):
    """Anything with a dictionary of lists, dictionaries and numbers."""

    def to_dict(self) -> dict[str, Any]:
        """Return it, ready for JSON."""
        ...


def json_text(result: Result) -> str:
    """Return the result as JSON, indented, keys in the order of the result, ASCII only.

    Raises:
        ValueError: a NaN or infinite number, which JSON has no word for.
    """
    return json.dumps(result.to_dict(), indent=2, allow_nan=False)
