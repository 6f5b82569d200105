"""A repair as one HTML file: nothing is fetched, everything is inside."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from uncheck.reporting.repair import (
    BAND_COLUMNS,
    COLOUR_COLUMNS,
    COST_COLUMNS,
    FIDELITY_COLUMNS,
    PERIOD_COLUMNS,
    SECOND_COLUMNS,
    TRIED_COLUMNS,
    Rows,
    band_rows,
    change_sentence,
    colour_rows,
    cost_rows,
    fidelity_rows,
    headline,
    outcome,
    period_rows,
    second_order_rows,
    sentence_of,
    shown,
    tried_rows,
)
from uncheck.reporting.repair_pictures import crops, spectra, wholes
from uncheck.reporting.repair_style import STYLE
from uncheck.reporting.words import levels

if TYPE_CHECKING:
    from uncheck.repairing.result import Repair

VERDICTS = {"repaired": "Repaired", "clean": "Nothing to repair", "refused": "Not repaired"}

#: A change of a quarter fills half of a bar.
FULL = 0.25


def repair_page(repair: Repair, pictures: Mapping[str, NDArray[np.float32]] | None = None) -> str:
    """What `uncheck.repair` did, as an HTML page that needs nothing beside itself.

    Args:
        repair: the result.
        pictures: grey levels (H, W, C), or (T, C) for sound, by name: "original", "repaired", "original
            spectrum", "repaired spectrum", and where there are such "input" and "spun"; those of the
            judgement if None.

    Cost: a few PNGs, compressed.
    """
    if pictures is None:
        pictures = repair.judgement.pictures if repair.judgement else {}
    kind = outcome(repair)
    parts = [
        f'<span class="verdict {kind}">{VERDICTS[kind]}</span>',
        f"<h1>{html.escape(headline(repair))}</h1>",
    ]
    if sentence := change_sentence(repair):
        parts.append(f"<p>{html.escape(sentence)}</p>")
    parts += [_tiles(repair), *_pictures(repair, pictures)]
    parts += _section("Lattice, grey levels", PERIOD_COLUMNS, period_rows(repair), _LATTICE)
    parts += _section("Second order", SECOND_COLUMNS, second_order_rows(repair), _SECOND)
    parts += _section("Constant colours, grey levels", COLOUR_COLUMNS, colour_rows(repair), _COLOURS)
    parts += _section("Fidelity", FIDELITY_COLUMNS, fidelity_rows(repair), _FIDELITY)
    parts += _section("Detail off the lattice lines", BAND_COLUMNS, band_rows(repair), _DETAIL, bars=True)
    parts += _section("Cost of one call", COST_COLUMNS, cost_rows(repair.cost), _COST)
    parts += _section("What was tried", TRIED_COLUMNS, tried_rows(repair), "")
    parts += _listed(repair)
    title = f"{VERDICTS[kind]}: {repair.network}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{html.escape(title)}</title><style>{STYLE}</style></head>\n'
        f"<body><main>{chr(10).join(part for part in parts if part)}</main></body></html>\n"
    )


_LATTICE = (
    "Amplitudes on inputs that nothing was fitted on. ≤: no lattice is told from the content any more, and "
    "the number is what the content leaves open."
)
_SECOND = "Contrast that repeats with the phase: phases of equal mean and unequal variance."
_COLOURS = "Strength of all periods together where the input is one colour."
_FIDELITY = "PSNR over 0 to 255 grey levels, cut to that range, without borders; SSIM 1 is equal."
_DETAIL = (
    "Change of the spectral energy per octave. Energy right beside the lines counts as detail, so that a "
    "lattice which varied over the picture takes some of it away."
)
_COST = "Both networks in one run, calls in turn; memory beyond the weights, at its peak."


def _tiles(repair: Repair) -> str:
    """The numbers that matter most."""
    judged, before = repair.judgement, repair.before
    tiles: list[tuple[str, str]] = []
    if before is not None and shown(before):
        was = levels(before.strength)
        if judged is None:
            tiles.append((was, "grey levels of lattice"))
        else:
            bound = "" if shown(judged.after) else "≤ "
            tiles.append((f"{was} → {bound}{levels(judged.after.strength)}", "grey levels of lattice"))
    if judged is not None:
        if (loss := _loss(repair)) is not None:
            tiles.append((f"{loss:+.2f} dB", "to the truth"))
        tiles.append((_decibels(judged.fidelity.psnr_to_original), "to the original's output"))
        tiles.append((f"{judged.sharpness_change:+.1%}", "detail"))
    if repair.cost is not None and repair.cost.before_ms > 0:
        tiles.append((f"{repair.cost.after_ms / repair.cost.before_ms:.2f} x", "the original's time"))
    drawn = "".join(f'<div class="tile"><b>{number}</b><span>{what}</span></div>' for number, what in tiles)
    return f'<div class="tiles">{drawn}</div>' if tiles else ""


def _loss(repair: Repair) -> float | None:
    assert repair.judgement is not None
    f = repair.judgement.fidelity
    if f.psnr_to_truth is None or f.psnr_to_truth_before is None:
        return None
    return f.psnr_to_truth - f.psnr_to_truth_before


def _decibels(value: float) -> str:
    return "equal" if value >= 144 else f"{value:.1f} dB"


def _pictures(repair: Repair, pictures: Mapping[str, NDArray[np.float32]]) -> list[str]:
    if not {"original", "repaired"} <= set(pictures):
        return []
    periods = [s.period for s in shown(repair.before)] if repair.before else []
    out = []
    if pictures["original"].ndim == 3:
        out += ["<h2>Where the lattice shows most</h2>", crops(pictures, periods)]
        if repair.before is not None and repair.before.strength < 1:
            out.append(
                '<p class="soft">A lattice below one grey level is not seen in the crops; the spectra show '
                "it, and so does the amplified change.</p>"
            )
    out += ["<h2>Spectra</h2>", spectra(pictures, periods)]
    if pictures["original"].ndim == 3:
        out.append(
            '<p class="soft">Mean power of the outputs, logarithmic, both on one scale; frequency 0 in the '
            "middle, half a cycle per pixel at the edges. Circles: frequencies of the lattice.</p>"
        )
        out += ["<h2>Whole outputs</h2>", wholes(pictures)]
    return out


def _section(title: str, columns: Sequence[str], rows: Rows, note: str, *, bars: bool = False) -> list[str]:
    if not rows:
        return []
    columns = columns[: len(rows[0])]
    right = [name.startswith(">") for name in columns]
    head = "".join(_cell("th", name.removeprefix(">"), r) for name, r in zip(columns, right, strict=True))
    if bars:
        head += "<th></th>"
    body = ""
    for row in rows:
        cells = "".join(_cell("td", text, r) for text, r in zip(row, right, strict=True))
        body += f"<tr>{cells}{f'<td>{_bar(row[-1])}</td>' if bars else ''}</tr>"
    lines = f"<h2>{title}</h2>"
    if note:
        lines += f'<p class="soft">{note}</p>'
    return [f'{lines}<div class="scroll"><table><tr>{head}</tr>{body}</table></div>']


def _cell(tag: str, text: str, right: bool) -> str:
    css = ' class="r"' if right else ' class="wide"' if len(text) > 18 else ""
    return f"<{tag}{css}>{html.escape(text)}</{tag}>"


def _bar(percent: str) -> str:
    """A bar to the left of the middle for less, to the right for more."""
    change = float(percent.rstrip("%")) / 100
    width = min(50.0, 50 * abs(change) / FULL)
    left = 50.0 if change >= 0 else 50 - width
    return f'<span class="bar"><i style="left:{left:.1f}%;width:{width:.1f}%"></i></span>'


def _listed(repair: Repair) -> list[str]:
    out = []
    if repair.refused:
        entries = "".join(
            f"<dt>{html.escape(method)}</dt><dd>{html.escape(sentence_of(reason))}</dd>"
            for method, reason in repair.refused
        )
        out.append(f"<h2>What was refused</h2><dl>{entries}</dl>")
    notes = [sentence_of(note) for note in repair.notes]
    if repair.keys_kept is not None and repair.method is not None:
        notes.append(
            "The repaired weights load strictly into the original class."
            if repair.keys_kept
            else "The repaired weights need uncheck.load_repaired: layers were replaced."
        )
    notes.append(f"The repair took {_duration(repair.seconds)}.")
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return [*out, f"<h2>Notes</h2><ul>{items}</ul>"]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.1f} minutes"
