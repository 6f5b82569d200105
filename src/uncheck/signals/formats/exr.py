"""OpenEXR: pictures of linear light, depth and other layers, by the library of the format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import Found, numbers
from uncheck.signals.paths import check_values

#: Groups of channels that are light; all others (Z, N, motion) are measured as they are.
LIGHT = ("RGB", "RGBA", "Y")


def read(path: str) -> Iterator[Found]:
    """Read each layer by itself; linear light becomes what is displayed, by the curve of sRGB."""
    import OpenEXR

    with OpenEXR.File(path, header_only=True) as file:
        (left, top), (right, bottom) = file.header()["dataWindow"]
        count = len(file.header()["channels"])
        check_values(path, (int(bottom - top) + 1, int(right - left) + 1, count))
    # It prints what it cannot read, and goes on without.
    with redirect_stdout(StringIO()) as said, OpenEXR.File(path) as file:
        parts = [dict(file.channels(part)) for part in range(len(file.parts))]
    if "Exception" in said.getvalue():
        raise UncheckError(f"{path}: damaged or truncated OpenEXR file; write it again")
    for part, channels in enumerate(parts):
        for name, channel in channels.items():
            label = f":{name}" if len(channels) > 1 else ""
            label = f"[{part}]{label}" if len(parts) > 1 else label
            pixels = np.asarray(channel.pixels)
            numbers(path, pixels.dtype)
            light = name.rpartition(".")[2] in LIGHT
            notes = ("Its linear light was measured as displayed, by the curve of sRGB.",) if light else ()
            yield Found(_displayed(pixels) if light else pixels, label, notes=notes)


def _displayed(light: NDArray[np.generic]) -> NDArray[np.float32]:
    """Apply the curve of sRGB, beyond 1 too, and mirrored below 0; alpha stays."""
    values = light.astype(np.float32)
    colours = values[..., :3] if values.ndim == 3 else values
    size = np.abs(colours)
    curve = np.where(size <= 0.0031308, 12.92 * size, 1.055 * size ** (1 / 2.4) - 0.055)
    colours[...] = np.copysign(curve, colours)
    return values
