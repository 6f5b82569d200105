"""A network's lattice, from many of its outputs, to be applied to single ones without estimating again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uncheck.cleaning.basis import names
from uncheck.cleaning.estimating import estimate
from uncheck.cleaning.exchange import Exchange
from uncheck.cleaning.pattern import Pattern
from uncheck.cleaning.shared import shared_periods
from uncheck.errors import UncheckError
from uncheck.plain import Brief
from uncheck.signals.signal import Given
from uncheck.writing import write_file

SCHEMA = "uncheck.profile/1"


@dataclass(frozen=True)
class Profile(Brief):
    """What the lattice of a network is.

    Attributes:
        patterns: one for each period.
        channels: of the pictures it is for.
        count: pictures it was made of.
    """

    patterns: tuple[Pattern, ...]
    channels: int
    count: int

    @property
    def periods(self) -> tuple[tuple[int, ...], ...]:
        """Pixels per axis of each pattern."""
        return tuple(one.period for one in self.patterns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        patterns = [
            {"period": list(one.period), "sharp": one.sharp, "tiles": one.tiles.tolist()}
            for one in self.patterns
        ]
        return {
            "schema": SCHEMA,
            "channels": self.channels,
            "count": self.count,
            "functions": list(names(self.channels)),
            "patterns": patterns,
        }

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all.

        Raises:
            UncheckError: it cannot be written.
        """
        write_file(Path(path), (json.dumps(self.to_dict()) + "\n").encode())

    @classmethod
    def load(cls, path: str | Path) -> Profile:
        """Read what `save` wrote.

        Raises:
            UncheckError: missing, no profile, one of another version, or damaged.
        """
        try:
            said = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise UncheckError(
                f"{path}: is not a readable profile; make one by uncheck.cleaning.profile"
            ) from error
        schema = said.get("schema") if isinstance(said, dict) else None
        if schema != SCHEMA:
            raise UncheckError(f"{path}: is not a profile of this version ({SCHEMA}); make it again")
        try:
            return _checked(said)
        except (KeyError, TypeError, ValueError) as error:
            raise UncheckError(
                f"{path}: is a damaged profile; make it again by uncheck.cleaning.profile"
            ) from error


def _checked(said: dict[str, Any]) -> Profile:
    channels, count = int(said["channels"]), int(said["count"])
    if said["functions"] != list(names(channels)):
        raise ValueError("other functions")
    patterns = []
    for one in said["patterns"]:
        period, tiles = tuple(map(int, one["period"])), np.asarray(one["tiles"], np.float32)
        if tiles.shape != (channels, len(names(channels)), *period) or not np.isfinite(tiles).all():
            raise ValueError("tiles of another shape")
        sharp = float(one["sharp"])
        if not 0 <= sharp <= 1:
            raise ValueError("no share")
        patterns.append(Pattern(period, tiles, sharp))
    return Profile(tuple(patterns), channels, count)


def profile(images: Iterable[Any] | Any, *, periods: Iterable[int] | None = None) -> Profile:
    """Estimate the lattice that outputs of one network share.

    Args:
        images: arrays or tensors as `uncheck.clean` takes them, of any sizes: all outputs of one network.
        periods: pixels to test; those of `measure` if None.

    Raises:
        UncheckError: no picture, or no lattice that they share.

    Cost: that of cleaning them; all are in memory at once, as float32.
    """
    listed = images if hasattr(images, "shape") else list(images)
    signals = [place.signal() for place in Exchange(listed, Given())]
    found = shared_periods(signals, periods)
    if not found:
        raise UncheckError(
            f"the {len(signals)} pictures share no lattice; there is nothing to make a profile of"
        )
    values = [one.values for one in signals]
    if len({one.shape[-1] for one in values}) > 1:
        raise UncheckError(
            "the pictures have different numbers of channels; make a profile of those with one"
        )
    return Profile(estimate(values, found), values[0].shape[-1], len(values))
