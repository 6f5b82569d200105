"""`uncheck.clean`: pictures without their lattice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.cleaning.clipping import clipped, cut_off
from uncheck.cleaning.estimating import estimate
from uncheck.cleaning.exchange import Exchange, Place
from uncheck.cleaning.pattern import Pattern, periods_of
from uncheck.cleaning.profile import Profile
from uncheck.cleaning.result import CleanedImage, Cleaning, Taken, clipped_note
from uncheck.cleaning.shared import measured, shared_periods
from uncheck.errors import UncheckError
from uncheck.signals.signal import Given, Signal

Array = NDArray[np.float32]


def clean(
    images: Any,
    *,
    periods: Iterable[int] | None = None,
    together: bool = False,
    profile: Profile | None = None,
    strength: float = 1.0,
    with_report: bool = False,
) -> Any:
    """Subtract the lattice of pictures, and nothing else.

    The lattice is sum_k b_k(x) T_k[x mod P]: tiles T_k of one period, times smooth functions b_k of local
    brightness and colour. Both are estimated by robust least squares, and what is not significant is left
    out. A picture in which `uncheck.measure` finds no lattice comes back as the same object.

    >>> rng = np.random.default_rng(0)
    >>> picture = rng.normal(128, 4, (64, 64))
    >>> grid = 6 * (-1.0) ** np.add.outer(np.arange(64), np.arange(64))
    >>> cleaned = clean(picture + grid)
    >>> bool(np.abs(cleaned - picture).max() < 1), clean(picture) is picture
    (True, True)

    Args:
        images: an array or tensor, or a sequence of these, of shapes and ranges as `uncheck.measure` takes
            them: (H, W), (H, W, C), (C, H, W), batches (N, C, H, W) and (N, H, W, C).
        periods: pixels to test, as in `uncheck.measure`; its own if None.
        together: take all as outputs of one network: one lattice is estimated of all and taken from each.
        profile: the lattice of the network, estimated before (`uncheck.cleaning.profile`): nothing is tested
            or estimated then.
        strength: share of the lattice to subtract, 0 to 1.
        with_report: return a `Cleaning`, too, for which each result is measured again.

    Returns:
        What was given, of the same type, shape and device: whole numbers are rounded to nearest. With a
        report, the pair (images, Cleaning).

    Raises:
        UncheckError: what cannot be measured, a strength outside of 0 to 1, or a profile that does not fit.

    Cost: that of `measure`, and about as much again; with a profile a few passes over the picture. Memory: at
    most ten float32 copies of the largest picture; with `together` one of each.
    """
    if not 0 <= strength <= 1:
        raise UncheckError(f"strength {strength:g} is not possible; give 0 to 1, the share to subtract")
    exchange = Exchange(images, Given())
    places = list(exchange)
    reports = []
    patterns = profile.patterns if profile is not None else None
    if together and profile is None:
        signals = [place.signal() for place in places]
        found = shared_periods(signals, periods)
        patterns = estimate([one.values for one in signals], found) if found else ()
    for place in places:
        signal = place.signal()
        reports.append(_clean_one(place, signal, patterns, periods, strength, with_report))
    cleaned = exchange.back()
    if not with_report:
        return cleaned
    return cleaned, Cleaning(tuple(reports), strength, together)


def _clean_one(
    place: Place,
    signal: Signal,
    patterns: tuple[Pattern, ...] | None,
    periods: Iterable[int] | None,
    strength: float,
    with_report: bool,
) -> CleanedImage:
    """Clean one picture in place; `patterns` None: estimate them."""
    before = measured(signal, periods) if patterns is None or with_report else None
    if patterns is None:
        assert before is not None
        found = periods_of(before.found.present) if before.verdict == "lattice" else []
        patterns = estimate([signal.values], found)
    shape = signal.values.shape
    if any(p.tiles.shape[0] != shape[-1] or len(p.period) != len(shape) - 1 for p in patterns):
        raise UncheckError(
            f"{signal.name}: has {shape[-1]} channels and {len(shape) - 1} axes, and the profile others"
        )
    drawn = [one.drawn(signal.values) for one in patterns]
    if patterns and strength > 0:
        whole = drawn[0] if len(drawn) == 1 else np.sum(drawn, axis=0)
        place.subtract(np.float32(strength) * cut_off(signal.values, whole), signal)
    if before is None or not with_report:
        return CleanedImage(signal.name, "cleaned" if patterns else "clean")
    name = before.verdict if before.verdict == "rival" else "clean"
    cut = float(clipped(signal.values).mean())
    report = CleanedImage(
        signal.name,
        name,
        before.rival,
        before=before.strength,
        after=before.strength,
        clipped=cut,
        notes=signal.notes,
    )
    if not patterns:
        return report
    after = measured(place.signal(), periods)
    left = after.found.present if after.verdict == "lattice" else ()
    return replace(
        report,
        verdict="left" if left else "cleaned",
        taken=tuple(Taken(p.period, _amplitude(d)) for p, d in zip(patterns, drawn, strict=True)),
        after=after.strength if left else 0.0,
        left=left,
        changed=float(np.sqrt(np.mean(np.square(signal.values - place.signal().values)))),
        notes=(*signal.notes, *clipped_note(cut)),
    )


def _amplitude(drawn: Array) -> float:
    """Return sqrt(2) times the root mean square of the worst channel."""
    return float(np.sqrt(2 * np.square(drawn).mean(axis=tuple(range(drawn.ndim - 1))).max()))
