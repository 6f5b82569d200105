"""The search for a repair: each method's candidates in turn, judged, and the best of them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from uncheck.advising import visibility
from uncheck.editing.edits import Candidate
from uncheck.editing.store import keys_kept, without_spin
from uncheck.errors import Kind, Refusal, Refused, first_line
from uncheck.judging.acceptance import is_clear, is_good, objection, worth
from uncheck.judging.cost import measure_cost
from uncheck.judging.verifier import Verifier
from uncheck.reading import copy_modes
from uncheck.repairing.case import Case
from uncheck.repairing.clock import Clock, TimeUp
from uncheck.repairing.inputs import with_reduced
from uncheck.repairing.methods import Method
from uncheck.repairing.methods.spin import spin_period, spun_target
from uncheck.repairing.result import Repair
from uncheck.repairing.trials import Trial, best_of, entry_of, nearest_miss
from uncheck.repairing.truth import self_truth

#: Share of the time that the spun network may take as a reference.
FOR_REFERENCE = 0.25

#: Most of the time kept back for the last resort, as a share, and how many times what it should take.
FOR_LAST, SPARE = 0.3, 1.3

#: No candidate is judged that would end later than this share of the time given; estimates miss by a few
#: per cent.
LATEST = 1.03

#: Seconds that timing both networks takes at most, as a share of the time given.
FOR_TIMING = 0.04

#: Errors that cost a method its candidates and not the user the repair. Tests shorten the list to see bugs.
FAILURES: tuple[type[Exception], ...] = (Exception,)


@dataclass
class Search:
    """One search: the refusals, the candidates tried, and the best so far."""

    case: Case
    clock: Clock
    fidelity: float | None
    seed: int
    checkpoint: Path | None
    refused: list[Refused] = field(default_factory=list)
    tried: list[Trial] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    even_if_invisible: bool = False
    interrupted: bool = False
    verifier: Verifier | None = None
    judging: float = 0.0
    one_run: float = 0.0
    spun_runs: int = 0

    def run(self, methods: Sequence[Method]) -> None:
        """Try the methods in turn until one is good enough."""
        unread = self.case.recording.ledger.unsupported
        if unread:
            self._refuse(Kind.unsupported, f"not understood on the signal path: {', '.join(unread)}")
            return
        self.clock("judging the original")
        truth = self_truth(self.case)
        if truth is not None:
            self.case = with_reduced(self.case)
        spun, began = self._reference(), time.monotonic()
        self.verifier = Verifier(self.case, truth=truth, spun=spun)
        self.judging = time.monotonic() - began
        if reason := self._nothing_to_repair():
            self._refuse(Kind.nothing, f"nothing to repair: {reason}")
            return
        for method in methods:
            kept = self.best()
            if kept is not None and (is_good(kept.judged) or (method.last_resort and len(methods) > 1)):
                break
            self._try(method, alone=len(methods) == 1)

    def interrupt(self, note: str) -> None:
        """Note that the user interrupted the search: a checkpoint is kept then."""
        self.interrupted = True
        self.notes.append(note)

    def _refuse(self, kind: Kind, reason: str, method: str = "all") -> None:
        self.refused.append(Refused(kind, reason, method))

    def _nothing_to_repair(self) -> str:
        """Return the reason why nothing is to be repaired; "" if something is."""
        assert self.verifier is not None
        significant = any(s.significant for s in self.verifier.before.lattice)
        if not self.case.recording.stages:
            return "the network has no upsampling stage"
        if not self.case.faulty and not significant:
            return "the outputs show no lattice"
        if not self.case.faulty:
            return "the inputs to fit on show no lattice; give more inputs"
        if not significant:
            return "the lattice of some inputs is not confirmed by the others"
        return "" if self.even_if_invisible or self._is_visible() else "its lattice is too weak to be seen"

    def _is_visible(self) -> bool:
        """Test whether the lattice can be seen, in the outputs or on flat colour; of sound it is heard."""
        assert self.verifier is not None
        before = self.verifier.before
        found = [{"period": s.period, "amplitude": s.amplitude} for s in before.lattice if s.significant]
        longest = max((s.period for s in before.lattice if s.significant), key=max)
        flat = [{"period": longest, "amplitude": amplitude} for amplitude in before.colours.values()]
        return self.case.ndim == 1 or visibility([*found, *flat]) != "invisible"

    def _reference(self) -> list[Tensor] | None:
        """Return the spun network's outputs on the inputs to judge on; None if there are none in time."""
        if not self.case.faulty:
            return None
        try:
            period = spin_period(self.case)
            self.spun_runs = math.prod(period)
            began = time.monotonic()
            self.case.run(self.case.model, self.case.held[0])
            each = self.one_run = time.monotonic() - began
            if each * math.prod(period) * len(self.case.held) > FOR_REFERENCE * self.clock.given:
                self.notes.append("spinning the inputs to judge on would take too long: not compared to it")
                return None
            return [spun_target(self.case, call, period, self.clock) for call in self.case.held]
        except Refusal as error:
            self.notes.append(f"no spun network to compare with: {error}")
            return None

    def _try(self, method: Method, *, alone: bool) -> None:
        """Judge the method's candidates until its time is over; where none may be kept, note why."""
        self.clock(f"trying {method.name}")
        before, kind, reason = len(self.tried), Kind.unsupported, "it found nothing to change"
        end = self._end_of(method, alone=alone)
        candidates = method.candidates(
            self.case,
            self.clock,
            seconds=self.clock.left - self._reserve(),
            seed=self.seed,
            checkpoint=self.checkpoint,
        )
        try:
            while (candidate := self._next(candidates, end)) is not None:
                if self._is_outdone(candidate):
                    continue
                if not self._has_time_for(candidate, method):
                    raise TimeUp
                self._judge(candidate)
                if self.clock.spent > end:
                    raise TimeUp
        except TimeUp:
            self.notes.append(f"{method.name} was ended when its share of the time was spent")
            kind, reason = Kind.time, "no time was left for it; give more --minutes"
        except Refusal as error:
            kind, reason = error.refused.kind, error.refused.reason
        except KeyboardInterrupt:
            if len(self.tried) == before:
                self._refuse(Kind.interrupted, "interrupted before it had made anything", method.name)
            raise
        except FAILURES as error:
            kind, reason = Kind.failed, f"it failed ({first_line(error)})"
        mine = self.tried[before:]
        if mine:
            nearest = nearest_miss(mine)
            if nearest.objection is None:
                return
            kind, reason = nearest.objection.kind, f"{nearest.candidate.label}: {nearest.objection.reason}"
        self._refuse(kind, reason, method.name)

    def _end_of(self, method: Method, *, alone: bool) -> float:
        """Return when a method has to end, seconds since the start."""
        if "seconds" in method.takes:
            return math.inf
        share = method.share[0] if self.case.spinnable else method.share[1]
        end = self.clock.spent + (1.0 if alone and not method.last_resort else share) * self.clock.given
        return max(
            self.clock.spent, min(LATEST * self.clock.given if method.last_resort else self.clock.given, end)
        )

    def _reserve(self) -> float:
        """Return the seconds that a training leaves: to judge it, to time it, and for the last resort."""
        last = (
            min(SPARE * self._needed(self.spun_runs), FOR_LAST * self.clock.given) if self.spun_runs else 0.0
        )
        kept = 1.5 * self.judging + last + FOR_TIMING * self.clock.given
        return min(kept, 0.5 * max(self.clock.left, 0.0))

    def _is_outdone(self, candidate: Candidate) -> bool:
        """Test whether a cheaper candidate leaves nothing, so that not even a perfect one were worth more."""
        kept = self.best()
        if kept is None or not is_clear(kept.judged) or candidate.runs <= kept.candidate.runs:
            return False
        if worth(kept.judged, kept.candidate.runs) < 1 / candidate.runs:
            return False
        self.notes.append(
            f"{candidate.method} ({candidate.label}) was not judged: {kept.candidate.label} leaves nothing, "
            f"in {kept.candidate.runs} runs instead of {candidate.runs}"
        )
        return True

    def _has_time_for(self, candidate: Candidate, method: Method) -> bool:
        """Test whether a candidate can be judged in time; that of a training has its reserve."""
        if "seconds" in method.takes:
            return True
        return self.clock.spent + self._needed(candidate.runs) <= LATEST * self.clock.given

    def _needed(self, runs: int) -> float:
        """Return the seconds to judge a candidate of so many runs on the held inputs, and time it twice."""
        return self.judging + (runs - 1) * self.one_run * (len(self.case.held) + 2)

    def _next(self, candidates: Iterator[Candidate], end: float) -> Candidate | None:
        """Return the method's next candidate; the time of judging does not count."""
        self.clock.until = end
        try:
            return next(candidates, None)
        finally:
            self.clock.until = math.inf

    def _judge(self, candidate: Candidate) -> None:
        assert self.verifier is not None
        self.clock(f"judging {candidate.method} ({candidate.label})")
        began = time.monotonic()
        judged = self.verifier.judge(candidate.done_to(self.case.copy()))
        if candidate.runs == 1:
            self.judging = max(self.judging, time.monotonic() - began)
        self.tried.append(Trial(candidate, judged, objection(judged, self.fidelity)))
        kept = self.best()
        look = kept.judged.after if kept else self.verifier.before
        self.clock(f"{candidate.method} ({candidate.label}) judged, best lattice {look.strength:.2g} levels")

    def best(self) -> Trial | None:
        """Return the best trial so far that may be kept."""
        return best_of(self.tried)

    def outcome(self, model: nn.Module) -> Repair:
        """Return the result; the repaired network is made anew from the user's own."""
        best = self.best()
        repaired = cost = kept = None
        if best is not None:
            repaired = best.candidate.done_to(self.case.copy())
            kept = not best.candidate.edits and keys_kept(self.case.model, repaired)
            try:
                self.clock("timing both networks")
                seconds = min(FOR_TIMING * self.clock.given, max(0.0, self.clock.given - self.clock.spent))
                cost = measure_cost(self.case.model, repaired, self.case.held[0], seconds)
            except KeyboardInterrupt:
                self.interrupt("interrupted while timing: what it costs is not known")
            copy_modes(model, without_spin(repaired))
            repaired.training = model.training
            if self.checkpoint is not None and not self.interrupted:
                self.checkpoint.unlink(missing_ok=True)
        return Repair(
            network=type(model).__name__,
            method=best.candidate.method if best else None,
            label=best.candidate.label if best else "",
            kind=best.candidate.kind if best else None,
            before=self.verifier.before if self.verifier else None,
            judgement=best.judged if best else None,
            cost=cost,
            refused=tuple(self.refused),
            tried=tuple(entry_of(one, best) for one in self.tried),
            notes=tuple(self.notes),
            seconds=round(self.clock.spent, 1),
            keys_kept=kept,
            model=repaired,
            candidate=best.candidate if best else None,
            example=self.case.fit[0],
            interrupted=self.interrupted,
        )
