"""Acceptance of candidates, and the order of those accepted."""

from __future__ import annotations

import math

from uncheck.errors import Kind, Refused
from uncheck.judging.judgement import GONE_LEVELS, Judgement, Look, Strength
from uncheck.signals.levels import LEVELS

#: A repair is worth keeping if the lattice's strength falls by this factor at least.
LEAST_FACTOR = 4.0

#: A period counts as done when it fell by GOOD, or is no longer significant.
GOOD = 20.0

#: The factor that is enough where less than GONE_LEVELS is left.
ENOUGH = 5.0

#: The worst that a period may do while others fall.
GROWTH = 1.0

#: Loss to the truth, dB, and to sharpness that is accepted where the user states no fidelity.
MOST_LOSS, MOST_BLUR = 0.05, 0.15

#: Least PSNR to the original's output, dB, where neither the user nor a spun network says what to expect and
#: the lattice is weak.
LEAST_PSNR = 30.0

#: Energy that may be added beside the lattice, as a share; contrast that goes with the phase, dB.
MOST_GAIN, MOST_SECOND = 0.3, 1.0

#: Grey levels that constant colours may show after a repair, if they showed less before.
ON_COLOURS = 0.3


def objection(judged: Judgement, asked: float | None) -> Refused | None:
    """Return why a candidate may not be kept; None if it may. `asked` is the user's least PSNR or None."""
    psnr = judged.fidelity.psnr_to_original
    if asked is not None and psnr < asked:
        reason = f"{psnr:.1f} dB to the original's output, below the {asked:g} dB asked for"
        return Refused(Kind.harm, reason)
    before, after = judged.before.strength, judged.after.strength
    if _bound(judged) * LEAST_FACTOR > before:
        reason = f"the lattice fell only from {before:.2g} to {after:.2g} grey levels"
        if f"{after:.2g}" == f"{before:.2g}" or after > before:
            reason = f"the lattice did not fall: {before:.2g} grey levels before, {after:.2g} after"
        return Refused(Kind.lattice, reason)
    harm = _grown(judged) or _unlike(judged, asked)
    return Refused(Kind.harm, harm) if harm else None


def _grown(judged: Judgement) -> str | None:
    """Return which lattice grew while others fell."""
    grown = [s for s in judged.after.lattice if s.significant and judged.reduction(s) < GROWTH]
    if grown:
        worst = max(grown, key=lambda s: s.amplitude)
        return f"period {_text(worst)} grew to {worst.amplitude:.2g} grey levels"
    was = {s.period: s.amplitude for s in judged.before.second_order}
    for s in judged.after.second_order:
        if s.significant and s.amplitude > MOST_SECOND + 2 * was.get(s.period, 0.0):
            return f"contrast that goes with period {_text(s)} grew to {s.amplitude:.2g} dB"
    return None


def _unlike(judged: Judgement, asked: float | None) -> str | None:
    """Return how the output lost fidelity; `asked` is the least PSNR or None."""
    near = judged.fidelity
    if near.psnr_to_spun is not None and near.psnr_to_spun_before is not None:
        if near.psnr_to_spun < near.psnr_to_spun_before:
            return (
                f"{near.psnr_to_spun:.1f} dB to the spun network, from which the original is only "
                f"{near.psnr_to_spun_before:.1f} dB away"
            )
    elif asked is None and near.psnr_to_original < (least := least_psnr(judged.before)):
        return (
            f"{near.psnr_to_original:.1f} dB to the original's output, where taking the lattice out explains "
            f"{least:.1f} dB"
        )
    loss = truth_loss(judged)
    if loss is not None and loss > MOST_LOSS:
        return f"{loss:.2f} dB lost to the truth, more than {MOST_LOSS}"
    # The spun network is what the original draws without the lattice: detail that it lacks is none.
    sharper = max(judged.sharpness_change, judged.sharpness_to_spun or -1.0)
    if asked is None and sharper < -MOST_BLUR:
        return f"{-sharper:.0%} of the sharpness is lost"
    if judged.sharpness_change > MOST_GAIN:
        return f"{judged.sharpness_change:.0%} of energy was added beside the lattice"
    ripple = max(judged.after.colours.values(), default=0.0)
    if ripple > max(ON_COLOURS, *judged.before.colours.values(), 0.0):
        return f"constant colours show {ripple:.2g} grey levels"
    return None


def least_psnr(before: Look) -> float:
    """Return the least PSNR to the original's output, dB, that removing its lattice explains.

    MSE = MSE at LEAST_PSNR + 4 strength^2 / 255^2: a lattice of strength a has a mean square of a^2 / 2, and
    what the content modulates of it has several times as much again (`style_rain_princess`: six times).
    """
    return -10 * math.log10(10 ** (-LEAST_PSNR / 10) + 4 * (before.strength / LEVELS) ** 2)


def _bound(judged: Judgement) -> float:
    """Return the strength left, grey levels; insignificant periods count half: they may be content."""
    return math.sqrt(sum((s.amplitude * (1 if s.significant else 0.5)) ** 2 for s in judged.after.lattice))


def is_good(judged: Judgement) -> bool:
    """Test whether nothing more expensive need be tried.

    Every period fell by GOOD, is no longer significant, or fell by ENOUGH and is too faint to see.
    """
    after = {s.period: s for s in judged.after.lattice}

    def done(period: Strength) -> bool:
        left = after.get(period.period)
        if left is None or not left.significant:
            return True
        fell = judged.reduction(period)
        return fell >= GOOD or (fell >= ENOUGH and left.amplitude < GONE_LEVELS)

    old = [s for s in judged.before.lattice if s.significant]
    grown = any(s.significant and judged.reduction(s) < GROWTH for s in after.values())
    return all(map(done, old)) and not grown


def rank(judged: Judgement) -> tuple[float, ...]:
    """Return a key that is larger for better candidates: the lattice left, while it matters, then fidelity.

    Fidelity is to the truth where there is one, to the spun network where that exists, else to the
    original.
    """
    fidelity = judged.fidelity
    near = next(
        v for v in (fidelity.psnr_to_truth, fidelity.psnr_to_spun, fidelity.psnr_to_original) if v is not None
    )
    if is_good(judged):
        return (1.0, near)
    fell = judged.before.strength / max(judged.after.strength, 1e-9)
    return (0.0, min(GOOD, fell), near)


def is_clear(judged: Judgement) -> bool:
    """Test whether a candidate leaves nothing significant."""
    return not any(s.significant for s in judged.after.lattice)


def worth(judged: Judgement, runs: int) -> float:
    """Return how near a candidate comes to the spun network for what it costs.

    It is the share of the way from the original to the spun network, 1 - MSE after / MSE before, over the
    `runs` of the network that one call takes. Where no spun network is known the share counts as 1.
    """
    before, after = judged.fidelity.psnr_to_spun_before, judged.fidelity.psnr_to_spun
    if before is None or after is None:
        return 1.0 / runs
    return max(0.0, 1.0 - float(10 ** ((before - after) / 10))) / runs


def truth_loss(judged: Judgement) -> float | None:
    """Return the loss of PSNR to the truth, dB; None without a truth."""
    was, now = judged.fidelity.psnr_to_truth_before, judged.fidelity.psnr_to_truth
    return None if was is None or now is None else was - now


def _text(period: Strength) -> str:
    return "x".join(map(str, period.period))
