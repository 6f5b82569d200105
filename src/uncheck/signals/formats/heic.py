"""HEIC: the photographs of telephones, by pillow-heif."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from uncheck.signals.formats.table import Found
from uncheck.signals.paths import check_values
from uncheck.signals.profiles import displayed


def read(path: str) -> Iterator[Found]:
    """Read the first picture, as displayed (`profiles.displayed`)."""
    import pillow_heif

    file = pillow_heif.open_heif(path)
    width, height = file.size
    check_values(path, (height, width, len(file.mode)))
    image, notes = displayed(file[0].to_pillow())
    if len(file) > 1:
        notes += (f"The first of {len(file)} pictures in it was measured.",)
    yield Found(np.array(image), notes=notes)
