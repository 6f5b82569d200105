"""Timing of one call inside a process, and its peak memory."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Milliseconds of several calls."""

    median: float
    least: float
    most: float
    calls: int

    def to_dict(self) -> dict[str, float]:
        """JSON-ready."""
        return {"median": self.median, "min": self.least, "max": self.most, "calls": self.calls}


def time_call(call: Callable[[], object], repeats: int) -> Timing:
    """Wall time after one warm-up call."""
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1e3)
    return Timing(statistics.median(times), min(times), max(times), repeats)


def peak_memory(call: Callable[[], object]) -> float:
    """Bytes that a call allocates at its peak, as numpy and Python report them, after one warm-up."""
    call()
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return float(peak)
