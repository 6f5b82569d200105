"""Lines, the components they form, and the lattice found in one array."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.plain import Brief, Plain, as_dict

SIGNIFICANCE = 1e-3
VISIBLE = 0.3


@dataclass(frozen=True)
class Limit(Plain):
    """The amplitude of a lattice that would have been found with 95 % probability.

    Attributes:
        period: pixels per axis.
        amplitude: grey levels, that of `Component` over all lines of the pattern: a grey random tile of this
            period that repeats all over the picture.
    """

    period: tuple[int, ...]
    amplitude: float


@dataclass(frozen=True)
class Line(Brief):
    """One sinusoid of a lattice: `frequency` in cycles per pixel and axis, `mean` its complex amplitude
    per channel (grey levels; the sinusoid is Re(mean exp(2 pi i f.n)), doubled unless the line is real).
    """

    frequency: tuple[float, ...]
    period: tuple[int, ...]
    mean: tuple[complex, ...]
    real: bool
    p_value: float

    @cached_property
    def amplitudes(self) -> tuple[float, ...]:
        """Peak amplitude per channel, grey levels."""
        return tuple(abs(m) * (1 if self.real else 2) for m in self.mean)

    @cached_property
    def amplitude(self) -> float:
        """Peak amplitude in the channel where it is largest, grey levels."""
        return max(self.amplitudes)


@dataclass(frozen=True)
class Component(Brief):
    """The part of a lattice that has one period.

    Attributes:
        period: pixels per axis, e.g. (4, 4); 1 where the pattern does not vary along that axis.
        amplitude: grey levels (of 255), the root of the summed squares of the peak amplitudes of its
            sinusoids, in the channel where that is largest.
        p_value: corrected for all frequencies, channels and periods tried.
        channel_amplitudes, channel_p_values: the same for each channel alone.
        lines: its sinusoids, strongest first.
        signed: whether the amplitude follows brightness less its mean, so that its average is none; then
            `amplitude` is the root mean square over the picture.
        harmonics: shorter periods merged into it by `attribute_harmonics`, with their amplitudes.
    """

    period: tuple[int, ...]
    amplitude: float
    p_value: float
    channel_amplitudes: tuple[float, ...] = ()
    channel_p_values: tuple[float, ...] = ()
    lines: tuple[Line, ...] = field(default=(), repr=False)
    harmonics: tuple[tuple[tuple[int, ...], float], ...] = ()
    signed: bool = False

    @classmethod
    def of(cls, lines: Iterable[Line], p_value: float, channel_p_values: Iterable[float] = ()) -> Component:
        """Assemble the component that has these lines."""
        ordered = sorted(lines, key=lambda line: -line.amplitude)
        channels = np.sqrt(sum(np.square(line.amplitudes) for line in ordered))
        return cls(
            period=tuple(lcm(*along) for along in zip(*(line.period for line in ordered), strict=True)),
            amplitude=float(channels.max()),
            p_value=float(p_value),
            channel_amplitudes=tuple(map(float, channels)),
            channel_p_values=tuple(map(float, channel_p_values)),
            lines=tuple(ordered),
        )

    @property
    def cycle(self) -> int:
        """Least common multiple of the periods of all axes, pixels."""
        return lcm(*self.period)

    def with_harmonic(self, harmonic: Component) -> Component:
        """Merge a harmonic of this component into it; lines that both have stay as they are here."""
        known = {line.frequency for line in self.lines}
        fresh = [line for line in harmonic.lines if line.frequency not in known]
        if not fresh:
            return self
        p_values = map(min, self.channel_p_values, harmonic.channel_p_values)
        both = Component.of([*self.lines, *fresh], min(self.p_value, harmonic.p_value), p_values)
        harmonics = (*self.harmonics, (harmonic.period, harmonic.amplitude), *harmonic.harmonics)
        return replace(both, period=self.period, harmonics=harmonics, signed=self.signed)

    def divides(self, other: Component) -> bool:
        """Test whether every period of `other` is a multiple of the one along the same axis."""
        return all(p % d == 0 for p, d in zip(other.period, self.period, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return `period`, `amplitude`, `p_value` and the same per channel, ready for JSON."""
        names = ("period", "amplitude", "p_value", "channel_amplitudes", "channel_p_values", "signed")
        harmonics = [{"period": list(p), "amplitude": a} for p, a in self.harmonics]
        return {**as_dict(self, *names), "harmonics": harmonics}


@dataclass(frozen=True)
class Lattice(Brief):
    """All that was found in one array.

    Attributes:
        present: components that are both significant and at least `threshold` strong, strongest first.
        traces: significant but weaker than the threshold: what cameras, scanners and codecs leave.
        tested, not_tested: periods that were tried, and those too long for the array.
        threshold: grey levels; significance: corrected p-value below which a line counts as there.
        limits: for each period tested, or each not found (`limited`), the amplitude that would have been
            found.
    """

    present: tuple[Component, ...]
    traces: tuple[Component, ...]
    tested: tuple[int, ...]
    not_tested: tuple[int, ...]
    threshold: float = VISIBLE
    significance: float = SIGNIFICANCE
    limits: tuple[Limit, ...] = ()

    @property
    def everything(self) -> tuple[Component, ...]:
        """Components present and traces."""
        return (*self.present, *self.traces)

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels; 0 when nothing is."""
        return float(np.sqrt(sum(c.amplitude**2 for c in self.present)))

    def holding(self, found: Iterable[Component]) -> Lattice:
        """Return the same test with these components, strongest first, present from the threshold on."""
        ranked = sorted(found, key=lambda c: -c.amplitude)
        return replace(
            self,
            present=tuple(c for c in ranked if c.amplitude >= self.threshold),
            traces=tuple(c for c in ranked if c.amplitude < self.threshold),
        )

    def limited(self) -> Lattice:
        """Return the same with the limits of the periods that were not found alone."""
        known = {c.cycle for c in self.everything}
        known |= {lcm(*period) for c in self.everything for period, _ in c.harmonics}
        return replace(self, limits=tuple(one for one in self.limits if lcm(*one.period) not in known))

    def keeping(self, passes: Callable[[Component], bool]) -> Lattice:
        """Move components present that fail a check to the head of the traces."""
        kept = [passes(component) for component in self.present]
        if all(kept):
            return self
        return replace(
            self,
            present=tuple(c for c, stays in zip(self.present, kept, strict=True) if stays),
            traces=(*(c for c, stays in zip(self.present, kept, strict=True) if not stays), *self.traces),
        )


def without(array: NDArray[np.float32], components: Iterable[Component]) -> NDArray[np.float32]:
    """Return an array (*spatial, C) less some components."""
    out = None
    for component in components:
        if out is None:
            out = np.array(array)
        # Rows of one phase at once: the pattern is never drawn as a whole.
        band = synthesise(component, (min(len(out), component.period[0]), *out.shape[1:]))
        for phase, row in enumerate(band):
            out[phase :: len(band)] -= row
    return array if out is None else out


def synthesise(component: Component, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Draw a component as an array of `shape` (*spatial, C), grey levels around zero."""
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
