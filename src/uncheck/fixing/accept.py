"""Which candidates may be kept, and which of two is better."""

from __future__ import annotations

from dataclasses import dataclass

from uncheck.fixing.judged import GONE_LEVELS, Judgement, Strength

#: A repair is worth keeping if the lattice's strength falls by this factor at least.
LEAST = 4.0

#: A period counts as done when it fell by GOOD, or is no longer told from the content.
GOOD = 20.0

#: The factor that is enough where less than GONE_LEVELS is left.
ENOUGH = 5.0

#: The worst that a period may do while others fall.
GROWTH = 1.0

#: Loss to the truth, dB, and to sharpness that is accepted where the user states no fidelity.
MOST_LOSS, MOST_BLUR = 0.05, 0.15

#: Least PSNR to the original's output, dB, where neither the user nor a spun network says what to expect.
LEAST_PSNR = 30.0

#: Grey levels that constant colours may show after a repair, if they showed less before.
ON_COLOURS = 0.3


@dataclass(frozen=True)
class Limits:
    """What the user asks for: `fidelity`, the least PSNR to the original's output in dB, or None."""

    fidelity: float | None = None


def objection(judged: Judgement, limits: Limits) -> str | None:
    """Why a candidate may not be kept, in words; None if it may."""
    before, after = judged.before, judged.after
    asked = limits.fidelity
    psnr = judged.fidelity.psnr_to_original
    if asked is not None and psnr < asked:
        return f"{psnr:.1f} dB to the original's output, below the {asked:g} dB asked for"
    if after.strength * LEAST > before.strength:
        return f"the lattice fell only from {before.strength:.2g} to {after.strength:.2g} grey levels"
    grown = [s for s in after.lattice if s.significant and judged.reduction(s) < GROWTH]
    if grown:
        worst = max(grown, key=lambda s: s.amplitude)
        return f"period {_text(worst)} grew to {worst.amplitude:.2g} grey levels"
    if asked is None and judged.fidelity.psnr_to_spun is None and psnr < LEAST_PSNR:
        return f"{psnr:.1f} dB to the original's output: it draws something else now"
    loss = truth_loss(judged)
    if loss is not None and loss > MOST_LOSS:
        return f"{loss:.2f} dB lost to the truth, more than {MOST_LOSS}"
    if judged.sharpness_change < -MOST_BLUR:
        return f"{-judged.sharpness_change:.0%} of the sharpness is lost"
    shown = max(after.colours.values(), default=0.0)
    if shown > max(ON_COLOURS, *before.colours.values(), 0.0):
        return f"constant colours show {shown:.2g} grey levels"
    return None


def is_good(judged: Judgement) -> bool:
    """Whether nothing more expensive need be tried.

    Every period fell by GOOD, is told no more, or fell by ENOUGH and is now below what anyone can see.
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
    """Larger is better: what is left of the lattice first, while it matters, and then fidelity.

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


def truth_loss(judged: Judgement) -> float | None:
    """PSNR to the truth that the repair costs, dB; negative where it gains; None without a truth."""
    was, now = judged.fidelity.psnr_to_truth_before, judged.fidelity.psnr_to_truth
    return None if was is None or now is None else was - now


def _text(period: Strength) -> str:
    return "x".join(map(str, period.period))
