"""The page of measured files: a gallery, the strongest first, with maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uncheck.advising.measured import LOOKALIKES, noun
from uncheck.advising.visibility import visibility
from uncheck.reporting.measured import worst_first
from uncheck.reporting.page import Report, components, levels
from uncheck.reporting.web.card import MOST_CARDS, Card
from uncheck.reporting.web.document import Sheet, Tile
from uncheck.reporting.web.inspected import SEEN

_WORDS = {"lattice": "Lattice", "blocks": "Blocks", "rival": "Look-alike", "clean": "Clean"}
_TONES = {"lattice": "bad", "blocks": "bad", "rival": "mixed", "clean": "good"}
_ORDER = ("lattice", "blocks", "rival", "clean")


def sheet(report: Report, pixels: Mapping[str, Any]) -> Sheet:
    """Return the page of a measurement."""
    verdicts = [report["set"]["verdict"]] if "set" in report else [one["verdict"] for one in report["images"]]
    worst = min(verdicts, key=_ORDER.index, default="")
    verdict = _WORDS.get(worst, "Not measured")
    cards: Mapping[int, Card] = pixels.get("cards", {})
    ordered = sorted(range(len(report["images"])), key=lambda i: worst_first(report["images"][i]))
    shown = [i for i in ordered if i in cards][:MOST_CARDS]
    entries = [_entry(report["images"][i], cards[i]) for i in shown]
    more = {"entries": entries, "left_out": _left_out(report, len(shown)) if shown else ""}
    tone = _TONES.get(worst, "bad")
    return Sheet("measure.html", f"{verdict}: measurement", verdict, tone, _tiles(report), report, more)


def _left_out(report: Report, shown: int) -> str:
    total = len(report["images"])
    return f"{shown} of {total} are shown; the table has the others." if shown < total else ""


def _tiles(report: Report) -> list[Tile]:
    images, tiles = report["images"], []
    if "set" in report:
        made = report["set"]
        word = visibility(made["lattice"]) if made["lattice"] else "clean"
        tone = SEEN.get(word, "good") if made["verdict"] != "rival" else "mixed"
        tiles.append(Tile(levels(made["strength"]), f"grey levels, shared by {made['count']}", tone, word))
    counts = {v: sum(one["verdict"] == v for one in images) for v in _ORDER}
    names = {
        "lattice": "with a lattice",
        "blocks": "with blocks",
        "rival": "with a look-alike",
        "clean": "clean",
    }
    words = {"lattice": "bad", "blocks": "bad", "rival": "no lattice", "clean": "good"}
    for verdict, count in counts.items():
        if count:
            what = f"{noun(images)}s {names[verdict]}" if len(images) > 1 else names[verdict]
            tiles.append(Tile(f"{count} of {len(images)}", what, _TONES[verdict], words[verdict]))
    found = [one for one in images if one["verdict"] == "lattice" and one["kind"] != "audio"]
    if found:
        most = max(found, key=lambda one: one["strength"])
        word = visibility(most["lattice"])
        tiles.append(Tile(levels(most["strength"]), "grey levels, strongest", SEEN.get(word, "bad"), word))
    if report["errors"]:
        tiles.append(Tile(str(len(report["errors"])), "not measured", "bad", "errors"))
    return tiles


def _entry(image: Report, card: Card) -> dict[str, Any]:
    """Return what a card says."""
    verdict = image["verdict"]
    rival = str(image["rival"] or "")
    words = LOOKALIKES.get(rival, rival) or (components(image["lattice"]) if image["lattice"] else "")
    seen = visibility(image["lattice"]) if verdict == "lattice" else ""
    return {
        "name": image["path"],
        "verdict": _WORDS[verdict] + (f", {seen}" if seen else ""),
        "tone": SEEN.get(seen, _TONES[verdict]),
        "words": words,
        "card": card,
    }
