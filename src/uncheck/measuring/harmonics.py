"""Harmonics laid to their fundamental: a period-4 pattern is not one of period 2 as well."""

from __future__ import annotations

from collections.abc import Sequence
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

    Cost: nothing unless one period found divides another; then O(pixels) for each of up to 8 lines of both,
    and of the frequencies beside them.
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
    return lattice.holding(kept)


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
    asked = harmonic.lines[:LINES]
    beside = [_beside(line, array.shape[:-1]) for line in asked]
    wanted = [line.frequency for line in (*host.lines[:LINES], *asked)]
    rows = _eigencoefficients(array, [*wanted, *(f for some in beside for f in some)])
    hosts = len(wanted) - len(asked)
    envelope = np.linalg.svd(rows[:hosts].reshape(-1, rows.shape[-1]), full_matrices=False)[2][0]
    noises = iter((np.abs(rows[len(wanted) :]) ** 2).sum(axis=(1, 2)))
    power = left = 0.0
    for own, some in zip(rows[hosts : len(wanted)], beside, strict=True):
        noise = float(np.mean([next(noises) for _ in some])) if some else 0.0
        whole = float((np.abs(own) ** 2).sum())
        along = float((np.abs(own @ envelope.conj()) ** 2).sum())
        power += whole - noise
        left += whole - along - noise * (1 - 1 / len(envelope))
    return max(0.0, left / power) if power > 0 else 0.0


def _beside(line: Line, shape: tuple[int, ...]) -> list[tuple[float, ...]]:
    """Frequencies right beside the line, where there is room for them between lines."""
    out = []
    for axis, n in enumerate(shape):
        step = 2.5 * half_width(n, len(shape))
        if step < 1 / (4 * max(line.period)):
            for sign in (-1, 1):
                out.append(tuple(f + sign * step * (a == axis) for a, f in enumerate(line.frequency)))
    return out


def _eigencoefficients(
    array: NDArray[np.float32], frequencies: Sequence[tuple[float, ...]]
) -> NDArray[np.complex128]:
    """(F, C, K) tapered Fourier coefficients at any frequencies, by direct sums, without the mean."""
    ndim, channels = array.ndim - 1, array.shape[-1]
    first, *rest = (_turned(n, axis, ndim, frequencies) for axis, n in enumerate(array.shape[:-1]))
    # One product for all frequencies on the axis that is the long work; real and imaginary parts apart.
    flat = array.reshape(array.shape[0], -1)
    both = np.concatenate([first.real, first.imag]).reshape(-1, flat.shape[0]) @ flat
    split = both.reshape(2, len(frequencies), -1, *array.shape[1:])
    data = split[0] + 1j * split[1]
    for turned in rest:
        # (F, K so far, n, ...) -> (F, K so far, K, ...)
        moved = np.moveaxis(data, 2, -1)
        shape = moved.shape
        data = moved.reshape(shape[0], -1, shape[-1]) @ turned.swapaxes(1, 2)
        data = np.moveaxis(data.reshape(*shape[:-1], -1), -1, 2)
        data = data.reshape(shape[0], -1, *shape[2:-1])
    whole = data.reshape(len(frequencies), -1, channels).swapaxes(1, 2)
    # The highest tapers pass some of the mean at any frequency, which in bright pictures outweighs a line.
    passed = np.ones((len(frequencies), 1))
    for turned in (first, *rest):
        passed = (passed[:, :, None] * turned.sum(axis=-1)[:, None]).reshape(len(frequencies), -1)
    mean = array.mean(axis=tuple(range(ndim)), dtype=np.float64)
    return np.asarray(whole - mean[:, None] * passed[:, None], np.complex128)


def _turned(n: int, axis: int, ndim: int, frequencies: Sequence[tuple[float, ...]]) -> NDArray[np.complex64]:
    """(F, K, n) tapers of one axis turned to each frequency."""
    f = np.array([frequency[axis] for frequency in frequencies])
    turn = np.exp(-2j * np.pi * f[:, None] * np.arange(n))
    return np.asarray(tapers(n, ndim).values * turn[:, None], np.complex64)


def _merged(host: Component, harmonic: Component) -> Component:
    channels = np.hypot(host.channel_amplitudes, harmonic.channel_amplitudes)
    lines = sorted((*host.lines, *harmonic.lines), key=lambda line: -line.amplitude)
    return replace(
        host,
        amplitude=float(channels.max()),
        p_value=min(host.p_value, harmonic.p_value),
        channel_amplitudes=tuple(map(float, channels)),
        channel_p_values=tuple(map(min, host.channel_p_values, harmonic.channel_p_values)),
        lines=tuple(lines),
        harmonics=(*host.harmonics, (harmonic.period, harmonic.amplitude), *harmonic.harmonics),
    )
