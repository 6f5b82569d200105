"""docs/architectures.md from results/*.json, between its markers."""

from __future__ import annotations

import json
import re
import statistics
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zoo_case import CURES, LIBRARIES, Case, Up, cases
from zoo_judge import Row, judged

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "architectures.md"
TITLES = {
    "diffusers": "diffusers",
    "transformers": "transformers: pictures",
    "audio": "Vocoders, codecs, separation (transformers, vocos, torchaudio)",
    "smp": "segmentation-models-pytorch",
    "monai": "MONAI",
    "spandrel": "spandrel",
    "kornia": "kornia",
    "timm": "timm",
    "torchvision": "torchvision, nnU-Net",
}
HEAD = ("architecture", "for", "stages", "periods", "untrained", "levels", "order", "cure", "`fuse`")


def results() -> dict[str, Any]:
    """Library -> its results; those that have not been run are left out."""
    paths = ((library, HERE / "results" / f"{library}.json") for library in LIBRARIES)
    return {library: json.loads(path.read_text()) for library, path in paths if path.exists()}


def rows(found: Mapping[str, Any]) -> dict[str, Row]:
    """All rows by the name of the architecture."""
    return {name: row for result in found.values() for name, row in result["rows"].items()}


def rendered(text: str, found: Mapping[str, Any]) -> str:
    """`text` with what lies between <!-- NAME --> and <!-- /NAME --> made anew from the results."""
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/architectures.md: no markers for {name}; add <!-- {name} -->")
        body = make(found)
        text = pattern.sub(lambda m, body=body: f"{m[1]}\n{body}\n\n{m[2]}", text)
    return text


def tables(found: Mapping[str, Any]) -> str:
    """A table for each library."""
    zoo, parts = cases(), []
    for library, result in found.items():
        lines = [HEAD, ("---",) * len(HEAD)]
        lines += [line(zoo[name], row) for name, row in result["rows"].items() if name in zoo]
        parts.append(
            f"### {TITLES[library]}\n\n" + "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        )
    return "\n\n".join(parts)


def line(case: Case, row: Row) -> tuple[str, ...]:
    """One architecture: its true stages, and what `inspect` says of it untrained."""
    periods = [one.period for one in case.truth if one.period and max(one.period) > 1]
    names = [_sizes(p) for p in sorted(set(periods), reverse=True)]
    return (
        case.name,
        case.task,
        stages(case.truth),
        ", ".join(names) or "none",
        row.get("verdict", "stopped"),
        f"{row['strength']:.2g}" if row.get("lattice") else "",
        order(row),
        cure(case, row),
        fused(row.get("fuse", {})),
    )


def stages(truth: tuple[Up, ...]) -> str:
    """Kinds and strides, with how often.

    >>> stages((Up("nearest", (2.0, 2.0), (4, 4)), Up("nearest", (2.0, 2.0), (2, 2))))
    '2 nearest x2'
    """
    counted = Counter(f"{one.kind.partition('|')[0]} x{_sizes(one.stride)}" for one in truth)
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in counted.items()) or "none"


def order(row: Row) -> str:
    """The order of the strongest component."""
    strongest = max(row.get("lattice") or [{}], key=lambda c: c.get("amplitude", 0.0))
    return str(strongest.get("order") or "")


def cure(case: Case, row: Row) -> str:
    """What to do, and what is left after it where that was measured."""
    cured = row.get("cured")
    if cured is None or "error" in cured or not cured["swapped"]:
        return CURES[case.cure]
    left = f"{cured['strength']:.2g} levels" if cured["verdict"] == "lattice" else str(cured["verdict"])
    return f"{CURES[case.cure]}; with equal gains {left}"


def fused(said: Mapping[str, Any]) -> str:
    """How many resizes become one layer with their convolution, of how many."""
    if "error" in said or not said:
        return "not possible" if said else ""
    places, refused = len(said["places"]), len(said["refused"])
    return f"{places} of {places + refused}" if places + refused else ""


def summary(found: Mapping[str, Any]) -> str:
    """What came out beside what was predicted."""
    zoo, all_rows = cases(), rows(found)
    predicted = tomllib.loads((HERE / "config.toml").read_text())["predicted"]
    said = {name: judged(row, zoo[name]) for name, row in all_rows.items() if name in zoo}
    right = sum(one["stages_right"] for one in said.values())
    ran = {name: row for name, row in all_rows.items() if name in said and "verdict" in row}
    ratios = [row["seconds"] / max(row["forward_seconds"], 1e-4) for row in ran.values()]
    quick = [row["seconds"] for row in ran.values() if row["forward_seconds"] < 1]
    slow = sum(seconds > predicted["slowest"] for seconds in quick)
    verdicts = Counter(row["verdict"] for row in ran.values())
    table = [
        ("", "predicted", "came out"),
        ("---", "---", "---"),
        ("architectures", "60 or more", f"{len(said)}, of which {len(ran)} ran to the end"),
        (
            "list of stages right",
            f"{predicted['stages_right']:.0%} or more",
            f"{right} of {len(said)} ({right / len(said):.1%})",
        ),
        (
            "components at a period that no stage leaves",
            str(predicted["impossible"]),
            str(sum(len(one["impossible"]) for one in said.values())),
        ),
        (
            '"clean" about outputs that were not measured',
            str(predicted["unmeasured"]),
            str(sum(one["unmeasured"] for one in said.values())),
        ),
        (
            "time of `inspect` in forward passes, median",
            f"{predicted['passes_time']} or less",
            f"{statistics.median(ratios):.0f}",
        ),
        (
            f"above {predicted['slowest']} s of those whose forward takes less than 1 s",
            "0",
            f"{slow} (the slowest: {max(quick):.0f} s)",
        ),
    ]
    counted = ", ".join(f"{count} {name}" for name, count in verdicts.most_common())
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table) + f"\n\nVerdicts: {counted}."


def wrong(found: Mapping[str, Any]) -> str:
    """The architectures whose stages are not all read rightly, with what is missing and what is too much."""
    zoo, lines = cases(), []
    for name, row in rows(found).items():
        if name not in zoo:
            continue
        said = judged(row, zoo[name])
        if said["stages_right"]:
            continue
        parts = [row["error"]] if "error" in row else []
        for word in ("missing", "extra"):
            counted = Counter(
                f"{kind} x{_sizes(s)} (period {_sizes(p) or 'none'})" for kind, s, p in said.get(word, ())
            )
            if counted:
                listed = ", ".join(
                    f"{count} {text}" if count > 1 else text for text, count in counted.items()
                )
                parts.append(f"{'missing' if word == 'missing' else 'too many or other'}: {listed}")
        lines.append(f"- {name}: {'; '.join(parts)}")
    return "\n".join(lines) or "None."


def made(found: Mapping[str, Any]) -> str:
    """What the results were made with."""
    machines = [result["machine"] for result in found.values()]
    versions = {name: v for machine in machines for name, v in machine["versions"].items()}
    dates = sorted({machine["date"] for machine in machines})
    listed = ", ".join(f"{name} {v}" for name, v in versions.items())
    one = machines[0]
    where = f"{one['processor']}, {one['system']}, one thread"
    return f"{' to '.join(dates)}, Python {one['python']}, {listed}; {where}."


def _sizes(values: Any) -> str:
    values = tuple(values)
    return (
        f"{values[0]:g}" if values and len(set(values)) == 1 else "x".join(f"{value:g}" for value in values)
    )


PARTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "summary": summary,
    "wrong": wrong,
    "tables": tables,
    "made": made,
}


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text(), results()))


if __name__ == "__main__":
    main()
