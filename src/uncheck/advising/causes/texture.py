"""Regular content, such as cloth and bricks."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure, Finding

TEXTURE = Cause(
    name="texture",
    title="Texture: content that repeats",
    synonyms=("cloth", "bricks", "pattern of content", "fabric"),
    meaning="Cloth, bricks, grilles and drawings repeat by themselves. They do so nearly: their period "
    "varies and they end at the edge of a thing, while a lattice goes on to the pixel.",
    signs=("`uncheck measure` says rival (texture).", "Other pictures of the same network do not have it."),
    cures=(
        Cure(
            "measure several outputs of the network together: what belongs to one content is not in all",
            "a folder of outputs",
            True,
            code=fixed("uncheck.measure(images, together=True)"),
        ),
    ),
    findings=(
        Finding(
            "Of woven textures whose period is a whole number of pixels 5 % are called a lattice, of brick "
            "textures 10 %: measure a set in doubt.",
            "docs/calibration.md",
        ),
    ),
)
