"""How often blame names the stage that was made faulty; writes results/blame.json. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from planted import planted

from uncheck.demo import load, pictures
from uncheck.probing import Inspection, inspect

RESULTS = Path(__file__).parent / "results" / "blame.json"


def weighted(result: Inspection, share: Callable[[int, int], float]) -> list[float]:
    """Each stage's share, by power over the periods; `share(stage, period)` is that of one period."""
    power = [p.before**2 for p in result.stages[0].blame.periods]
    return [sum(w * share(i, j) for j, w in enumerate(power)) / sum(power) for i in range(len(result.stages))]


def rules(result: Inspection) -> dict[str, list[float]]:
    """Shares by evening alone, by scrambling alone, and as reported (their mean)."""
    periods = [stage.blame.periods for stage in result.stages]

    def evened(i: int, j: int) -> float:
        part = periods[i][j]
        return min(1.0, max(0.0, (part.before - part.second_order) / part.before))

    def scrambled(i: int, j: int) -> float:
        until = min([periods[0][j].before, *(periods[k][j].scrambled for k in range(i))])
        return min(1.0, max(0.0, (until - periods[i][j].scrambled) / periods[i][j].before))

    return {
        "evened": weighted(result, evened),
        "scrambled": weighted(result, scrambled),
        "reported": weighted(result, lambda i, j: periods[i][j].share),
    }


def main() -> None:
    """Run the planted networks and the demo network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows, right = [], {"evened": 0, "scrambled": 0, "reported": 0}
    for seed in range(arguments.networks):
        print(f"\rnetwork {seed + 1} of {arguments.networks}", end="", file=sys.stderr)
        case = planted(seed)
        result = inspect(case.model, case.signal)
        row = {"seed": seed, "fault": case.fault, "stages": case.stages, "guilty": case.guilty}
        row["strength"] = round(result.strength, 3)
        if result.verdict == "lattice":
            for name, shares in rules(result).items():
                hit = max(range(len(shares)), key=shares.__getitem__) == case.guilty
                right[name] += hit
                row[name] = {"shares": [round(s, 3) for s in shares], "right": hit}
            row["order"] = result.stages[case.guilty].blame.order
        rows.append(row)
    print(file=sys.stderr)
    found = inspect(load(), pictures())
    arguments.out.parent.mkdir(exist_ok=True)
    outcome = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("uncheck", "torch", "numpy", "scipy")},
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "networks": arguments.networks,
        "without_lattice": sum("reported" not in row for row in rows),
        "ranked_first": {name: count / arguments.networks for name, count in right.items()},
        "demo": [
            {
                "stage": s.stage.name,
                "period": max(p.period),
                **{k: round(v, 3) for k, v in vars(p).items() if k != "period"},
            }
            for s in found.stages
            for p in s.blame.periods
        ],
        "rows": rows,
    }
    arguments.out.write_text(json.dumps(outcome, indent=1) + "\n")


if __name__ == "__main__":
    main()
