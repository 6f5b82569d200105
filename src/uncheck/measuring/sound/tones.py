"""Tonal lines that upsampling leaves in audio, at multiples of the sampling rate over the period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import Component, Lattice, Limit, Line, synthesise
from uncheck.measuring.limits import line_limits
from uncheck.measuring.sound.slow import SlowLines, hop_size, line_frequencies, slow_test
from uncheck.plain import Brief
from uncheck.signals.levels import LEVELS
from uncheck.words import plural

#: The longest period tested in audio, samples: codecs step by 320 to 1920.
LONGEST_SOUND = 4096

#: Decibels relative to the rest of the signal below which a line is only a trace: for speech at 60 to 65 dB
#: of sound pressure about the threshold of hearing (ISO 389-7), and where lines under it begin to be found.
AUDIBLE = -60.0

#: Samples that each period needs: 48 windows of two periods, half overlapping.
CYCLES = 96

#: What is left of a signal of lines only: rounding to 24 bits, grey levels.
SILENCE = LEVELS / 2**25

#: How far below a stronger line a weaker one may be its leakage (decibels), unless both are apart.
LEAKAGE = 60.0


@dataclass(frozen=True)
class Tone(Brief):
    """One component of audio: `frequencies` of its lines, strongest first, in hertz (in cycles per sample if
    no rate is known), and `level`, its rms relative to that of the signal without lines, dB.
    """

    period: tuple[int, ...]
    frequencies: tuple[float, ...]
    level: float


def find_tones(
    values: NDArray[np.float32],
    rate: float | None,
    *,
    periods: Sequence[int],
    significance: float,
    audible: float = AUDIBLE,
) -> tuple[Lattice, tuple[Tone, ...]]:
    """Find lines at a/P of the sampling rate for every period P, and how loud they are.

    Equation: level = 20 log10(rms(component) / rms(signal less all components)).

    Args:
        values: (n, C), grey levels around 0.
        rate: samples per second.
        periods: samples, 2 to 4096; those with fewer than 96 cycles are listed as not tested.
        significance: corrected p-value below which a component counts as there.
        audible: dB; a significant component at least so loud is present, others are traces.

    Returns:
        The lattice with its limits, those of a tile alike in all channels at a constant level, and one `Tone`
        for each component, those present first.

    Raises:
        UncheckError: fewer than 192 samples.

    Cost: 14 n complex additions per channel and period, again for lines near a stronger one. Memory: three
    float32 copies of the audio.
    """
    return listen(values, rate, periods=periods, significance=significance, audible=audible)[:2]


def listen(
    values: NDArray[np.float32],
    rate: float | None,
    *,
    periods: Sequence[int],
    significance: float,
    audible: float = AUDIBLE,
) -> tuple[Lattice, tuple[Tone, ...], dict[tuple[int, ...], float]]:
    """Return what `find_tones` does, and the level of each limit by period, dB."""
    tested = tuple(p for p in periods if p * CYCLES <= len(values))
    if len(values) < 2 * CYCLES:
        raise UncheckError(
            f"audio of {plural(len(values), 'sample')} is too short; give at least {2 * CYCLES}"
        )
    rest = values - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    found: list[Component] = []
    wanted, limits = tested, dict[int, float]()
    hop = hop_size(len(values), max(tested, default=2))
    while wanted:
        lines = slow_test(rest, wanted, hop)
        fresh = _components(lines, wanted, tested, significance)
        taken = _apart(fresh, hop)
        for component in taken:
            rest -= synthesise(component, rest.shape)
        found += taken
        limits = _limits(lines, wanted, tested, significance) if len(taken) == len(fresh) else limits
        wanted = tuple(p for p in wanted if p not in {c.period[0] for c in taken})
        if len(taken) == len(fresh):
            break
    noise = np.maximum(_rms(rest), SILENCE)
    tones = {c.period: Tone(c.period, _frequencies(c, rate), _level(c, noise)) for c in found}
    found.sort(key=lambda c: -tones[c.period].level)
    lattice = Lattice(
        present=tuple(c for c in found if tones[c.period].level >= audible),
        traces=tuple(c for c in found if tones[c.period].level < audible),
        tested=tested,
        not_tested=tuple(p for p in periods if p not in set(tested)),
        threshold=0.0,
        significance=significance,
        limits=tuple(Limit((p,), limits[p]) for p in wanted if p in limits),
    )
    # A sinusoid of amplitude A has the power A^2 / 2; period 2 has A^2.
    levels = {
        one.period: float(20 * np.log10(one.amplitude / noise.min()) - (3.0103 if max(one.period) > 2 else 0))
        for one in lattice.limits
    }
    return lattice, tuple(tones[c.period] for c in found), levels


def _limits(
    lines: SlowLines, periods: Sequence[int], tested: Sequence[int], significance: float
) -> dict[int, float]:
    """Return the limit of each period, grey levels, as `_components` tests it."""
    total, owners = sum(1 / p**2 for p in tested), line_frequencies(periods)[1]
    parts = np.split(lines.clarity, np.flatnonzero(np.diff(owners)) + 1)
    if not lines.tapers or min(float(part.max(axis=1).min()) for part in parts) <= 0:
        return {}
    channels = lines.clarity.shape[1]
    p_values = [
        significance / (total * p**2 * len(part) * channels * 2)
        for p, part in zip(periods, parts, strict=True)
    ]
    clearest = [part.max(axis=1) for part in parts]
    return dict(zip(periods, line_limits(periods, clearest, lines.tapers - 1, p_values), strict=True))


def _components(
    lines: SlowLines, periods: Sequence[int], tested: Sequence[int], significance: float
) -> list[Component]:
    """Find significant components, p-values corrected as in `find_lattice`."""
    total = sum(1 / p**2 for p in tested)
    numerators, owners = line_frequencies(periods)
    counts = np.unique_counts(owners)
    joint = np.minimum(1.0, lines.p_value * lines.p_value.shape[1]).min(axis=1)
    shares = total * owners.astype(float) ** 2 * counts.counts[np.searchsorted(counts.values, owners)]
    significant = np.flatnonzero(joint * shares < significance)
    out = []
    for period in dict.fromkeys(owners[significant].tolist()):
        keep = significant[owners[significant] == period]
        out.append(_component(period, numerators, keep, lines, float(shares[keep[0]])))
    return out


def _component(
    period: int, numerators: NDArray[np.intp], keep: NDArray[np.intp], lines: SlowLines, share: float
) -> Component:
    channels = lines.p_value.shape[1]
    made = [
        Line(
            frequency=(float(numerators[i] / period),),
            period=(period,),
            mean=tuple(map(complex, lines.mean[i])),
            real=period == 2,
            p_value=float(min(1.0, lines.p_value[i].min() * channels)),
        )
        for i in keep
    ]
    p_channel = np.minimum(1.0, lines.p_value[keep].min(axis=0) * share)
    return Component.of(made, min(1.0, p_channel.min() * channels), p_channel)


def _apart(fresh: list[Component], hop: int) -> list[Component]:
    """Return the components that cannot be leakage of a stronger one."""
    taken: list[Component] = []
    for component in sorted(fresh, key=lambda c: -c.amplitude):
        near = any(
            abs(a.frequency[0] - b.frequency[0]) < 2 / hop
            for other in taken
            for a in other.lines
            for b in component.lines
        )
        weak = taken and component.amplitude < taken[0].amplitude * 10 ** (-LEAKAGE / 20)
        if not near and not weak:
            taken.append(component)
    return taken


def _rms(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the root mean square of each channel, without a copy in double precision."""
    return np.asarray(np.sqrt(np.einsum("nc,nc->c", values, values, dtype=np.float64) / len(values)))


def _level(component: Component, noise: NDArray[np.float64]) -> float:
    """Return the level in the channel where the component is strongest over the noise, dB."""
    power = sum(np.square(line.amplitudes) / (1 if line.real else 2) for line in component.lines)
    return float(10 * np.log10(np.max(power / noise**2)))


def _frequencies(component: Component, rate: float | None) -> tuple[float, ...]:
    return tuple(line.frequency[0] * (rate or 1) for line in component.lines)
