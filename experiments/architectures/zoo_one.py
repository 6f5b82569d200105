"""What is measured of one architecture."""

from __future__ import annotations

import json
import math
import resource
import statistics
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from zoo_case import Case, cases

from uncheck import UncheckError, fuse, inspect, swap
from uncheck.plain import plain


def child(name: str, seconds: int, cure: bool, path: str) -> None:
    """Measure one architecture and write its row, in a process that may be stopped."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    try:
        row = measure(cases()[name], cure=cure)
    except Exception as error:
        traceback.print_exc()
        row = {"error": f"{type(error).__name__}: {error}"[:500], "crash": True}
    Path(path).write_text(json.dumps(row))


def measure(case: Case, *, cure: bool) -> dict[str, Any]:
    """Inspect and fuse the architecture at random weights."""
    torch.manual_seed(0)
    model, inputs = case.build()
    wake(model.eval())
    row: dict[str, Any] = {
        "parameters": sum(p.numel() for p in model.parameters()),
        "inputs": [list(x.shape) for x in inputs if isinstance(x, torch.Tensor)],
        "forward_seconds": forward_seconds(model, inputs),
    }
    row |= timed(lambda: inspected(model, inputs))
    row["fuse"] = timed(lambda: fused(model, inputs))
    if cure and row.get("verdict") == "lattice" and case.cure in ("even", "mixed"):
        row["cured"] = timed(lambda: evened(model, inputs))
    row["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return row


def wake(model: nn.Module) -> None:
    """Draw weights that start at zero as torch draws others: a network that outputs zeros shows nothing."""
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, nn.Parameter) and weight.dim() > 1 and not weight.any():
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))


def forward_seconds(model: nn.Module, inputs: tuple[Any, ...]) -> float:
    """Processor seconds of a forward pass, median of three after one to warm up."""
    spent = []
    with torch.no_grad():
        for _ in range(4):
            began = time.process_time()
            model(*inputs)
            spent.append(time.process_time() - began)
    return round(statistics.median(spent[1:]), 4)


def timed(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` returns, or the error that it raised, with its processor seconds."""
    began = time.process_time()
    try:
        out = work()
    except UncheckError as error:
        out = {"error": str(error)}
    except Exception as error:
        traceback.print_exc()
        out = {"error": f"{type(error).__name__}: {error}"[:500], "crash": True}
    return {**out, "seconds": round(time.process_time() - began, 2)}


def inspected(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, Any]:
    """The report in short."""
    result = inspect(model, inputs)
    said = result.to_dict()
    stages = [
        {
            "name": one["name"],
            "kind": one["kind"],
            "stride": one["stride"],
            "period": one["output_period"],
            "blame": _round(one["blame"]),
        }
        for one in said["stages"]
    ]
    return {
        "verdict": said["verdict"],
        "strength": _round(said["strength"]),
        "lattice": _components(said["lattice"]),
        "stages": stages,
        "measured": result.output is not None,
        "unsupported": said["operations"]["unsupported"],
        "limit": _rounded(said.get("limit")),
        "other": _components(said.get("other") or ()),
        "outputs": [
            {"name": o["name"], "verdict": o["verdict"], "lattice": _components(o["lattice"])}
            for o in said.get("outputs") or ()
        ],
        "evidence": said.get("evidence"),
        "passes": _round(said["passes"]),
        "notes": list(said["notes"]),
    }


def fused(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, Any]:
    """What `fuse` makes one layer, what it refuses, and how far the outputs differ."""
    result = fuse(model, inputs)
    return {
        "places": [str(one) for one in result.fused],
        "refused": [{"resize": r.where, "reason": r.reason, "calls": r.calls} for r in result.refused],
        "difference": float(f"{result.difference.relative:.2g}"),
    }


def evened(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, Any]:
    """What is left with equal gains in every transposed convolution."""
    swapped = swap(model, inputs, to="equal_gain")
    result = inspect(swapped.model, inputs)
    return {
        "swapped": len(swapped.swapped),
        "refused": [str(one) for one in swapped.refused],
        "verdict": result.verdict,
        "strength": _round(result.strength),
    }


def _components(found: Any) -> list[dict[str, Any]]:
    names = ("period", "amplitude", "order", "source")
    return [{k: _rounded(plain(c)[k]) for k in names if k in plain(c)} for c in found]


def _rounded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return _round(value)


def _round(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value
