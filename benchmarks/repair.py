"""What `uncheck.repair` makes of released networks; writes benchmarks/results/repair.json.

Run with `python benchmarks/repair.py [NAME ...] [--minutes M]` where the released networks lie beside the
checkout. Every network gets ten minutes at most, all cores, the twelve photographs or codes made by a seed;
figures are those of the inputs that nothing was fitted on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from machine import describe
from torch import Tensor

import uncheck

RESULTS = Path(__file__).parent / "results" / "repair.json"
CASES = Path(__file__).parents[2] / "shared" / "cases"

PAGE = Path(__file__).parents[1] / "docs" / "repair.md"

#: Side of the cut-outs of the photographs, pixels.
SIDES = {"style_rain_princess": 512, "fsrcnn_x2": 384, "upconv7_photo": 256, "espcn_x3": 384}

CODES = 2048


def photographs(cases: Any, side: int) -> Tensor:
    """All photographs, cut from the middle, RGB 0..1."""
    names = sorted(path.name for path in (CASES / "photos").glob("*.png"))
    return torch.cat([cases.photo(name, side) for name in names])


def inputs_of(cases: Any, name: str) -> Tensor:
    """Real inputs of a network, as its authors gave them to it."""
    if name not in SIDES:
        return cases.example_input(name, CODES)
    pictures = photographs(cases, SIDES[name])
    if name == "style_rain_princess":
        return pictures * 255
    if name == "fsrcnn_x2":
        ycbcr = torch.einsum("oc,nchw->nohw", cases.RGB_TO_YCBCR, pictures)
        ycbcr[:, 1:] += 128 / 255
        return ycbcr
    if name == "espcn_x3":
        return (pictures * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return pictures


def bench_repair(cases: Any, name: str, minutes: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """One network, by the default settings but for the time."""
    result = uncheck.repair(cases.load(name), inputs_of(cases, name), minutes=minutes, even_if_invisible=True)
    tell(f"{name}: {result} in {result.seconds:.0f} s")
    return result.to_dict() | {"minutes": minutes}


def outcome(stored: dict[str, Any]) -> str:
    """The table of docs/repair.md, in Markdown."""
    lines = [
        "| network | method | period: before, after | to spun | to truth | sharpness | ms before, after |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in stored["networks"].items():
        method = one["method"] or f"refused: {'; '.join(r['reason'] for r in one['refused'])}"
        left = {tuple(s["period"]): s for s in one["after"]["lattice"]} if one["after"] else {}
        before = one["before"]["lattice"] if one["before"] else []
        periods = [f"{max(s['period'])}: {s['amplitude']:.2g}, {_left(left, s)}" for s in before]
        fidelity, cost = one["fidelity"], one["cost"]
        sharp = one["sharpness_change"]
        cells = [
            name,
            method,
            "; ".join(periods) or "none",
            _pair(fidelity.get("psnr_to_spun_before"), fidelity["psnr_to_spun"], ".1f"),
            _pair(fidelity.get("psnr_to_truth_before"), fidelity["psnr_to_truth"], ".3f"),
            "" if sharp is None else f"{100 * sharp:+.1f} %",
            _pair(cost["before_ms"], cost["after_ms"], ".0f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    made = stored["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    note = f"{made['date']}, {made['processor']}, {stored['threads']} threads, {versions}."
    return "\n".join([*lines, "", note])


def _left(left: dict[tuple[int, ...], Any], was: dict[str, Any]) -> str:
    now = left.get(tuple(was["period"]))
    return "refused" if now is None else f"{now['amplitude']:.2g}"


def _pair(before: float | None, after: float | None, form: str) -> str:
    return "" if before is None or after is None else f"{before:{form}}, {after:{form}}"


def write_page() -> None:
    """Make the table of the page anew from the results."""
    body = outcome(json.loads(RESULTS.read_text()))
    text = PAGE.read_text()
    start, end = "<!-- outcome -->\n", "<!-- /outcome -->"
    before, after = text.split(start)[0], text.split(end)[1]
    PAGE.write_text(f"{before}{start}{body}\n{end}{after}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args(arguments)
    sys.path.insert(0, str(CASES))
    import networks

    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"networks": {}}
    for name in given.names or [*SIDES, "dcgan_svhn", "cwgan_mnist", "cvae_sketch"]:
        stored["networks"][name] = bench_repair(networks, name, given.minutes, print)
        stored |= {"machine": describe(), "threads": torch.get_num_threads()}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
    write_page()


if __name__ == "__main__":
    main(sys.argv[1:])
