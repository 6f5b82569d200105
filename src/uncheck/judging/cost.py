"""The cost of a repaired network beside the original's: time and memory, in one run."""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from uncheck.judging.judgement import Cost
from uncheck.reading import Inputs, as_found, run

#: Pairs of calls at most and at least, and seconds after which no further pair is begun.
MOST_PAIRS, LEAST_PAIRS, SECONDS = 15, 3, 12.0

MEGABYTE = 1e6

Calls = tuple[Callable[[], Any], Callable[[], Any]]


def measure_cost(
    before: nn.Module, after: nn.Module, inputs: Inputs, seconds: float = SECONDS
) -> Cost | None:
    """Measure the median time and peak memory of one call of both networks on the same inputs.

    The calls alternate, after one of each to warm up, so that whatever slows the machine slows both. Memory
    is the most that a call holds beyond what the process held before it, as the system sees it (Linux) or
    as torch's allocator does (GPUs): output and scratch memory included.

    Returns:
        The cost; None where either network cannot be run. Memory is None on other systems. Where one call of
        both takes more than `seconds`, the time is that of this first call, and memory None.

    Cost: 3 to 15 calls of each network, `seconds` (at most 12) beyond that, and four more for memory; one
        call of each where that takes more than `seconds`.
    """
    try:
        with as_found(before), as_found(after):
            before.eval()
            after.eval()
            calls: Calls = (lambda: run(before, inputs), lambda: run(after, inputs))
            first = [_milliseconds(call) for call in calls]
            if sum(first) > 1e3 * seconds:
                return Cost(first[0], first[1], None, None)
            times = _alternating(calls, min(seconds, SECONDS))
            memory = [_memory(call) for call in calls]
    except Exception:  # a repair must not be lost for want of a stopwatch
        return None
    return Cost(*(statistics.median(each) for each in times), *memory)


def _alternating(calls: Calls, seconds: float = SECONDS) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each call of either, of three pairs at least."""
    times: tuple[list[float], list[float]] = ([], [])
    began = time.perf_counter()
    while len(times[0]) < MOST_PAIRS and (
        len(times[0]) < LEAST_PAIRS or time.perf_counter() - began < seconds
    ):
        # in turns also who comes first
        for which in (0, 1) if len(times[0]) % 2 else (1, 0):
            times[which].append(_milliseconds(calls[which]))
    return times


def _milliseconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    if _on_gpu():
        torch.cuda.synchronize()
    return (time.perf_counter() - start) * 1e3


def _on_gpu() -> bool:
    return torch.cuda.is_available() and torch.cuda.memory_allocated() > 0


def _memory(call: Callable[[], Any]) -> float | None:
    """Return the median of three peaks; a first call pays for the one-time setup of the process."""
    peaks = [_peak(call) for _ in range(4)][1:]
    seen = [peak for peak in peaks if peak is not None]
    # The median, for one came out far too low on a busy machine.
    return statistics.median(seen) if seen else None


def _peak(call: Callable[[], Any]) -> float | None:
    """Return the megabytes that a call adds at its peak; None where the system does not say."""
    if _on_gpu():
        torch.cuda.synchronize()
        start = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        return (torch.cuda.max_memory_allocated() - start) / MEGABYTE
    try:
        # freed blocks that the process kept would be used again unseen: they are handed back first
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = _status("VmRSS")
        call()
        return (_status("VmHWM") - before) / MEGABYTE
    except (OSError, AttributeError, TypeError, StopIteration):
        return None


def _status(name: str) -> int:
    """Return the bytes of an entry of /proc/self/status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) * 1024
