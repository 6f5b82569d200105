"""The measurement of one signal: a picture, a volume or a sound."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.areas import measured_area, shifted
from uncheck.measuring.blocks import blocks_beside
from uncheck.measuring.checks import attribute_harmonics, without_bands
from uncheck.measuring.coherence import confirmed
from uncheck.measuring.colour.brightness import Dependence, brightness_dependence
from uncheck.measuring.components import Lattice
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.places.part import Parts
from uncheck.measuring.places.parts import find_in_parts
from uncheck.measuring.places.places import LocalMap
from uncheck.measuring.places.where import locate
from uncheck.measuring.result import ImageMeasurement
from uncheck.measuring.rivals import name_rival
from uncheck.measuring.rivals.drawing import is_drawing
from uncheck.measuring.seams.blocks import Blocks
from uncheck.measuring.second_order import Modulation, second_order
from uncheck.measuring.settings import LONGEST_FLAT, Settings
from uncheck.measuring.sound.tones import listen
from uncheck.measuring.support import Support
from uncheck.signals.signal import Signal

#: Shortest side of pictures whose stripes are tested against rows or columns that differ at random: the means
#: of fewer are too few to tell.
BANDS_FROM = 64

#: The longest in volumes and video, where it would have P^3 / 2.
LONGEST_DEEP = 16


#: Rivals that leave their traces all over any picture. Others are the picture's content, and so is what its
#: parts have.
TRACES = ("jpeg", "bayer")


def measure_signal(signal: Signal, settings: Settings) -> ImageMeasurement:
    """Measure one signal: its lattice, blocks, rival explanations, dependence on brightness."""
    if signal.kind == "audio":
        return _sound(signal, settings)
    flat = signal.values.ndim == 3
    if flat:
        settings.check_pictures()
    short = tuple(p for p in settings.periods if flat or p <= LONGEST_DEEP)
    mapped = settings.where and flat
    significance = settings.significance / 2 if mapped else settings.significance
    area = measured_area(signal, max(short, default=2))
    values, support = area.values, area.support
    found = find_lattice(
        values,
        periods=short,
        threshold=settings.threshold,
        significance=significance,
        signed=True,
        limits=not settings.brief,
        support=support,
    )
    if len(short) < len(settings.periods):
        found = replace(found, not_tested=tuple(p for p in settings.periods if p not in found.tested))
    if not flat or min(values.shape[:2]) >= BANDS_FROM:
        found = without_bands(values, found, support)
    found = confirmed(values, attribute_harmonics(values, found), support)
    signal = replace(signal, notes=(*signal.notes, *area.notes))
    places: LocalMap | Parts | None = None
    if mapped:
        try:
            shape, mask = signal.values.shape, area.mask(signal.values.shape)
            found, places = locate(
                area.whole(shape),
                found,
                periods=short,
                significance=significance,
                support=None if mask is None else Support(mask.astype(np.float32)),
            )
        except UncheckError as error:
            signal = replace(signal, notes=(*signal.notes, f"No local map: {error}."))
    clear, there = area.clear(found)
    explain = partial(name_rival, codec=signal.codec, tables=signal.tables)
    rival = explain(clear, there)
    brightness = () if settings.brief else _dependences(clear, there)
    background = flat and area.background > 0
    if rival is None and found.present and background and is_drawing(signal.values):
        rival = "texture"
    modulations: tuple[Modulation, ...] = ()
    if not settings.brief:
        modulations = second_order(
            values, found, periods=short, significance=settings.significance, support=support
        )
    parts = None
    if flat and not mapped and rival in (None, *TRACES):
        parts = find_in_parts(
            values, found, explain, periods=short, significance=settings.significance, support=support
        )
    if parts is not None and parts.parts and not (background and is_drawing(signal.values)):
        # No rival explains them, whatever it explains in the whole.
        rival, found = None, parts.added(found)
        places = parts.moved(area.start, signal.values.shape)
        signal = replace(signal, notes=(*signal.notes, *parts.notes))
    blocks: tuple[Blocks, ...] = ()
    if rival in (None, "jpeg"):
        blocks, maker = blocks_beside(values, found, signal.codec, tables=signal.tables)
        blocks = tuple(one.moved(area.start) for one in blocks)
        if blocks and not (found.present and rival is None):
            rival = maker
    found = shifted(found.limited(), tuple(-s for s in area.start))
    return _result(
        signal,
        found,
        rival=rival,
        brightness=brightness,
        second_order=modulations,
        where=places,
        measured=area.share,
        blocks=blocks,
    )


def _sound(signal: Signal, settings: Settings) -> ImageMeasurement:
    found, tones, levels = listen(
        signal.values,
        signal.rate,
        periods=settings.periods,
        significance=settings.significance,
        audible=settings.audible,
    )
    longest = max(settings.periods)
    if longest < LONGEST_FLAT:
        note = f"Periods above {longest} samples, such as the hop of a vocoder, were not tested."
        signal = replace(signal, notes=(*signal.notes, note))
    return _result(signal, found, tones=tones, inaudible=levels)


def _result(
    signal: Signal, found: Lattice, rival: str | None = None, blocks: tuple[Blocks, ...] = (), **more: Any
) -> ImageMeasurement:
    return ImageMeasurement(
        signal.name,
        "rival" if rival else "lattice" if found.present else "blocks" if blocks else "clean",
        rival,
        found,
        kind=signal.kind,
        span=signal.span,
        source=signal.source,
        unit=signal.unit,
        rate=signal.rate,
        notes=signal.notes,
        blocks=blocks,
        **more,
    )


def _dependences(values: NDArray[np.float32], found: Lattice) -> tuple[Dependence, ...]:
    out = []
    for component in found.present:
        try:
            out.append(brightness_dependence(values, component))
        except UncheckError:
            continue  # too few windows in this picture: the lattice stands without its dependence
    return tuple(out)
