"""Periodic content: prints and dithering ("halftone"), cloth, brick, chessboards and drawings ("texture")."""

from __future__ import annotations

from collections.abc import Callable
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Lattice, Line, without
from uncheck.measuring.lines import hann, powers_around
from uncheck.measuring.rivals.drawing import block_ends
from uncheck.measuring.rivals.stacked import common_period, is_stacked, on_content
from uncheck.signals.levels import centred

#: Lines asked, strongest first; the weaker ones add little power.
LINES_ASKED = 12

#: Bins (1 / side, cycles per pixel) to either side of a line that are looked at, and the grid's steps.
REACH = 1.5
STEP = 1 / 16

#: Bins by which the peak must be off the lattice, by its purity: the share of the power within two and five
#: bins that one sinusoid explains. Lattices of networks on smooth inputs have a broad band (at most 0.47)
#: whose peak is anywhere; a pure sinusoid has one place.
PURE, OFF = 0.65, 0.25
VERY_PURE, LITTLE_OFF = 0.95, 0.09

#: Power mirrored about the lattice frequency against that of the peak, which is 0.7 for a sinusoid a quarter
#: of a bin away and 0.95 for a tenth.
MIRRORED = 0.75
LITTLE_MIRRORED = 0.97

#: The peak must exceed the mirrored power by this many times the power around, by which noise moves it.
OVER_AROUND = 12.0


def is_beside(array: NDArray[np.float32], lattice: Lattice) -> bool:
    """Test whether the lines with most of the power are flanks of lines beside the lattice frequencies.

    A line with amplitude b(n), real, at frequency f has the power |B(d)|^2 at f + d, which is the same at
    f - d: whatever part of the picture a lattice fills, and however it goes with brightness, its spectrum is
    symmetric about a / P. The flank of a line beside is not.

    Cost: O(50 H W C) as matrix products for the strongest line, and for up to 11 more where that is beside.
    """
    lines = sorted(
        (line for component in lattice.present for line in component.lines), key=lambda line: -line.amplitude
    )[:LINES_ASKED]
    power = np.array([line.amplitude**2 for line in lines])
    # The strongest alone decides of most lattices.
    if not _beside(array, lines[0]):
        return False
    beside = np.array([True, *(_beside(array, line) for line in lines[1:])])
    return bool(power[beside].sum() >= 0.5 * power.sum())


def _beside(array: NDArray[np.float32], line: Line) -> bool:
    if line.real:
        # The spectrum of any picture is symmetric there.
        return False
    near = np.arange(-REACH, REACH + STEP / 2, STEP)
    power = powers_around(array, line.frequency, near)
    y, x = (int(i) for i in np.unravel_index(int(power.argmax()), power.shape))
    highest, mirrored = power[y, x], power[len(near) - 1 - y, len(near) - 1 - x]
    off = float(np.hypot(near[y], near[x]))
    if off < LITTLE_OFF or mirrored > LITTLE_MIRRORED * highest:
        return False
    place = [f + near[i] / n for f, i, n in zip(line.frequency, (y, x), array.shape, strict=False)]
    close, wide, around = purity(array, (place[0], place[1]))
    if highest - mirrored < OVER_AROUND * around:
        return False
    if min(close, wide) >= VERY_PURE:
        return True
    return close >= PURE and off >= OFF and mirrored <= MIRRORED * highest


def purity(array: NDArray[np.float32], frequency: tuple[float, ...]) -> tuple[float, float, float]:
    """Return the share within 2 and 5 bins that one sinusoid explains, and the power 4 to 5 bins off."""
    bins = np.arange(-5, 6.0)
    power = powers_around(array, frequency, bins)
    # Of a sinusoid, Hann's window leaves 1/4 of its power one bin aside: (1/4 + 1 + 1/4)^2 in all.
    whole = 1.5**2 * power[5, 5]
    outside = np.maximum(np.abs(bins)[:, None], np.abs(bins)) >= 4
    return float(whole / power[3:8, 3:8].sum()), float(whole / power.sum()), float(np.median(power[outside]))


#: Dithering leaves at most this many values per channel, far apart in grey levels where weak lattices on flat
#: outputs have neighbouring ones. Strong lattices on constant outputs have few values far apart, so the
#: lattice must not be nearly all there is: up to 0.6 of the variance in dithered pictures, from 0.87 there.
FEW_VALUES = 8
APART = 16.0
NOT_ALL = 0.75

#: Printed dots: share of the values in the outer fifths of their range (0.78 or more on sharp screens, 0.55
#: on soft ones, at most 0.66 on random generators as strong), and the grey levels the screen has at least.
INK_OR_PAPER = 0.75
SCREEN_LEAST = 40.0

#: Share of 8x8 blocks of one single value, black and white left out: 0.2 or more in drawings and screenshots,
#: 0 in outputs of networks, whose lattice is everywhere.
FLAT_BLOCKS = 0.1

#: Lattices of one network share a period along each axis, of 64 pixels or less; rows and threads of content
#: do not.
LARGEST_COMMON = 64

#: Grey levels from which a pattern longer than four pixels is content, unless it is all there is. Generators
#: with strong lattices have them at the short periods of their last layers.
STRONG = 22.0
LONG = 5

#: The same, at any period, where the lattice is all there is: untrained networks on flat inputs leave up to
#: 31 in pictures of a standard deviation of 20.
STRONG_ALONE = 32.0

#: Frequencies, in cycles per picture, this close to the lattice are its own where its strength varies, but no
#: more than half of all.
SIDEBANDS = 12

#: Cycles per pixel below which content has strong peaks anyhow.
LOWEST = 1 / 24

#: How much higher, next to the lines found, other sharp peaks stand, and above the spectrum around them.
PEAK_OVER_LINE = 1.5
PEAK_OVER_AROUND = 15.0

#: Share of the power within two bins that must be one sinusoid's, which may be half a bin off on each axis.
PURE_PEAK = 0.5


def is_halftone(
    array: NDArray[np.float32], lattice: Lattice, rest: NDArray[np.float32] | None = None
) -> bool:
    """Test whether the picture was dithered to a few values, or printed in dots of ink on paper.

    Dithered: at most 8 values per channel, 16 levels apart, and the lattice less than three quarters of the
    variance. Printed: three quarters of the values near ink or paper, and a screen of 40 levels or more.

    `rest` is the array without the lattice, if it was made before.

    Cost: a few passes over the array.
    """
    if lattice_share(array, lattice, rest) >= NOT_ALL:
        return False
    channels = [array[..., c] for c in range(array.shape[-1])]
    if all(_few(channel) for channel in channels):
        return True
    return lattice.strength >= SCREEN_LEAST and max(_two_toned(c) for c in channels) >= INK_OR_PAPER


def is_texture(array: NDArray[np.float32], lattice: Lattice, rest: NDArray[np.float32] | None = None) -> bool:
    """Test whether the lines belong to content: a drawing, or a pattern with periods of its own.

    A drawing has flat places without any lattice. A pattern of content has its lines beside the frequencies
    of whole periods (`is_beside`), or several periods with no common one below 65 pixels, or is 32 levels
    strong and all there is, or has most of its power at periods above 4 pixels where it is 22 levels strong
    beside other content and no lattice of stacked strides on content (`is_stacked`), or sharp peaks on no
    lattice that are stronger still.

    Cost: a few passes over the array and one FFT, and what `is_beside` takes.
    """
    alone = lattice_share(array, lattice, rest) >= NOT_ALL
    if not alone and has_flat_places(array):
        return True
    lines = [line for component in lattice.present for line in component.lines]
    if common_period(lattice) > LARGEST_COMMON or is_beside(array, lattice):
        return True
    if alone and lattice.strength >= STRONG_ALONE and not on_content(array, lattice):
        return True
    if _power(lines, lambda p: p >= LONG) < 0.5:
        return False
    if not alone and lattice.strength >= STRONG and not is_stacked(array, lattice):
        return True
    rest = without(array, lattice.present) if rest is None else rest
    return _sharp_peaks(array, rest, lattice, max(line.amplitude for line in lines))


def lattice_share(
    array: NDArray[np.float32], lattice: Lattice, rest: NDArray[np.float32] | None = None
) -> float:
    """Return the share of the variance of the array, 0 to 1, that goes with the lattice."""
    total = _variance(array)
    return 1 - _variance(without(array, lattice.present) if rest is None else rest) / total if total else 0.0


def _variance(array: NDArray[np.float32]) -> float:
    """Return the variance over pixels, summed over channels."""
    values = centred(array).ravel()
    return float(np.vdot(values, values) / max(1, array.shape[0] * array.shape[1]))


def has_flat_places(array: NDArray[np.float32]) -> bool:
    """Test whether a tenth of the 8x8 blocks has one value each, as in drawings, on three grids.

    JPEG makes blocks flat as well, but on its own grid only; lattices of long periods on flat grey do, too.
    """
    return all(flat_blocks(one) >= FLAT_BLOCKS for one in (array, array[4:, 4:], array[2:, 6:]))


def flat_blocks(array: NDArray[np.float32]) -> float:
    """Return the share of 8x8 blocks of one value, not black or white, where generators saturate."""
    rows, columns = array.shape[0] // 8, array.shape[1] // 8
    if not rows or not columns:
        return 0.0
    low, high = block_ends(array)
    saturated = ((low <= 2) | (high >= 253)).all(axis=-1)
    return float((((high - low) == 0).all(axis=-1) & ~saturated).mean())


def _few(channel: NDArray[np.float32]) -> bool:
    # Most pictures show more values in their first rows; counting all of them is slow.
    if len(np.unique(channel[:16])) > FEW_VALUES:
        return False
    values = np.unique(channel)
    return 1 < len(values) <= FEW_VALUES and float(np.diff(values).min()) >= APART


def _two_toned(channel: NDArray[np.float32]) -> float:
    low, high = np.percentile(channel[::3, ::3], (1, 99))
    margin = (high - low) / 5
    return float(((channel < low + margin) | (channel > high - margin)).mean())


def _power(lines: list[Line], wanted: Callable[[int], bool]) -> float:
    """Return the share of the power of the lines whose longer period is wanted."""
    power = np.array([line.amplitude**2 for line in lines])
    chosen = np.array([wanted(lcm(*line.period)) for line in lines])
    return float(power[chosen].sum() / power.sum())


def _near(length: int, period: int) -> NDArray[np.bool_]:
    """Test which frequencies of an axis are next to a multiple of 1 / period."""
    spacing = length / period
    position = np.arange(length) % spacing
    return np.asarray(np.minimum(position, spacing - position) <= min(SIDEBANDS, spacing / 4), np.bool_)


def _sharp_peaks(
    array: NDArray[np.float32], rest: NDArray[np.float32], lattice: Lattice, strongest: float
) -> bool:
    """Test whether a line off the lattice is stronger in the `rest` than the strongest found."""
    rows, columns = rest.shape[:2]
    window = hann(rows)[:, None] * hann(columns)
    # Transforms of one channel after the other are quicker than of all in turn.
    planes = np.moveaxis(centred(rest), -1, 0) * window.astype(np.float32)
    spectrum = 2 * np.abs(np.fft.rfft2(np.ascontiguousarray(planes), axes=(1, 2))).max(axis=0)
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns))
    spectrum[radius < LOWEST] = 0
    for component in lattice.present:
        period = component.cycle
        # Patches of 14 pixels may show their period of 7 only.
        near = [_near(n, 14 if period == 7 else period) for n in (rows, columns)]
        spectrum[np.ix_(near[0], near[1][: columns // 2 + 1])] = 0
    if not spectrum.any():
        return False
    y, x = np.unravel_index(int(spectrum.argmax()), spectrum.shape)
    around = spectrum[
        np.ix_(np.arange(y - 10, y + 11) % rows, np.clip(np.arange(x - 10, x + 11), 0, columns // 2))
    ]
    peak = float(spectrum[y, x])
    if peak < max(PEAK_OVER_LINE * strongest, PEAK_OVER_AROUND * float(np.median(around[around > 0]))):
        return False
    # The band of a strong lattice on smooth content has peaks as well, but none is one sinusoid.
    return purity(array, (y / rows, x / columns))[0] >= PURE_PEAK
