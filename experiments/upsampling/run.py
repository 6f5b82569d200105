"""Makes all results of this experiment: `python experiments/upsampling/run.py [part ...]`. See README.md."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
#: What is measured: the layers as they start; the trainings; time and memory. Then the tables of the docs.
PARTS = ("layers", "training", "cost")

sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))


def trainings(seeds: list[int], steps: int, jobs: int) -> dict[str, Any]:
    """Every candidate, loss and seed, each in one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import train_one
    from candidates import CANDIDATES

    tasks = [(c.name, loss, seed, steps) for seed in seeds for loss in train_one.LOSSES for c in CANDIDATES]
    rows = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for row in pool.imap(one, tasks):
            rows.append(row)
            last = row["points"][-1]
            print(
                f"{len(rows)}/{len(tasks)} {row['candidate']}, {row['loss']}, seed {row['seed']}: "
                f"{row['seconds']} s, {last['psnr']} dB, shared {last['shared']}, flat {last['flat']}",
                file=sys.stderr,
                flush=True,
            )
    inputs, targets = train_one.held_out()
    return {
        "settings": {
            "steps": steps,
            "crop": train_one.CROP,
            "batch": train_one.BATCH,
            "learning_rate": train_one.RATE,
            "losses": train_one.LOSSES,
        },
        "held_out": train_one.HELD_OUT,
        "inputs": train_one.lattices(inputs),
        "targets": train_one.lattices(targets),
        "rows": rows,
    }


def one(task: tuple[str, str, int, int]) -> dict[str, Any]:
    """In a process of its own."""
    return import_module("train_one").train(*task)


def join(written: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Add the trainings of an earlier run with the same settings and other seeds."""
    new = {row["seed"] for row in written["rows"]}
    kept = [row for row in earlier["rows"] if row["seed"] not in new]
    if earlier["settings"] == written["settings"] and kept:
        written["rows"] = sorted(kept + written["rows"], key=lambda row: row["seed"])
        written["seconds"] = round(written["seconds"] + earlier["seconds"], 1)


def main() -> None:
    """Run the parts named, or all, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}, tables")
    parser.add_argument(
        "--seeds", type=int, nargs="*", default=[0, 1], help="joined with those of earlier runs alike"
    )
    parser.add_argument("--steps", type=int)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, one thread each")
    parser.add_argument("--out", type=Path, help="another folder for the results; then no tables")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - {*PARTS, "tables"}
    if unknown:
        parser.error(f"unknown part {sorted(unknown)[0]}; choose from {', '.join(PARTS)}, tables")
    results = arguments.out or HERE / "results"
    results.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts or (*PARTS, "tables"):
        began = time.perf_counter()
        if part == "tables":
            if arguments.out is None:
                import_module("upsampling_tables").main()
            continue
        if part == "layers":
            outcome = import_module("phase_statistics").main()
        elif part == "training":
            steps = arguments.steps or import_module("train_one").STEPS
            outcome = trainings(arguments.seeds, steps, arguments.jobs)
        else:
            outcome = import_module("layer_cost").main()
        from machine import describe

        seconds = round(time.perf_counter() - began, 1)
        written = {"machine": describe(), "seconds": seconds, **outcome}
        path = results / f"{part}.json"
        if part == "training" and path.exists():
            join(written, json.loads(path.read_text()))
        path.write_text(json.dumps(written, indent=1) + "\n")
        print(f"{part}: {seconds} s", file=sys.stderr)


if __name__ == "__main__":
    main()
