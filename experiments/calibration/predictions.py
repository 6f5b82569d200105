"""What was predicted (docs/calibration.md) beside what came out, from results/*.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Result = dict[str, Any]


def rows(
    alarms: Result | None, found: Result | None, sets: Result | None, beside: Result | None
) -> list[Any]:
    """[prediction, outcome] of every part there is a result for."""
    out: list[list[str]] = []
    for result, lines in ((alarms, ALARMS), (found, DETECTION), (sets, SETS), (beside, BESIDE)):
        if result is not None and "skipped" not in result:
            out += [[text, outcome(result)] for text, outcome in lines]
    return out


def treatments(*names: str, kind: str = "photograph") -> Callable[[Result], str]:
    """Share of pictures of these treatments called a lattice."""

    def outcome(result: Result) -> str:
        chosen = [
            r["lattice"]
            for r in result["default"]
            if r["kind"] == kind and r["treatment"] in (names or ("made",))
        ]
        hits, total = sum(r["hits"] for r in chosen), sum(r["of"] for r in chosen)
        return f"{100 * hits / total:.2g} % ({hits} of {total})"

    return outcome


def noise(result: Result) -> str:
    share = result["total"]["noise"]["lattice"]
    return f"{100 * share['rate']:.2g} % ({share['hits']} of {share['of']})"


def noise_ratio(result: Result) -> str:
    curves = [v for k, v in result["nominal"].items() if k.startswith("noise")]
    ratios = [
        sum(c["any"][n]["hits"] for c in curves) / (float(n) * sum(c["pictures"] for c in curves))
        for n in ("0.001", "0.01", "0.1")
    ]
    return " / ".join(f"{r:.2f}" for r in ratios) + " times the nominal 0.1 / 1 / 10 %"


def photograph_ratio(result: Result) -> str:
    curves = [v for k, v in result["nominal"].items() if not k.startswith("noise")]
    ratios = [
        sum(c["elsewhere"][n]["hits"] for c in curves) / (float(n) * sum(c["pictures"] for c in curves))
        for n in ("0.001", "0.01")
    ]
    return " / ".join(f"{r:.1f}" for r in ratios) + " times the nominal 0.1 / 1 %"


def at(condition: str, *periods: int) -> Callable[[Result], str]:
    """Amplitudes found in 90 %."""

    def outcome(result: Result) -> str:
        return ", ".join(f"{p}: {_at(_row(result, condition, p)['found_90'])}" for p in periods)

    return outcome


def right(result: Result) -> str:
    tiles = [r["bias"]["median"] for r in result["first_order"] if r["condition"] == "tile"]
    values = [b for b in tiles if b is not None]
    return f"medians {min(values):.2f} to {max(values):.2f} times the truth"


def second(result: Result) -> str:
    shares = [r["first_order"] for r in result["second_order"]]
    hits, total = sum(s["hits"] for s in shares), sum(s["of"] for s in shares)
    worst = max(result["second_order"], key=lambda r: r["first_order"]["rate"])
    return f"{100 * hits / total:.0f} %; {worst['case']} {100 * worst['first_order']['rate']:.0f} %"


def one_grid(result: Result) -> str:
    row = next(r for r in result["false_alarms"] if r["case"] == "photographs on one grid")
    return f"{row['lattice']['hits']} of {row['lattice']['of']} sets"


def set_at(result: Result) -> str:
    return _at(next(r for r in result["detection"] if r["period"] == 2)["found_90"])


def areas(*measures: str) -> Callable[[Result], str]:
    """Areas under the ROC curve at the middle amplitude, uncompressed, periods 2, 4 and 8."""

    def outcome(result: Result) -> str:
        parts = []
        for measure in measures:
            chosen = [
                r["auc"][1]
                for r in result["rows"]
                if r["pictures"] == "uncompressed" and r["measure"].startswith(measure)
            ]
            parts.append(f"{measure} " + " / ".join(f"{a:.2f}" for a in chosen))
        return "; ".join(parts)

    return outcome


def _row(result: Result, condition: str, period: int) -> Result:
    return next(
        r for r in result["first_order"] if r["condition"] == condition and r["period"] == [period, period]
    )


def _at(crossing: Result) -> str:
    return "not reached" if crossing["at"] is None else f"{crossing['at']:.2g}"


Line = tuple[str, Callable[[Result], str]]

ALARMS: tuple[Line, ...] = (
    ("photographs as they are or cropped: none", treatments("original", "odd-cropped")),
    ("gamma: at most 2 %", treatments("gamma 0.5", "gamma 2")),
    ("sharpened by 100 %: most of the scans, which are 24 of 46 pictures", treatments("sharpened 100 %")),
    (
        "JPEG: at most 3 %",
        treatments(*(f"JPEG {q}{c}" for q in (50, 75, 90, 95) for c in ("", ", cropped")), "JPEG 90 4:4:4"),
    ),
    ("sharpened after JPEG: 10 %", treatments("JPEG 75, sharpened 100 %")),
    ("noise: at most 0.1 %", noise),
    ("woven textures: about half", treatments(kind="woven")),
    ("brick textures: about half", treatments(kind="brick")),
    ("screenshots: about 5 %", treatments(kind="screenshot")),
    ("noise without the threshold: 0.5 to 1 times the nominal rate", noise_ratio),
    ("photographs without the threshold, elsewhere: up to 3 times the nominal rate", photograph_ratio),
)
DETECTION: tuple[Line, ...] = (
    ("90 % found: period 2 at 0.4, 4 at 0.8, 8 at 2, 16 at 4", at("tile", 2, 4, 8, 16)),
    ("cosines earlier than tiles", at("cosine", 2, 4, 8)),
    ("a quarter at 3 times the amplitude", at("in a quarter", 2, 4, 8)),
    ("a ninth at 6 times the amplitude", at("in a ninth", 2, 4, 8)),
    ("amplitude right within 10 % at 4 levels", right),
    ("second order alone called a lattice: at most 5 %", second),
)
SETS: tuple[Line, ...] = (
    ("set of 64: period 2 at 0.08", set_at),
    ("scans on one grid: a lattice as a set", one_grid),
)
BESIDE: tuple[Line, ...] = (
    ("area below 0.7, periods 2 / 4 / 8", areas("phase-mean variance", "radial spectrum excess")),
    ("FFT peak: 0.9 at period 2, useless at 8", areas("FFT peak")),
    (
        "phase-locked amplitude: nearly as good as the test at 2, worse at 4 and 8",
        areas("phase-locked amplitude", "uncheck, amplitude"),
    ),
)
