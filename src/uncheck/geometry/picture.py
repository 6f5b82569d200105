"""Plain-text pictures of overlap maps."""

from __future__ import annotations

from uncheck.geometry.axis import Counts

SHADES = " ░▒▓█"
"""From no tap to the most taps."""

BARS = " ▁▂▃▄▅▆▇█"


def picture(taps: Counts, most: int = 48) -> str:
    """Draw a map of counts: 1-D as bars, 2-D as blocks two characters wide, 3-D as its central slice.

    Args:
        taps: integer array of one to three axes.
        most: most pixels drawn per axis; the middle of a larger map is drawn, and said to be.

    Returns:
        Lines without a newline at the end.
    """
    note = ""
    if taps.ndim == 3:
        middle = taps.shape[0] // 2
        note = f"slice {middle} of {taps.shape[0]}\n"
        taps = taps[middle]
    if max(taps.shape) > most:
        note += f"middle of {' x '.join(str(size) for size in taps.shape)} pixels\n"
        taps = taps[tuple(_middle(size, most) for size in taps.shape)]
    highest = max(int(taps.max()), 1)
    if taps.ndim == 1:
        return note + "".join(_level(int(count), highest, BARS) for count in taps)
    rows = ("".join(2 * _level(int(count), highest, SHADES) for count in row) for row in taps)
    return note + "\n".join(row.rstrip() for row in rows)


def _middle(size: int, most: int) -> slice:
    start = max(0, (size - most) // 2)
    return slice(start, min(size, start + most))


def _level(count: int, highest: int, levels: str) -> str:
    # ceiling, so that one tap is never drawn as none
    return levels[-(-count * (len(levels) - 1) // highest)]
