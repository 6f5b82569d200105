"""Makes all results of this experiment: `python experiments/calibration/run.py [part ...]`. See README.md."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
#: What is measured, in modules of the same names; then the figures and the tables of the docs.
PARTS = ("false_alarms", "detection", "limits", "sets", "comparison", "blocks", "rivals", "areas", "fields")
PICTURES = ("figures", "tables")
#: Parts of which a random share of the pictures may be measured; of areas, those with a lattice.
SHARED = ("false_alarms", "areas")

sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS + PICTURES)}")
    parser.add_argument("--keep", action="store_true", help="skip measured parts whose result exists")
    parser.add_argument("--share", type=float, default=1.0, help=f"of the pictures of {', '.join(SHARED)}")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - {*PARTS, *PICTURES}
    if unknown:
        parser.error(f"unknown part {sorted(unknown)[0]}; choose from {', '.join(PARTS + PICTURES)}")
    RESULTS.mkdir(exist_ok=True)
    for part in arguments.parts or (*PARTS, *PICTURES):
        path = RESULTS / f"{part}.json"
        if part in PARTS and arguments.keep and path.exists():
            continue
        began = time.perf_counter()
        outcome = import_module(part).main(**({"share": arguments.share} if part in SHARED else {}))
        if part in PARTS:
            from machine import describe

            seconds = round(time.perf_counter() - began, 1)
            written = {"machine": describe(), "seconds": seconds, **outcome}
            path.write_text(json.dumps(written, indent=1) + "\n")
            print(f"{part}: {seconds} s", file=sys.stderr)


if __name__ == "__main__":
    main()
