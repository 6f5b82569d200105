"""config.toml: settings, the claims with their predictions, and what a smoke test changes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read(path: Path, *, smoke: bool = False) -> dict[str, Any]:
    """The settings without [claims] and [smoke]; with `smoke` those of [smoke] replace them."""
    whole = tomllib.loads(path.read_text())
    changed = whole.pop("smoke", {})
    whole.pop("claims", None)
    return {**whole, **changed} if smoke else whole


def claims(path: Path) -> dict[str, dict[str, str]]:
    """[claims.NAME]: `article` (its statement, in our words), `predicted`, `figure` (a file of figures/)."""
    return tomllib.loads(path.read_text())["claims"]
