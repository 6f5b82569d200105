"""Peak memory of one call, as the system sees it: every allocator counts, oneDNN's too.

Run as a program by `peaks_of`, in a process of its own that hands freed blocks back at once
(MALLOC_MMAP_THRESHOLD_).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

WHAT = ("two steps", "transposed", "ResizeConv")


def peaks_of(cells: list[dict[str, object]], threads: int) -> list[dict[str, float]]:
    """Bytes at the peak beyond what was there before the call, output included: each of WHAT, every cell."""
    found: list[dict[str, float]] = json.loads(alone(__file__, json.dumps([cells, threads])))
    return found


def alone(program: str, argument: str) -> str:
    """What a program prints when it runs in a process that hands freed blocks back at once."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-W", "ignore", program, argument]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return done.stdout


def peak_beyond(call: object) -> float:
    """Bytes of resident memory that a call adds at its peak; Linux only."""
    call()  # type: ignore[operator]
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    call()  # type: ignore[operator]
    return float(_status("VmHWM") - before)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def main() -> None:
    """Print the peaks of the cells given."""
    import torch
    from cells import Cell, call_of, deconvolution, input_of, layer_of, two_steps

    rows, threads = json.loads(sys.argv[1])
    torch.set_num_threads(threads)
    made = {"two steps": two_steps, "transposed": deconvolution, "ResizeConv": layer_of}
    found = []
    for row in rows:
        cell = Cell(**row)
        x = input_of(cell)
        found.append({what: peak_beyond(call_of(made[what](cell), x, cell.training)) for what in WHAT})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
