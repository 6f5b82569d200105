"""One picture of a gallery: reduced, a part of it enlarged, and the map of its lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.reporting.page import Report, levels, sizes
from uncheck.reporting.pictures import Place, as_image
from uncheck.reporting.web.figures import Figure, cut_at, figure, photograph
from uncheck.reporting.where import LEGEND, overlay

#: Pictures of a gallery, and maps: the page of a folder of ten thousand has some megabytes.
MOST_CARDS, MOST_MAPS = 60, 24

#: Longest side of a picture in a gallery, pixels.
THUMB = 320


@dataclass(frozen=True)
class Card:
    """Figures of one picture: itself reduced, the part with the strongest lattice enlarged, its map."""

    whole: Figure
    part: Figure | None = None
    map: Figure | None = None


def card(picture: NDArray[np.float32], place: Place | None = None, where: Report | None = None) -> Card:
    """Return the figures of a picture (H, W, C) in grey levels.

    Args:
        picture: with one or more channels.
        place: row and column of the part that is enlarged; None for no part.
        where: dictionary of its `LocalMap`; None, or one without regions, for no map.
    """
    image = as_image(picture)
    whole = photograph(image, THUMB, f"{image.height} x {image.width}", "the picture")
    part = None if place is None else figure(as_image(cut_at(picture, place)), _cut(place), "a part enlarged")
    return Card(whole, part, None if where is None else _map(picture, where))


def _cut(place: Place) -> str:
    return f"from row {place[0]}, column {place[1]}, enlarged"


def _map(picture: NDArray[np.float32], where: Report) -> Figure | None:
    """Return the map of the strongest period over the picture in grey."""
    shown = next((one for one in where["maps"] if one["regions"]), None)
    if shown is None:
        return None
    grey = np.clip(np.rint(picture[..., :3].mean(axis=-1)), 0, 255).astype(np.uint8)
    image = Image.fromarray(overlay(grey, shown)[:-LEGEND])
    most = max(region["amplitude"] for region in shown["regions"])
    caption = (
        f"period {sizes(shown['period'])} on {shown['share']:.0%} of it, from yellow (weak) to red "
        f"({levels(most)} grey levels)"
    )
    return photograph(image, THUMB, caption, "map of its lattice")
