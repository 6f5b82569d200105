"""Candidates that were judged, and which of them is the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uncheck.editing.edits import Candidate
from uncheck.errors import Kind, Refused
from uncheck.judging.acceptance import is_clear, rank, worth
from uncheck.judging.judgement import Judgement
from uncheck.repairing.result import Tried


@dataclass(frozen=True)
class Trial:
    """One candidate, its judgement, and the reason why it is rejected, if it is."""

    candidate: Candidate
    judged: Judgement
    objection: Refused | None


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the best trial that may be kept; of two alike, the earlier.

    Where the best leaves nothing significant, the one of most worth is: of those that leave nothing, the
    nearest to the spun network for its cost.
    """
    kept = [one for one in trials if one.objection is None]
    best = max(kept, key=lambda one: rank(one.judged), default=None)
    if best is None or not is_clear(best.judged):
        return best
    nearest: dict[int, Trial] = {}
    for one in kept:
        runs = one.candidate.runs
        if is_clear(one.judged) and (runs not in nearest or rank(one.judged) > rank(nearest[runs].judged)):
            nearest[runs] = one
    return max(nearest.values(), key=lambda one: worth(one.judged, one.candidate.runs))


def nearest_miss(trials: Sequence[Trial]) -> Trial:
    """Return a trial that may be kept; else the best that removed the lattice; else the least lattice."""
    removed = [one for one in trials if one.objection is None or one.objection.kind is not Kind.lattice]
    if not removed:
        return min(trials, key=lambda one: one.judged.after.strength)
    return max(removed, key=lambda one: (one.objection is None, rank(one.judged)))


def entry_of(one: Trial, best: Trial | None) -> Tried:
    """Return the entry of the report for a trial."""
    refusal = one.objection.reason if one.objection else "met all, another was better"
    return Tried(
        one.candidate.method,
        one.candidate.label,
        one.judged.after.strength,
        one.judged.worst(),
        one.judged.fidelity.psnr_to_original,
        "kept" if one is best else refusal,
    )
