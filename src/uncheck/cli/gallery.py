"""The pictures that the page of `uncheck measure` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uncheck.measuring import Measurement
    from uncheck.measuring.result import ImageMeasurement
    from uncheck.reporting.web.card import Card
    from uncheck.signals.signal import Given, Signal


def gallery(result: Measurement, files: Sequence[str], given: Given) -> dict[str, Any]:
    """Return cards of the strongest pictures by index, read again from their files.

    A picture with a lattice has a map: that of --map, or one of the lattice found, made here to be looked at.
    It changes no verdict. What cannot be read any more has no card.
    """
    from uncheck.errors import UncheckError
    from uncheck.reporting.measured import worst_first
    from uncheck.reporting.web.card import MOST_CARDS, MOST_MAPS
    from uncheck.signals.items import file_items

    said = [image.to_dict() for image in result.images]
    ordered = sorted(range(len(said)), key=lambda i: worst_first(said[i]))
    chosen = [i for i in ordered if result.images[i].kind == "picture"][:MOST_CARDS]
    mapped = set([i for i in chosen if said[i]["verdict"] == "lattice"][:MOST_MAPS])
    wanted = {result.images[i].path: i for i in chosen}
    # Tiles and frames are named after their file.
    needed = [file for file in files if any(name.startswith(file) for name in wanted)]
    cards: dict[int, Card] = {}
    for item in file_items(needed, given):
        try:
            for signal in item.signals():
                i = wanted.get(signal.name)
                if i is not None and i not in cards and signal.kind == "picture":
                    cards[i] = _card(signal, result.images[i], i in mapped)
        except UncheckError:
            continue
    return {"cards": cards}


def _card(signal: Signal, image: ImageMeasurement, mapped: bool) -> Card:
    """Return the card of a picture; the enlarged part is where its lattice is strongest."""
    from uncheck.errors import UncheckError
    from uncheck.measuring.lines import strongest_place
    from uncheck.measuring.places.places import LocalMap
    from uncheck.measuring.places.where import local_map
    from uncheck.reporting.pictures import CROP
    from uncheck.reporting.web.card import card

    levels = signal.values
    where = image.where if isinstance(image.where, LocalMap) else None
    present = image.found.present
    if where is None and mapped and present:
        try:
            where = local_map(levels, components=present)
        except UncheckError:
            where = None  # too small for a map
    place = None
    if present and min(levels.shape[:2]) > CROP:
        place = strongest_place(levels, [line.frequency for c in present for line in c.lines], CROP)
    return card(levels, place, None if where is None else where.to_dict())
