"""Is a verdict right, and the stage at fault blamed? `python run.py`. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.runs import Experiment, main
from verdict_claims import conclude
from verdict_figures import draw

#: Seeds of networks without a fault begin here.
CLEAN_FROM = 5000


def tasks(config: dict[str, Any]) -> list[dict[str, Any]]:
    """One network each."""
    return [
        *({"seed": seed, "faulty": True} for seed in range(config["faulty"])),
        *({"seed": CLEAN_FROM + seed, "faulty": False} for seed in range(config["clean"])),
    ]


def measure(task: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """What inspect says of a network on one input, and what the mean of many outputs holds."""
    from verdict_networks import drawn

    from uncheck.probing import inspect

    case = drawn(task["seed"], faulty=task["faulty"])
    result = inspect(case.model, case.inputs(config["samples"], 0))
    blamed = [stage.blame.share if stage.blame else 0.0 for stage in result.stages]
    row = {
        "ndim": case.ndim,
        "stages": case.stages,
        "fault": case.fault,
        "strength": round(case.strength, 4),
        "guilty": case.guilty,
        "verdict": result.verdict,
        "lattice": [_said(c) for c in result.lattice],
        "orders": list(result.orders),
        "traces": [_said(c) for c in result.traces],
        "limit": [_said(one) for one in result.limit],
        "inputs": result.evidence.inputs,
        "stopped": result.evidence.stopped,
        "passes": round(result.passes, 2),
        "blame": [round(share, 4) for share in blamed],
        "truth": truth(case, result.range, config),
    }
    if task["faulty"]:
        fewer = {**config, "count": config["count"] // 4}
        row["without"] = truth(drawn(task["seed"], faulty=False), result.range, fewer)
    return row


def truth(case: Any, span: tuple[float, float], config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every component that the plain mean of many outputs holds, also the faintest, of possible periods.

    The inputs are drawn anew, not made of the one that inspect got.
    """
    import numpy as np
    import torch

    from uncheck.measuring.batches import Outputs
    from uncheck.measuring.observed import TOGETHER
    from uncheck.reading import record
    from uncheck.signals.levels import to_levels

    stages = record(case.model, case.inputs(1, 0)).stages
    left = np.array([stage.output_period for stage in stages])
    whole = tuple(int(np.lcm.reduce(axis)) for axis in left.T)
    cycle = int(np.lcm.reduce(whole))
    outputs = Outputs([p for p in range(2, cycle + 1) if cycle % p == 0], within=whole)
    for start in range(0, config["count"], config["together"]):
        with torch.no_grad():
            values = case.model(case.inputs(config["together"], 1 + start)).numpy()
        outputs.add(np.moveaxis(to_levels(values, span), 1, -1))
    return [_said(component) for component in outputs.observed().views[TOGETHER].found.values()]


def _said(one: Any) -> dict[str, Any]:
    return {"period": list(one.period), "amplitude": round(one.amplitude, 4)}


EXPERIMENT = Experiment(Path(__file__).resolve().parent, tasks, measure, conclude, draw)

if __name__ == "__main__":
    main(EXPERIMENT)
