"""What a figure was measured on: versions, processor, date; nothing that names a host or a path."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("uncheck", "torch", "numpy", "scipy", "pillow")


def describe() -> dict[str, object]:
    """Versions, machine and date, JSON-ready."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads_used": int(os.environ.get("OMP_NUM_THREADS", "0")) or None,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
