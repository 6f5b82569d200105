"""`uncheck.repair`: a released network without its lattice, judged on inputs that nothing was fitted on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from uncheck.editing.edits import Candidate
from uncheck.editing.store import keys_kept, unwrapped
from uncheck.errors import UncheckError
from uncheck.judging.acceptance import Limits, is_good, objection, rank
from uncheck.judging.cost import measure_cost
from uncheck.judging.judgement import Judgement
from uncheck.judging.verifier import Verifier
from uncheck.reading import as_found, copy_modes
from uncheck.repairing.case import Case, Refusal
from uncheck.repairing.clock import Clock, Progress, TimeUp
from uncheck.repairing.inputs import affordable, with_reduced
from uncheck.repairing.methods.distill.distill import distill
from uncheck.repairing.methods.match import match
from uncheck.repairing.methods.project import project
from uncheck.repairing.methods.spin import spin, spin_period, spun_target
from uncheck.repairing.prepare import prepare
from uncheck.repairing.result import Repair, Tried
from uncheck.repairing.truth import self_truth

METHODS = ("project", "match", "distill", "spin")
"""Cheapest first, for whoever runs the repaired network: spinning costs at every call."""

#: Share of the time that the spun network may take as a reference.
FOR_REFERENCE = 0.25

#: Share of the time that a cheap method may take before a dearer one is tried, where retraining towards the
#: spun network can follow; and where it cannot.
SHARES = {"project": (0.06, 0.25), "match": (0.08, 0.25)}

#: Share of the time that spinning gets in any case.
FOR_SPINNING = 0.3

#: Seconds kept back for judging and timing what a training gives.
RESERVE = 45.0


def repair(
    model: nn.Module,
    inputs: Any,
    *,
    method: str = "auto",
    minutes: float = 10.0,
    fidelity: float | None = None,
    which: str | None = None,
    span: tuple[float, float] | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> Repair:
    """Repair a network without its training data, or say why not.

    The inputs are split: two thirds to fit on, one third (half, for codes) to judge on. Methods are tried
    cheapest first (project, match, distill, spin) until one leaves no lattice to be told; each candidate is
    verified, and the best that keeps the fidelity asked for is returned. Ctrl-C keeps the best so far.

    Args:
        model: any module; left untouched.
        inputs: real inputs: a tensor (N, ...), a list of tensors or tuples (one call each), or a tuple of
            positional inputs sharing the batch axis; at least 2 samples, better a dozen.
        method: "auto", or one of "project", "match", "distill", "spin".
        minutes: time to spend at most, roughly.
        fidelity: least PSNR to the original's output, dB; None accepts what removing the lattice takes, but
            no loss of more than 0.05 dB to a known truth and of 15 % of sharpness.
        which: key or index of the output meant, among several.
        span: values of the output that stand for 0 and 255; inferred if None.
        seed: of everything drawn at random.
        checkpoint: file from which an interrupted distillation goes on; None for none.
        progress: called with what is being tried and the lattice so far, seconds spent and seconds given.

    Returns:
        A `Repair`; its `model` is None if every method was refused.

    Raises:
        UncheckError: wrong inputs or options, or a network that cannot be run or compared.

    Cost: up to `minutes`; `distill` and `spin` need the most.
    """
    if method not in ("auto", *METHODS):
        raise UncheckError(f"there is no method {method!r}: use auto, {', '.join(METHODS)}")
    if not (math.isfinite(minutes) and minutes > 0):
        raise UncheckError(f"minutes {minutes:g} is no time: give more than 0")
    clock = Clock(60 * minutes, progress)
    case = affordable(prepare(model, inputs, which=which, span=span, progress=progress))
    search = _Search(type(model).__name__, case, clock, Limits(fidelity), seed, _path(checkpoint))
    with as_found(case.model):  # for the random states of the process
        try:
            search.run(METHODS if method == "auto" else (method,))
        except KeyboardInterrupt:
            search.notes.append("interrupted: this is the best so far")
        return search.outcome(model)


@dataclass
class _Search:
    """One search for a repair: what was tried, what was refused, and the best so far."""

    network: str
    case: Case
    clock: Clock
    limits: Limits
    seed: int
    checkpoint: Path | None
    refused: list[tuple[str, str]] = field(default_factory=list)
    tried: list[tuple[Candidate, Judgement, str | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verifier: Verifier | None = None

    def run(self, methods: Sequence[str]) -> None:
        """Try the methods in turn until one is good enough."""
        unread = self.case.recording.ledger.unsupported
        if unread:
            self.refused.append(("all", f"not understood on the signal path: {', '.join(unread)}"))
            return
        self.clock("judging the original")
        truth = self_truth(self.case)
        if truth is not None:
            self.case = with_reduced(self.case)
        self.verifier = Verifier(self.case, truth=truth, spun=self._reference())
        if not self._anything_to_repair():
            return
        for method in methods:
            kept = self.best()
            if kept is not None and is_good(kept[1]):
                break
            if method == "spin" and len(methods) > 1 and kept is not None:
                break  # what costs several times as much is the last resort
            self._try(method, several=len(methods) > 1)

    def _anything_to_repair(self) -> bool:
        assert self.verifier is not None
        shown = [s for s in self.verifier.before.lattice if s.significant]
        if not self.case.recording.stages:
            self.refused.append(("all", "nothing to repair: the network has no upsampling stage"))
        elif not self.case.faulty and not shown:
            self.refused.append(("all", "nothing to repair: the outputs show no lattice"))
        elif not self.case.faulty:
            self.refused.append(
                ("all", "nothing to repair: the inputs to fit on show no lattice; give more inputs")
            )
        elif not shown:
            self.refused.append(
                ("all", "nothing to repair: the lattice of some inputs is not confirmed by the others")
            )
        else:
            return True
        return False

    def _reference(self) -> list[Tensor] | None:
        """What the spun network makes of the inputs to judge on; None if it has none, or takes too long."""
        if not self.case.faulty:
            return None
        try:
            period = spin_period(self.case)
            began = time.monotonic()
            self.case.run(self.case.model, self.case.held[0])
            each = time.monotonic() - began
            if each * math.prod(period) * len(self.case.held) > FOR_REFERENCE * self.clock.given:
                self.notes.append("spinning the inputs to judge on would take too long: not compared to it")
                return None
            return [
                spun_target(self.case, self.case.model, call, period, self.clock) for call in self.case.held
            ]
        except Refusal as error:
            self.notes.append(f"no spun network to compare with: {error}")
            return None

    def _try(self, method: str, *, several: bool) -> None:
        makers: dict[str, Callable[[], Iterator[Candidate]]] = {
            "project": partial(project, self.case, self.clock),
            "match": partial(match, self.case, self.clock),
            "spin": partial(spin, self.case, self.clock),
            "distill": lambda: distill(
                self.case,
                self.clock,
                seconds=self.clock.left - min(RESERVE, 0.2 * self.clock.given),
                seed=self.seed,
                checkpoint=self.checkpoint,
            ),
        }
        self.clock(f"trying {method}")
        before, reason = len(self.tried), "it found nothing to change"
        end = self._end_of(method, several=several)
        candidates = makers[method]()
        try:
            while (candidate := self._next(candidates, end)) is not None:
                self._judge(candidate)
                if self.clock.spent > end:
                    raise TimeUp
        except TimeUp:
            self.notes.append(f"{method} was ended when its share of the time was spent")
            reason = "no time was left for it; give more --minutes"
        except Refusal as error:
            reason = str(error)
        except KeyboardInterrupt:
            if len(self.tried) == before:
                self.refused.append((method, "interrupted before it had made anything"))
            raise
        except Exception as error:  # what the others made must not be lost
            reason = f"it failed ({(str(error).strip().splitlines() or ['no message'])[0]})"
        mine = self.tried[before:]
        if any(one[2] is None for one in mine):
            return
        if mine:
            # The nearest miss: of those that removed the lattice the most faithful, else what leaves least.
            removed = [one for one in mine if "the lattice fell only" not in str(one[2])]
            last = (
                max(removed, key=lambda one: rank(one[1]))
                if removed
                else min(mine, key=lambda one: one[1].after.strength)
            )
            reason = f"{last[0].label}: {last[2]}"
        self.refused.append((method, reason))

    def _end_of(self, method: str, *, several: bool) -> float:
        """When a method has to end, seconds; distillation keeps its time itself."""
        if method == "distill":
            return math.inf
        if method == "spin":  # nothing is fitted, and nothing comes after it
            return self.clock.spent + FOR_SPINNING * self.clock.given
        shares = SHARES.get(method, (1.0, 1.0)) if several else (1.0, 1.0)
        share = shares[0] if self.case.spinnable else shares[1]
        return max(self.clock.spent, min(self.clock.given, self.clock.spent + share * self.clock.given))

    def _next(self, candidates: Iterator[Candidate], end: float) -> Candidate | None:
        """What the method makes next; judging it does not count."""
        self.clock.until = end
        try:
            return next(candidates, None)
        finally:
            self.clock.until = math.inf

    def _judge(self, candidate: Candidate) -> None:
        assert self.verifier is not None
        self.clock(f"judging {candidate.method} ({candidate.label})")
        judged = self.verifier.judge(candidate.done_to(self.case.copy()))
        self.tried.append((candidate, judged, objection(judged, self.limits)))
        kept = self.best()
        shown = (kept[1].after if kept else self.verifier.before).strength
        self.clock(f"{candidate.method} ({candidate.label}) judged, best lattice {shown:.2g} levels")

    def best(self) -> tuple[Candidate, Judgement] | None:
        """The best candidate that may be kept; of two alike, the one tried first."""
        kept = [(candidate, judged) for candidate, judged, reason in self.tried if reason is None]
        return max(kept, key=lambda one: rank(one[1]), default=None)

    def _keys_kept(self, candidate: Candidate, repaired: nn.Module) -> bool:
        """Whether its checkpoint, loaded strictly into the original class, is the repaired network."""
        return not candidate.edits and keys_kept(self.case.model, repaired)

    def outcome(self, model: nn.Module) -> Repair:
        """The result; the repaired network is made anew from the user's own."""
        best = self.best()
        repaired = cost = None
        if best is not None:
            repaired = best[0].done_to(self.case.copy())
            try:
                self.clock("timing both networks")
                cost = measure_cost(self.case.model, repaired, self.case.held[0])
            except KeyboardInterrupt:
                self.notes.append("interrupted while timing: what it costs is not known")
            copy_modes(model, unwrapped(repaired))
            repaired.training = model.training
            if self.checkpoint is not None and not any("interrupted" in note for note in self.notes):
                self.checkpoint.unlink(missing_ok=True)
        return Repair(
            network=self.network,
            method=best[0].method if best else None,
            label=best[0].label if best else "",
            kind=best[0].kind if best else None,
            before=self.verifier.before if self.verifier else None,
            judgement=best[1] if best else None,
            cost=cost,
            refused=tuple(self.refused),
            tried=tuple(_tried(one, best) for one in self.tried),
            notes=tuple(self.notes),
            seconds=round(self.clock.spent, 1),
            keys_kept=not best[0].edits and keys_kept(self.case.model, repaired)
            if best and repaired
            else None,
            model=repaired,
            candidate=best[0] if best else None,
        )


def _tried(one: tuple[Candidate, Judgement, str | None], best: tuple[Candidate, Judgement] | None) -> Tried:
    candidate, judged, reason = one
    kept = best is not None and best[0] is candidate
    return Tried(
        candidate.method,
        candidate.label,
        judged.after.strength,
        judged.worst(),
        judged.fidelity.psnr_to_original,
        "kept" if kept else reason or "met all, another was better",
    )


def _path(checkpoint: str | Path | None) -> Path | None:
    return None if checkpoint is None else Path(checkpoint)
