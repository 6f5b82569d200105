"""The network that is judged, and the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.plain import Brief, Plain, as_dict
from uncheck.probing.forward import levels
from uncheck.reading import Inputs, copied, picture_of, run

#: A period is gone where its lattice is this many times weaker, or weaker than so many grey levels.
GONE_TIMES, GONE_LEVELS = 20.0, 0.1


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """One network and its held-out calls.

    Attributes:
        model: a copy of the user's, in eval mode, without gradients; nobody changes it.
        held: the calls to judge on; no method may look at them.
        which: key or index of the output meant, among several; None for the largest map.
        ndim: spatial axes of the output.
        span: values of the output that stand for 0 and 255.
        periods: the periods that its stages can leave, output pixels, ascending.
    """

    model: nn.Module
    held: tuple[Inputs, ...]
    which: str | None
    ndim: int
    span: tuple[float, float]
    periods: tuple[int, ...]

    def copy(self) -> nn.Module:
        """Return a copy of the network to change: eval mode, no gradients."""
        return copied(self.model, "repair")

    def picture(self, output: Any) -> Tensor:
        """Return the output meant, (N, C, *spatial), still differentiable; UncheckError if there is none."""
        return picture_of(output, self.which, self.ndim)

    def run(self, model: nn.Module, inputs: Inputs) -> Tensor:
        """Return the picture that a network makes of one call's inputs, without gradients, in its units."""
        return self.picture(run(model, inputs))

    def levels(self, picture: Tensor) -> NDArray[np.float32]:
        """Return grey levels (N, *spatial, C), 0..255 over `span`, not clipped; UncheckError if infinite."""
        return levels(picture, self.span)[0]


@dataclass(frozen=True)
class Strength(Plain):
    """The lattice at one period.

    Attributes:
        period: output pixels per axis.
        amplitude: grey levels, 0..255; of what all outputs judged share, or of the one that shows it most.
        p_value: corrected for everything tried.
        significant: whether it is significant; where it is not, the amplitude is an estimate that
            is right in the mean, and often zero.
    """

    period: tuple[int, ...]
    amplitude: float
    p_value: float
    significant: bool


@dataclass(frozen=True)
class Look(Brief):
    """The lattice of one network on the inputs it is judged on.

    Attributes:
        lattice: first order, per period; strongest first.
        second_order: contrast that goes with the phase, in dB, likewise.
        colours: root of summed squares of the lattice on constant inputs, grey levels, by name; empty for
            codes.
    """

    lattice: tuple[Strength, ...]
    second_order: tuple[Strength, ...] = ()
    colours: dict[str, float] = field(default_factory=dict)

    @property
    def strength(self) -> float:
        """Root of the summed squares of all amplitudes in `lattice`, grey levels."""
        return float(np.sqrt(sum(s.amplitude**2 for s in self.lattice)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return as_dict(self, "lattice", "strength", "second_order", "colours")


@dataclass(frozen=True)
class Fidelity(Plain):
    """How near the repaired network stays, dB of peak 255 grey levels; SSIM 0..1; None where there is none.

    `..._before` is the same for the original network.
    """

    psnr_to_original: float
    ssim_to_original: float
    psnr_to_spun: float | None = None
    psnr_to_spun_before: float | None = None
    ssim_to_spun: float | None = None
    psnr_to_truth: float | None = None
    psnr_to_truth_before: float | None = None
    ssim_to_truth: float | None = None


@dataclass(frozen=True)
class Cost(Plain):
    """Median time of one call, milliseconds, and peak memory it takes beyond the weights, megabytes.

    Memory is None where the system does not tell.
    """

    before_ms: float
    after_ms: float
    before_mb: float | None
    after_mb: float | None


@dataclass(frozen=True)
class Judgement(Brief):
    """One candidate, verified.

    Attributes:
        before: the lattice of the original.
        after: the lattice of the candidate.
        fidelity: to the original, the spun network, the truth.
        sharpness_change: relative change of the spectral energy off the lattice lines, mean excluded.
        sharpness_to_spun: the same against the spun network, None where there is none.
        bands: the same per octave of radial frequency, as (lowest, highest, change), cycles per pixel.
        pictures: a few outputs (H, W, C) in grey levels by name ("input", "original", "repaired", "spun").
    """

    before: Look
    after: Look
    fidelity: Fidelity
    sharpness_change: float
    sharpness_to_spun: float | None = None
    bands: tuple[tuple[float, float, float], ...] = ()
    pictures: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    def worst(self) -> float:
        """Return the least factor by which a significant period fell; below 1 where one grew."""
        both = (*self.before.lattice, *self.after.lattice)
        return min((self.reduction(s) for s in both if s.significant), default=1.0)

    def reduction(self, period: Strength) -> float:
        """Return how many times weaker a period became."""
        was, left = (
            next((s.amplitude for s in look.lattice if s.period == period.period), 0.0)
            for look in (self.before, self.after)
        )
        return was / max(left, 1e-9)
