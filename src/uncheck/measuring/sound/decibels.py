"""Levels of what a network leaves in sound: decibels relative to the rest of it, as `measure` gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncheck.measuring.components import Component
from uncheck.measuring.sound.tones import SILENCE


@dataclass(frozen=True)
class Decibels:
    """What levels are relative to: `rest`, the rms of sounds less their lattice, per channel, grey levels."""

    rest: NDArray[np.float64]

    def level(self, rms: ArrayLike) -> float:
        """Return 20 log10(rms / rest), in the channel where that is largest, dB.

        >>> round(Decibels(np.array([100.0])).level(10.0), 2)
        -20.0
        """
        return float(20 * np.log10(np.max(np.maximum(rms, SILENCE) / self.rest)))

    def added(self, said: Any) -> Any:
        """Return plain results with `db` beside every amplitude of a period, and every strength of a border.

        One sinusoid of amplitude A has the rms A / sqrt(2); that of period 2 has A.

        >>> said = {"lattice": [{"period": [2], "amplitude": 10.0}]}
        >>> Decibels(np.array([100.0])).added(said)
        {'lattice': [{'period': [2], 'amplitude': 10.0, 'db': -20.0}]}
        """
        if isinstance(said, list):
            return [self.added(one) for one in said]
        if not isinstance(said, Mapping):
            return said
        out = {key: value if key == "harmonics" else self.added(value) for key, value in said.items()}
        if "amplitude" in said and len(said["period"]) == 1:
            peak = np.asarray(said.get("channel_amplitudes") or said["amplitude"])
            out["db"] = self.level(peak if said["period"] == [2] else peak / np.sqrt(2))
        elif "depth" in said:
            out["db"] = self.level(said["strength"])
        return out


def decibels_of(batch: NDArray[np.float32], lattice: Iterable[Component]) -> Decibels:
    """Measure what levels are relative to in sounds (N, n, C), grey levels.

    With X[f] = mean over n of x[n] exp(-2 pi i f n), the mean of x off, and f the frequencies of the lattice,

        rest^2 = mean over sounds of (var(x) - sum over f of 2 |X[f]|^2),    1 instead of 2 for f = 1/2.
    """
    x = batch - batch.mean(axis=1, keepdims=True, dtype=np.float64)
    power = np.square(x).mean(axis=(0, 1))
    for line in (line for component in lattice for line in component.lines):
        turn = np.exp(-2j * np.pi * line.frequency[0] * np.arange(x.shape[1])) / x.shape[1]
        lines = np.square(np.abs(np.einsum("snc,n->sc", x, turn)))
        power = power - (1 if line.real else 2) * lines.mean(axis=0)
    return Decibels(np.sqrt(np.maximum(power, SILENCE**2)))
