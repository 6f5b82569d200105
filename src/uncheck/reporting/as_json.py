"""Results as JSON."""

from __future__ import annotations

import json
from typing import Any, Protocol


class Result(Protocol):
    """Anything that can say itself in lists, dictionaries and numbers."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        ...


def json_text(result: Result) -> str:
    """The result as JSON, indented, keys in the order of the result, ASCII only.

    Raises:
        ValueError: a NaN or infinite number, which JSON has no word for.
    """
    return json.dumps(result.to_dict(), indent=2, allow_nan=False)
