"""Versions, machine and date, as the benchmarks note them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))


def describe() -> dict[str, Any]:
    """Of benchmarks/machine.py."""
    from machine import describe as noted

    return noted()
