"""A few outputs to look at: side by side, and their spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.judging.judgement import Subject
from uncheck.judging.sharpness import hann_window
from uncheck.measuring.batches import Observed, Pictures
from uncheck.signals.levels import infer_range, to_levels

#: Outputs smaller than this, in pixels, are shown several at a time, in rows of ACROSS.
SMALL, ACROSS = 64, 4

#: Outputs whose spectra are averaged.
AVERAGED = 64


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
    return out | {f"{name} spectrum": spectrum(pairs[name]) for name in ("original", "repaired")}


def spectrum(pictures: Pictures) -> NDArray[np.float32]:
    """Return the mean power in dB under Hann's window, (H, W, 1) or (T, 1), frequency 0 in the middle."""
    total: NDArray[np.float64] | float = 0.0
    for picture in pictures[:AVERAGED]:
        values = _flat(picture).astype(np.float64)
        axes = tuple(range(values.ndim - 1))
        values = (values - values.mean(axis=axes)) * hann_window(values.shape[:-1])
        power = np.abs(np.fft.fftshift(np.fft.fftn(values, axes=axes), axes=axes)) ** 2
        total = total + power.mean(axis=-1, keepdims=True)
    mean = np.asarray(total) / max(1, min(AVERAGED, len(pictures)))
    return np.asarray(10 * np.log10(mean + 1e-8), np.float32)


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
    return _flat(pictures[which])


def _flat(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle slice of a volume; pictures and sound as they are."""
    return picture[picture.shape[0] // 2] if picture.ndim == 4 else picture


def _input(subject: Subject, which: int) -> NDArray[np.float32] | None:
    first = next((x for x in subject.held[which] if isinstance(x, Tensor)), None)
    if first is None or first.dim() != subject.ndim + 2 or subject.ndim == 1:
        return None
    if first.shape[1] not in (1, 3):
        return None
    values = np.moveaxis(first[0].detach().float().cpu().numpy(), 0, -1)
    return _flat(to_levels(values, infer_range(values)))
