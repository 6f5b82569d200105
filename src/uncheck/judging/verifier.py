"""The verification of a repaired network: held-out inputs, and metrics that no method optimises."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

import numpy as np
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.judging.colours import colour_strengths
from uncheck.judging.judgement import Fidelity, Judgement, Look, Strength, Subject
from uncheck.judging.sharpness import band_changes, change, energies
from uncheck.judging.similarity import psnr, psnr_of, squared_error, ssim
from uncheck.judging.thumbnails import thumbnails
from uncheck.measuring.batches import interior
from uncheck.measuring.components import Component
from uncheck.measuring.observed import TOGETHER, WEIGHTED, Frequency, Observed, Pictures, observe
from uncheck.measuring.second_order import DECIBELS, contrast
from uncheck.measuring.sets import VISIBLE_IN_SETS
from uncheck.reading import Inputs

#: A period that was not there counts from so many grey levels on (times the unit of the second order).
NEW = VISIBLE_IN_SETS


class Verifier:
    """The lattice of the original on `subject.held`, and the judge of candidates.

    The lattice is that of all held outputs together where it is significant there, else that of the single
    output that shows it most. Only the periods of the subject are tested, a sixteenth of each side kept out.

    `truth` holds calls and their true outputs, `spun` the outputs of the spun network on `held`, in the units
    of the output. `before` is the lattice of the original, whose outputs are made once.

    Raises:
        UncheckError: an output that is not finite, or no map.
    """

    def __init__(
        self,
        subject: Subject,
        *,
        truth: Sequence[tuple[Inputs, Tensor]] | None = None,
        spun: Sequence[Tensor] | None = None,
    ) -> None:
        self.subject = subject
        self._step = lcm(*subject.periods) if subject.periods else 1
        self._original = outputs(subject, subject.model)
        self._spun = None if spun is None else _together([subject.levels(one) for one in spun])
        self._truth = [(inputs, subject.levels(wanted)) for inputs, wanted in truth or ()]
        self._truth_before = self._to_truth(subject.model)
        self._first, self._second = self._observe(self._original)
        self.before = Look(
            at_first(self._first),
            at_first(self._second, DECIBELS),
            colour_strengths(subject, subject.model),
        )
        self._energy = energies(self._original, subject.periods)
        self._spun_energy = self._energy if self._spun is None else energies(self._spun, subject.periods)

    def look(self, model: nn.Module) -> Look:
        """Return a network's lattice on the held inputs; every period that the original shows is listed.

        A period that the original does not show counts only if it is significant in the difference of the
        two outputs too, where contents cancel: a picture whose content once looks like a lattice, and once
        just not, has grown none.
        """
        return self._look(model, self._outputs(model))

    def judge(self, model: nn.Module) -> Judgement:
        """Judge a candidate against the original, the spun network and the truth.

        Cost: one call per held input and truth, six with constants; about that of the measurements again.
        """
        made = self._outputs(model)
        energy = energies(made, self.subject.periods)
        return Judgement(
            before=self.before,
            after=self._look(model, made),
            fidelity=self._fidelity(model, made),
            sharpness_change=change(self._energy, energy),
            sharpness_to_spun=None if self._spun is None else change(self._spun_energy, energy),
            bands=band_changes(self._energy, energy, self.subject.ndim),
            pictures=thumbnails(self.subject, self._original, made, self._spun, self._first),
        )

    def _outputs(self, model: nn.Module) -> Pictures:
        made = outputs(self.subject, model)
        if made.shape != self._original.shape:
            raise UncheckError(
                f"the repaired network's outputs have shape {made.shape[1:]}, those of the original "
                f"{self._original.shape[1:]}; a repair must keep it"
            )
        return made

    def _observe(self, made: Pictures) -> tuple[Observed, Observed]:
        inner = interior(made, self._step)
        return observe(inner, self.subject.periods), observe(contrasts(inner), self.subject.periods)

    def _look(self, model: nn.Module, made: Pictures) -> Look:
        old = self._original
        first, second = self._observe(made)
        gap = observe(interior(made - old, self._step), self.subject.periods)
        inner = [contrasts(interior(each, self._step)) for each in (made, old)]
        gap_second = observe(inner[0] - inner[1], self.subject.periods)
        return Look(
            compared(self._first, first, gap),
            compared(self._second, second, gap_second, DECIBELS),
            colour_strengths(self.subject, model),
        )

    def _fidelity(self, model: nn.Module, made: Pictures) -> Fidelity:
        original, spun = self._original, self._spun
        truth, before = self._to_truth(model), self._truth_before
        return Fidelity(
            psnr_to_original=psnr(made, original),
            ssim_to_original=ssim(made, original),
            psnr_to_spun=None if spun is None else psnr(made, spun),
            psnr_to_spun_before=None if spun is None else psnr(original, spun),
            ssim_to_spun=None if spun is None else ssim(made, spun),
            psnr_to_truth=truth[0] if truth else None,
            psnr_to_truth_before=before[0] if before else None,
            ssim_to_truth=truth[1] if truth else None,
        )

    def _to_truth(self, model: nn.Module) -> tuple[float, float] | None:
        """Return the PSNR over all true pictures, and their mean SSIM."""
        if not self._truth:
            return None
        errors, alike = [], []
        for inputs, wanted in self._truth:
            made = self.subject.levels(self.subject.run(model, inputs))
            if made.shape != wanted.shape:
                raise UncheckError(
                    f"the output has shape {made.shape} where the truth has {wanted.shape}; "
                    "give truth of the size of the output"
                )
            errors.append(squared_error(made, wanted))
            alike.append(ssim(made, wanted))
        return psnr_of(*errors), float(np.mean(alike))


def outputs(subject: Subject, model: nn.Module) -> Pictures:
    """Return grey levels (N, *spatial, C) of all outputs on the held inputs, cut at the end to the smallest.

    Raises:
        UncheckError: NaN or infinite values, outputs of other channels, or none.
    """
    return _together([subject.levels(subject.run(model, inputs)) for inputs in subject.held])


def contrasts(pictures: Pictures) -> Pictures:
    """Return the local contrast of each picture, (N, *spatial, 1), in nepers; see `measuring.second_order`.

    Its lattice is the second order. A lattice of the first order shows here too.
    """
    return np.stack([contrast(picture)[..., None] for picture in pictures])


def _together(batches: Sequence[Pictures]) -> Pictures:
    if not batches:
        raise UncheckError("there are no inputs to judge on; give more inputs")
    if len({b.shape[-1] for b in batches}) > 1:
        raise UncheckError("outputs have different numbers of channels; name one output with --which")
    smallest = [min(sizes) for sizes in zip(*(b.shape[1:-1] for b in batches), strict=True)]
    cut = (slice(None), *(slice(n) for n in smallest))
    return np.concatenate([b[cut] for b in batches])


def at_first(seen: Observed, unit: float = 1.0) -> tuple[Strength, ...]:
    """Return the significant periods, strongest first: in all outputs together, else in the strongest one.

    Amplitudes are multiplied by `unit`.
    """
    found = [_best(seen, period)[0] for period in seen.periods]
    out = [Strength(one.period, one.amplitude * unit, one.p_value, True) for one in found]
    return tuple(sorted(out, key=lambda s: -s.amplitude))


def compared(before: Observed, after: Observed, gap: Observed, unit: float = 1.0) -> tuple[Strength, ...]:
    """Return every period that was significant and every new one with its present strength, strongest first.

    A period that was significant is measured again in the same view. Its amplitude is the multitaper
    estimate at the lines significant before or now, less what the contents add to it by chance
    (`BatchView.amplitude`).

    A new period is listed if it is significant in the difference `gap` of the outputs in the same view, if
    it is stronger than the original at its lines, and if the difference has at least NEW there. Its amplitude
    is that of the difference, in which contents cancel. Amplitudes are multiplied by `unit`.
    """
    out = []
    for period in before.periods:
        was, view = _best(before, period)
        now = after.where(period)
        lines = _lines(was) | (_lines(now[view]) if view in now else set())
        amplitude = after.views[view].amplitude(lines)
        if now:
            p_value = min(c.p_value for c in now.values())
            amplitude = max([amplitude, *(c.amplitude for i, c in now.items() if view not in now)])
            out.append(Strength(was.period, amplitude * unit, p_value, True))
        else:
            out.append(Strength(was.period, amplitude * unit, 1.0, False))
    for period in after.periods - before.periods:
        for view, component in after.where(period).items():
            lines = _lines(component)
            if view not in gap.where(period):
                continue
            added = gap.views[view].amplitude(lines)
            if component.amplitude > before.views[view].amplitude(lines) and added >= NEW:
                amplitude = min(added, component.amplitude) * unit
                out.append(Strength(component.period, amplitude, component.p_value, True))
                break
    return tuple(sorted(out, key=lambda s: -s.amplitude))


def _best(seen: Observed, period: int) -> tuple[Component, int]:
    """Return the component of a period and its view: all together before single ones."""
    where = seen.where(period)
    first = next((view for view in (TOGETHER, WEIGHTED) if view in where), None)
    view = max(where, key=lambda i: where[i].amplitude) if first is None else first
    return where[view], view


def _lines(component: Component) -> set[Frequency]:
    return {line.frequency for line in component.lines}
