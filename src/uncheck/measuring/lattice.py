"""The lattice of one array: which periods are there, how strong and how certain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from uncheck.errors import UncheckError
from uncheck.measuring.frequencies import Plan, checked_periods, plan
from uncheck.measuring.harmonic import Lines, eigenspectra, line_test, window_sums

PERIODS = tuple(range(2, 17))
SIGNIFICANCE = 1e-3
VISIBLE = 0.3


@dataclass(frozen=True)
class Line:
    """One sinusoid of a lattice: `frequency` in cycles per pixel and axis, `mean` its complex amplitude
    per channel (grey levels; the sinusoid is Re(mean exp(2 pi i f.n)), doubled unless the line is real).
    """

    frequency: tuple[float, ...]
    period: tuple[int, ...]
    mean: tuple[complex, ...]
    real: bool
    p_value: float

    @property
    def amplitudes(self) -> tuple[float, ...]:
        """Peak amplitude per channel, grey levels."""
        return tuple(abs(m) * (1 if self.real else 2) for m in self.mean)


@dataclass(frozen=True)
class Component:
    """The part of a lattice that has one period.

    Attributes:
        period: pixels per axis, e.g. (4, 4); 1 where the pattern does not vary along that axis.
        amplitude: grey levels (of 255), the root of the summed squares of the peak amplitudes of its
            sinusoids, in the channel where that is largest.
        p_value: corrected for all frequencies, channels and periods tried.
        channel_amplitudes, channel_p_values: the same for each channel alone.
        lines: its sinusoids, strongest first.
    """

    period: tuple[int, ...]
    amplitude: float
    p_value: float
    channel_amplitudes: tuple[float, ...] = ()
    channel_p_values: tuple[float, ...] = ()
    lines: tuple[Line, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `period`, `amplitude`, `p_value` and the same per channel."""
        return {
            "period": list(self.period),
            "amplitude": self.amplitude,
            "p_value": self.p_value,
            "channel_amplitudes": list(self.channel_amplitudes),
            "channel_p_values": list(self.channel_p_values),
        }


@dataclass(frozen=True)
class Lattice:
    """All that was found in one array.

    Attributes:
        present: components that are both significant and at least `threshold` strong, strongest first.
        traces: significant but weaker than the threshold: what cameras, scanners and codecs leave.
        tested, not_tested: periods that were tried, and those too long for the array.
        threshold: grey levels; significance: corrected p-value below which a line counts as there.
    """

    present: tuple[Component, ...]
    traces: tuple[Component, ...]
    tested: tuple[int, ...]
    not_tested: tuple[int, ...]
    threshold: float = VISIBLE
    significance: float = SIGNIFICANCE

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels; 0 when nothing is."""
        return float(np.sqrt(sum(c.amplitude**2 for c in self.present)))


def find_lattice(
    array: ArrayLike,
    *,
    periods: Iterable[int] = PERIODS,
    threshold: float = VISIBLE,
    significance: float = SIGNIFICANCE,
) -> Lattice:
    """Every period of `periods` that stands in `array` as lines at exactly its frequencies.

    Args:
        array: (*spatial, C) in grey levels 0..255, one to three spatial axes, channels last, finite.
        periods: pixels; those with fewer than four cycles along every axis are listed as not tested.
        threshold: grey levels below which a significant component is a trace.
        significance: corrected p-value below which a component counts as there.

    Returns:
        A `Lattice`. A period is reported by its own lines only: the harmonics that a period-4 pattern
        has at period 2 are reported as period 2.

    Raises:
        UncheckError: array not finite, of wrong rank, or shorter than two periods of 2 along every axis;
            a period that is not a whole number of at least 2.

    Cost: for periods 2 to 16 about as long as decoding the picture from PNG; once more for every period
    found, because what was found is taken out before its neighbours are judged.
    """
    data, periods = _checked(array), checked_periods(periods)
    scheme = plan(data.shape[:-1], periods)
    sums = window_sums(data.shape[:-1])
    working = _centred(data)
    if working is None:
        return Lattice((), (), scheme.tested, scheme.not_tested, threshold, significance)
    found: dict[int, Component] = {}
    for _ in range(len(scheme.tested)):
        lines = line_test(eigenspectra(working, scheme), sums, scheme.real)
        fresh = [c for p, c in _components(lines, scheme, significance).items() if p not in found]
        if not fresh:
            break
        # The strongest first: weaker lines inside its band may be its leakage.
        best = max(fresh, key=lambda c: c.amplitude)
        found[int(np.lcm.reduce(best.period))] = best
        if len(fresh) == 1:
            break
        working = working - synthesise(best, data.shape)
    ranked = sorted(found.values(), key=lambda c: -c.amplitude)
    return Lattice(
        present=tuple(c for c in ranked if c.amplitude >= threshold),
        traces=tuple(c for c in ranked if c.amplitude < threshold),
        tested=scheme.tested,
        not_tested=scheme.not_tested,
        threshold=threshold,
        significance=significance,
    )


def synthesise(component: Component, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The component as an array of `shape` (*spatial, C), grey levels around zero."""
    # One tile of the pattern is summed, then repeated.
    tile = [min(n, p) for n, p in zip(shape, component.period, strict=False)]
    out = np.zeros((*tile, shape[-1]), np.float64)
    for line in component.lines:
        wave = np.ones(tile, np.complex128)
        for axis, (n, f) in enumerate(zip(tile, line.frequency, strict=True)):
            turn = np.exp(2j * np.pi * f * np.arange(n))
            wave *= turn.reshape([-1 if a == axis else 1 for a in range(len(tile))])
        scale = 1 if line.real else 2
        out += scale * (wave[..., None] * np.asarray(line.mean)).real
    repeats = [-(-n // t) for n, t in zip(shape, tile, strict=False)]
    whole = np.tile(out.astype(np.float32), (*repeats, 1))
    return whole[tuple(slice(n) for n in shape)]


def _centred(data: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """`data` less the mean of each channel; None when nothing varies."""
    rows = data.reshape(data.shape[0], -1)
    # A product with ones sums rows fast; the short rest is summed in double precision.
    sums = (np.ones(len(rows), np.float32) @ rows).reshape(-1, data.shape[-1]).sum(axis=0, dtype=np.float64)
    mean = (sums / (data.size / data.shape[-1])).astype(np.float32)
    centred = (rows - np.tile(mean, rows.shape[1] // len(mean))).reshape(data.shape)
    return centred if np.ptp(data) > 0 else None


def _checked(array: ArrayLike) -> NDArray[np.float32]:
    data = np.asarray(array, np.float32)
    if not 2 <= data.ndim <= 4:
        raise UncheckError(
            f"expected an array (*spatial, channels) with one to three spatial axes, got shape {data.shape}"
        )
    if max(data.shape[:-1]) < 4:
        size = " x ".join(map(str, data.shape[:-1]))
        raise UncheckError(
            f"an image of {size} pixels is smaller than two periods of 2; give at least 4 pixels"
        )
    # The sum is finite whenever all values are (barring overflow), and much cheaper than a mask.
    if not np.isfinite(data.sum(dtype=np.float64)):
        bad = data.size - int(np.isfinite(data).sum())
        raise UncheckError(f"{bad} of {data.size} values are NaN or infinite; mask or replace them first")
    return data


def _components(lines: Lines, scheme: Plan, significance: float) -> dict[int, Component]:
    """The significant components, with p-values corrected over lines, channels and periods.

    Period P gets the share of the error rate proportional to 1/P^2 (weighted Bonferroni): short periods are
    what upsampling leaves most, and long ones have many more lines. Within a period the smallest p times the
    number of lines and Fisher's sum of logarithms are both tried, at the price of a factor of two: patterns
    with many harmonics show in the sum first.
    """
    weight = {p: 1 / p**2 for p in scheme.tested}
    total = sum(weight.values())
    out: dict[int, Component] = {}
    for period in scheme.tested:
        own = np.flatnonzero(scheme.family == period)
        if not len(own):
            continue
        share = total / weight[period]
        apart = 1 / period >= 2 * scheme.half_width
        p_value = share * _combined(lines.p_joint[own], apart=apart)
        if p_value >= significance:
            continue
        channels = [min(1.0, share * _combined(p, apart=apart)) for p in lines.p_channel[own].T]
        out[period] = _component(lines, scheme, own, p_value, channels, significance / share)
    return out


def _combined(p_values: NDArray[np.float64], *, apart: bool) -> float:
    n = len(p_values)
    smallest = float(p_values.min()) * n
    if not apart:
        return min(1.0, smallest)
    fisher = float(chdtrc(2 * n, -2 * np.log(np.maximum(p_values, 1e-300)).sum()))
    return min(1.0, 2 * min(smallest, fisher))


def _component(
    lines: Lines, scheme: Plan, own: NDArray[np.intp], p_value: float, channels: list[float], limit: float
) -> Component:
    order = own[np.argsort(lines.p_joint[own])]
    keep = [i for i in order if lines.p_joint[i] * len(own) < limit] or [order[0]]
    made = [
        Line(
            frequency=tuple(map(float, scheme.frequencies[i])),
            period=tuple(map(int, scheme.denominators[i])),
            mean=tuple(map(complex, lines.mean[i])),
            real=bool(scheme.real[i]),
            p_value=float(lines.p_joint[i]),
        )
        for i in keep
    ]
    made.sort(key=lambda line: -max(line.amplitudes))
    per_channel = np.sqrt(sum(np.square(line.amplitudes) for line in made))
    return Component(
        period=tuple(
            int(np.lcm.reduce([line.period[a] for line in made])) for a in range(len(made[0].period))
        ),
        amplitude=float(np.max(per_channel)),
        p_value=float(p_value),
        channel_amplitudes=tuple(map(float, per_channel)),
        channel_p_values=tuple(channels),
        lines=tuple(made),
    )
