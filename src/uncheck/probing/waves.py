"""The complex amplitudes of a lattice in outputs, and how much of it these show in its own phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.batches import interior
from uncheck.measuring.lines import line_means
from uncheck.measuring.observed import BatchComponent
from uncheck.probing.samples import outputs_showing

Waves = NDArray[np.complex128]
"""(lines, channels), in grey levels."""


def lattice_of(found: BatchComponent) -> Waves:
    """Return the complex amplitudes of a component's own lines."""
    return np.array([np.asarray(line.mean) * (1 if line.real else 2) for line in found.component.lines])


def waves_in(batch: NDArray[np.float32], found: BatchComponent) -> Waves:
    """Return the complex amplitudes of a component's lines in a batch, (N, *spatial, C) grey levels."""
    values = np.asarray(outputs_showing(interior(batch), found).mean(axis=0))
    lines = found.component.lines
    return np.array([[1.0 if line.real else 2.0] for line in lines]) * line_means(values, lines)


def strength_of(waves: Waves) -> float:
    """Return the root of the summed squares over the lines, in the strongest channel."""
    return float(np.sqrt((np.abs(waves) ** 2).sum(axis=0).max()))


def share_of(lattice: Waves, waves: Waves) -> float:
    """Return how much of a lattice L some waves w are, in its own phase: Re <L, w> / |L|^2."""
    return float((lattice.conj() * waves).real.sum() / max(1e-18, float((np.abs(lattice) ** 2).sum())))
