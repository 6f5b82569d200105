"""Harmonics laid to their fundamental: a period-4 pattern is not one of period 2 as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Component, Lattice, Line
from uncheck.measuring.tapers import half_width, tapers

#: Lines of a component compared, strongest first.
LINES = 8

#: Share of a harmonic's power that the fundamental's own envelope must leave unexplained for the harmonic to
#: stand on its own. Patterns laid over photographs leave up to 0.2, two stages of an untrained generator 0.4.
UNEXPLAINED = 0.3


def attribute_harmonics(array: NDArray[np.float32], lattice: Lattice) -> Lattice:
    """`lattice` with the components that are harmonics of another one merged into it.

    A pattern of period P has lines at all multiples of 1/P, and those of them that a shorter period d, a
    divisor of P, also has. They stand on their own if they are stronger than all other lines of P together,
    or if their local strength is another: the eigencoefficients of all lines of one pattern are multiples of
    one envelope, Y_k(f) = mu_f E_k, so the share of the power at d's lines that the fundamental's E (its
    first singular vector) does not explain is compared with `UNEXPLAINED`, noise beside the lines taken off.

    Args:
        array: (*spatial, C) grey levels.
        lattice: what was found in it.

    Returns:
        The lattice; merged components carry the amplitude of all their lines and list their `harmonics`.

    Cost: nothing unless one period found divides another; then O(pixels) for each of up to 8 lines of both.
    """
    everything = sorted((*lattice.present, *lattice.traces), key=lambda c: -int(np.prod(c.period)))
    kept: list[Component] = []
    for component in everything:
        hosts = [h for h in kept if _divides(component, h) and _weaker(component, h, everything)]
        host = max(hosts, key=lambda h: h.amplitude, default=None)
        if host is None or _unexplained(array, component, host) > UNEXPLAINED:
            kept.append(component)
        else:
            kept[kept.index(host)] = _merged(host, component)
    kept.sort(key=lambda c: -c.amplitude)
    return replace(
        lattice,
        present=tuple(c for c in kept if c.amplitude >= lattice.threshold),
        traces=tuple(c for c in kept if c.amplitude < lattice.threshold),
    )


def _divides(short: Component, long: Component) -> bool:
    return short.period != long.period and all(
        p % d == 0 for p, d in zip(long.period, short.period, strict=True)
    )


def _weaker(component: Component, host: Component, everything: list[Component]) -> bool:
    """Whether it is weaker than all else that repeats with the host's period, its own harmonics left out."""
    others = [
        c.amplitude
        for c in everything
        if c is not component
        and (c.period == host.period or _divides(c, host))
        and not _divides(c, component)
    ]
    return float(np.hypot.reduce(others)) > component.amplitude


def _unexplained(array: NDArray[np.float32], harmonic: Component, host: Component) -> float:
    rows = [_eigencoefficients(array, line) for line in host.lines[:LINES]]
    envelope = np.linalg.svd(np.concatenate(rows), full_matrices=False)[2][0]
    power = left = 0.0
    for line in harmonic.lines[:LINES]:
        asked = _eigencoefficients(array, line)
        noise = _noise(array, line)
        power += float((np.abs(asked) ** 2).sum()) - noise
        along = np.abs(asked @ envelope.conj()) ** 2
        left += float((np.abs(asked) ** 2).sum() - along.sum()) - noise * (1 - 1 / len(envelope))
    return max(0.0, left / power) if power > 0 else 0.0


def _noise(array: NDArray[np.float32], line: Line) -> float:
    """Power of all eigencoefficients right beside the line, where there is room for it between lines."""
    ndim, beside = array.ndim - 1, []
    for axis, n in enumerate(array.shape[:ndim]):
        step = 2.5 * half_width(n, ndim)
        if step < 1 / (4 * max(line.period)):
            for sign in (-1, 1):
                frequency = tuple(f + sign * step * (a == axis) for a, f in enumerate(line.frequency))
                beside.append(_eigencoefficients(array, replace(line, frequency=frequency)))
    return float(np.mean([(np.abs(b) ** 2).sum() for b in beside])) if beside else 0.0


def _eigencoefficients(array: NDArray[np.float32], line: Line) -> NDArray[np.complex128]:
    """(C, K) tapered Fourier coefficients at one line."""
    ndim = array.ndim - 1
    data: NDArray[np.complex128] = array - array.mean(axis=tuple(range(ndim)))
    for f in line.frequency:
        n = data.shape[0]
        turned = tapers(n, ndim).values * np.exp(-2j * np.pi * f * np.arange(n))
        # The axis is replaced by its tapers, which go last; the next axis comes to the front.
        data = np.moveaxis(np.tensordot(turned.astype(np.complex64), data, axes=(1, 0)), 0, -1)
    return np.asarray(data.reshape(array.shape[-1], -1), np.complex128)


def _merged(host: Component, harmonic: Component) -> Component:
    channels = np.hypot(host.channel_amplitudes, harmonic.channel_amplitudes)
    lines = sorted((*host.lines, *harmonic.lines), key=lambda line: -max(line.amplitudes))
    return replace(
        host,
        amplitude=float(channels.max()),
        p_value=min(host.p_value, harmonic.p_value),
        channel_amplitudes=tuple(map(float, channels)),
        channel_p_values=tuple(map(min, host.channel_p_values, harmonic.channel_p_values)),
        lines=tuple(lines),
        harmonics=(*host.harmonics, (harmonic.period, harmonic.amplitude), *harmonic.harmonics),
    )
