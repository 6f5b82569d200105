"""Is a row right? Its stages beside those written down, its components beside the periods that can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import lcm
from typing import Any

from zoo_case import Case, Up

Row = dict[str, Any]
Stage = tuple[str, tuple[float, ...], tuple[int, ...]]


def listed(row: Row) -> list[Stage]:
    """The stages that `inspect` reported: kind, stride, period."""
    return [_stage(one["kind"], one["stride"], one["period"]) for one in row["stages"]]


def compare(found: Iterable[Stage], truth: Sequence[Up]) -> tuple[list[Stage], list[Stage]]:
    """Stages that are missing and stages too many, as multisets.

    >>> compare([("nearest", (2.0,), (2,))], [Up("nearest|linear", (2.0,), (2,))])
    ([], [])
    """
    left = Counter(found)
    missing = []
    for one in truth:
        names = [_stage(kind, one.stride, one.period) for kind in one.kind.split("|")]
        fitting = next((name for name in names if left[name]), None)
        if fitting is None:
            missing.append(_stage(one.kind, one.stride, one.period))
        else:
            left[fitting] -= 1
    return missing, list(left.elements())


def longest(truth: Sequence[Up], ndim: int) -> tuple[int, ...] | None:
    """The least common multiple of the periods per axis; None without any stage.

    A stage of fewer axes than the output enlarges the last ones: frames come first.

    >>> longest([Up("nearest", (2.0, 2.0), (4, 4)), Up("nearest", (2.0, 1.0, 1.0), (2, 1, 1))], 3)
    (2, 4, 4)
    """
    periods = [one.period for one in truth if one.period is not None]
    filled = [(1,) * (ndim - len(period)) + period[-ndim:] for period in periods]
    return tuple(lcm(*axis) for axis in zip(*filled, strict=True)) if periods else None


def impossible(row: Row, truth: Sequence[Up]) -> list[list[int]]:
    """Periods of the verdict's components, of any output, that no stage of the architecture can leave."""
    found = [c["period"] for c in row.get("lattice", ())]
    for output in row.get("outputs") or ():
        found += [c["period"] for c in output["lattice"]]
    return [p for p in found if not possible(p, longest(truth, len(p)))]


def possible(period: Sequence[int], limit: Sequence[int] | None) -> bool:
    """Whether a period divides the longest one on every axis.

    >>> possible((1, 2), (4, 4)), possible((3, 1), (4, 4)), possible((2,), None)
    (True, False, False)
    """
    if limit is None or len(period) != len(limit):
        return False
    return all(whole % one == 0 for one, whole in zip(period, limit, strict=True))


def unmeasured(row: Row) -> bool:
    """Whether the row says "clean" although an output, or all of them, were not measured."""
    if row.get("verdict") != "clean":
        return False
    outputs = row.get("outputs")
    return not row.get("measured") or any(one["verdict"] == "undetermined" for one in outputs or ())


def judged(row: Row, case: Case) -> Row:
    """What the zoo says of one row."""
    if "error" in row:
        return {"stages_right": False, "impossible": [], "unmeasured": False}
    missing, extra = compare(listed(row), case.truth)
    return {
        "stages_right": not missing and not extra,
        "missing": [list(one) for one in missing],
        "extra": [list(one) for one in extra],
        "impossible": impossible(row, case.truth),
        "unmeasured": unmeasured(row),
    }


def _stage(kind: str, stride: Iterable[float], period: Iterable[int] | None) -> Stage:
    """A stage by the axes it enlarges: (1, 2, 2) of a video is (2, 2) of its frames, folded into a batch.

    A period of 1, and none, are the same: nothing is left.
    """
    grown = tuple(round(float(s), 3) for s in stride if s != 1)
    return kind, grown, tuple(int(p) for p in period or () if p != 1)
