"""Faults and sentences of a repair: what happened, at what price, without praise."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.advising.fault import Fault, Report
from uncheck.advising.request import Request
from uncheck.advising.visibility import visibility
from uncheck.words import MOST_NAMED, levels, listed, sizes

#: Ratios of two times nearer to 1 than this are noise: medians of the same network differ by as much.
TIME_NOISE = 0.15

#: An octave that changed by more, as a share of its energy, is said in the first sentence.
WORST_OCTAVE = 0.15

#: PSNR from which two outputs are equal but for rounding, dB.
EQUAL = 144.0


def faults(report: Report, request: Request) -> list[Fault]:
    """Return what is left to do: to load the repaired network, or what may help after a refusal."""
    if report["method"] is not None:
        return [Fault("repaired", what(report), report, request)]
    before = report["before"]
    if before is None or not significant(before) or visibility(significant(before)) == "invisible":
        return []
    return [Fault("refused", what(report), report, request)]


def what(report: Report) -> str:
    """Return what happened in one sentence."""
    before, after = report["before"], report["after"]
    if report["method"] is not None and before is not None and after is not None:
        return _done(report)
    network = report["network"]
    if before is None:
        return f"{network} was not repaired: it could not be judged."
    found = significant(before)
    if not found:
        return f"Nothing to repair: the outputs of {network} show no grid."
    seen, strength = visibility(found), levels(_strength(found))
    grid = f"grid of period {_periods(found)}, {seen}, {strength} of 255 grey levels"
    if seen == "invisible" and nothing_tried(report):
        return f"Nothing to repair in {network}: its {grid}, is too weak to be seen."
    return f"{network} was not repaired: {grid}, is left."


def _done(report: Report) -> str:
    """Return what a repair did: the lattice, its price in time, and the worst harm."""
    before, after = report["before"], report["after"]
    was, now = before["strength"], after["strength"]
    left = significant(after)
    network, price = report["network"], cost_words(report["cost"])
    if not left:
        grid = f"Grid of {network} gone"
    elif visibility(left) == "invisible":
        grid = f"Grid of {network} too weak to be seen now"
    else:
        grid = f"Grid of {network} weaker, {visibility(left)} still"
    amounts = f"{levels(was)} of 255 grey levels before, {'' if left else 'at most '}{levels(now)} now"
    harm = worst_octave(report)
    but = ""
    if harm is not None and abs(harm[2]) > WORST_OCTAVE:
        lost = "lost" if harm[2] < 0 else "gained"
        but = f", but the octave {band(harm[0], harm[1])} {lost} {abs(harm[2]):.0%} of its energy"
    return f"{grid}{f', {price}' if price else ''}{but}: {amounts}."


def is_good(report: Report) -> bool:
    """Test whether a repair cost nothing to speak of: no more time, no octave changed much, no grid seen."""
    harm, ratio = worst_octave(report), time_ratio(report["cost"])
    calm = harm is None or abs(harm[2]) <= WORST_OCTAVE
    fast = ratio is None or ratio <= 1 + TIME_NOISE
    left = significant(report["after"]) if report["after"] else []
    return bool(calm and fast and (not left or visibility(left) == "invisible"))


def cost_words(cost: Report) -> str:
    """Return the price in time: "at 16 times the cost", "at unchanged cost"; "" where it is not known.

    >>> cost_words({"before_ms": 10.0, "after_ms": 161.0}), cost_words({"before_ms": 10.0, "after_ms": 9.2})
    ('at 16 times the cost', 'at unchanged cost')
    """
    ratio = time_ratio(cost)
    if ratio is None:
        return ""
    if abs(ratio - 1) <= TIME_NOISE:
        return "at unchanged cost"
    return f"at {times(ratio)} the cost"


def times(ratio: float) -> str:
    """Return a ratio in words: "16 times", "0.62 times"."""
    return f"{ratio:.0f} times" if ratio >= 9.5 else f"{ratio:.2g} times"


def time_ratio(cost: Report) -> float | None:
    """Return the time of a call after over that before; None where one is not known."""
    before, after = cost.get("before_ms"), cost.get("after_ms")
    return after / before if before and after is not None else None


def worst_octave(report: Report) -> tuple[float, float, float] | None:
    """Return (lowest, highest frequency, change) of the octave whose energy changed most; None if unknown.

    Where the network averaged over shifts is known, its detail is the measure: what the original has beyond
    it is lattice.
    """
    bands = report["bands"]
    low, high, change = max(bands, key=lambda one: abs(one[2]), default=(0.0, 0.0, None))
    return None if change is None else (low, high, change)


def band(low: float, high: float) -> str:
    """Return an octave of cycles per pixel as fractions: "1/8 to 1/4"."""
    if low == 0:
        return f"below 1/{1 / high:g}"
    return f"above 1/{1 / low:g}" if high >= 0.5 else f"1/{1 / low:g} to 1/{1 / high:g}"


def why(report: Report) -> str:
    """Return how it was repaired, or why not."""
    if report["method"] is not None:
        label = f" ({report['label']})" if report["label"] else ""
        does = f", {report['does']}" if report.get("does") else ""
        return f"By the method {report['method']}{label}{does}; {report['kind']}."
    reasons = [str(one["reason"]).rstrip(".") for one in report["refused"]]
    if not reasons:
        return "No method was tried." if report["before"] is None else ""
    if len(reasons) == 1:
        return f"{reasons[0][:1].upper()}{reasons[0][1:]}."
    first = report["refused"][0]["method"]
    return f"None of {len(reasons)} methods could do it ({first}: {reasons[0]}; -v has all)."


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    before = report["before"]
    if before is not None and significant(before):
        return "Nothing; --even-if-invisible repairs it all the same."
    return "Nothing to do." if before is not None else "See the reason."


def nothing_tried(report: Report) -> bool:
    """Test whether every method was refused at once, before anything was tried."""
    return any(one["method"] == "all" for one in report["refused"]) and not report["tried"]


def significant(look: Report) -> list[Report]:
    """Return the significant periods."""
    return [one for one in look["lattice"] if one["significant"]]


def _periods(found: Sequence[Report]) -> str:
    ordered = sorted(found, key=lambda one: -one["amplitude"])
    named = [sizes(one["period"]) for one in ordered[:MOST_NAMED]]
    return listed([*named, *([f"{len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else [])])


def _strength(found: Sequence[Report]) -> float:
    return float(sum(one["amplitude"] ** 2 for one in found) ** 0.5)
