"""A few outputs to look at: side by side, and their spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.judging.judgement import Subject
from uncheck.measuring.observed import Observed, Pictures
from uncheck.measuring.spectrum import middle_slice, power_spectrum
from uncheck.signals.levels import infer_range, to_levels

#: Outputs smaller than this, in pixels, are shown several at a time, in rows of ACROSS.
SMALL, ACROSS = 64, 4


def thumbnails(
    subject: Subject, original: Pictures, repaired: Pictures, spun: Pictures | None, seen: Observed
) -> dict[str, NDArray[np.float32]]:
    """Return outputs by name: "original", "repaired", and where there are such "input" and "spun".

    Each (H, W, C) grey levels, or (T, C) for sound: the output that shows the original's lattice most, or a
    tiling of the first sixteen where outputs are small; the middle slice of volumes. "original spectrum" and
    "repaired spectrum": mean power over outputs and channels in dB, frequency 0 in the middle.
    """
    which = _most(seen)
    given = _input(subject, which) if len(subject.held) == len(original) else None
    pairs = {"original": original, "repaired": repaired} | ({} if spun is None else {"spun": spun})
    out = {} if given is None else {"input": given}
    out |= {name: _one(pictures, which) for name, pictures in pairs.items()}
    return out | {f"{name} spectrum": power_spectrum(pairs[name]) for name in ("original", "repaired")}


def _most(seen: Observed) -> int:
    """Return the single output that shows the lattice most."""
    singles = [i for i in seen.views if i >= 0]
    if not singles or not seen.periods:
        return 0
    lines = {p: seen.lines(p) for p in seen.periods}
    return max(singles, key=lambda i: sum(seen.views[i].amplitude(each) ** 2 for each in lines.values()))


def _one(pictures: Pictures, which: int) -> NDArray[np.float32]:
    shape = pictures.shape[1:-1]
    if len(shape) == 2 and max(shape) < SMALL and len(pictures) >= ACROSS:
        rows = min(ACROSS, len(pictures) // ACROSS)
        table = pictures[: rows * ACROSS].reshape(rows, ACROSS, *pictures.shape[1:])
        return np.vstack([np.hstack(row) for row in table])
    return middle_slice(pictures[which])


def _input(subject: Subject, which: int) -> NDArray[np.float32] | None:
    first = next((x for x in subject.held[which] if isinstance(x, Tensor)), None)
    if first is None or first.dim() != subject.ndim + 2 or subject.ndim == 1:
        return None
    if first.shape[1] not in (1, 3):
        return None
    values = np.moveaxis(first[0].detach().float().cpu().numpy(), 0, -1)
    return middle_slice(to_levels(values, infer_range(values)))
