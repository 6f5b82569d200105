"""The method `distill`: a copy whose upsamplers start even, trained towards outputs without a lattice."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from uncheck.editing.edits import KINDS, Candidate
from uncheck.errors import Refusal
from uncheck.reading import Inputs
from uncheck.repairing.case import Advance, Case
from uncheck.repairing.inputs import cut, room, sides, signal_of
from uncheck.repairing.methods.distill.checkpoint import Checkpoint
from uncheck.repairing.methods.distill.student import make_student, period_of
from uncheck.repairing.methods.distill.teacher import (
    Lesson,
    cleaned_lessons,
    contrast_gains,
    spun_lessons,
    with_contrast,
)
from uncheck.repairing.methods.distill.training import Training, TrainingPlan

#: Side of the cut-outs a same-resolution network is trained on, and of the inputs of one that enlarges.
SIDE, SMALL = 256, 96

#: One in so many inputs of a network that enlarges is a constant colour.
FLAT = 6

#: Cut-outs at most, and shifts of each that are trained on.
MOST_CUTS, SHOWN = 96, 4

#: Share of the time that the targets may take.
FOR_TARGETS = 0.35

#: Largest period per axis that is spun: the target costs its n-th power in runs of the network.
LONGEST_SPUN = 8

#: Towards the spun network; and, in smaller steps, towards the network's own output, cleaned.
TO_SPUN = TrainingPlan(0.03, 500.0)
TO_CLEANED, ALL_TO_CLEANED = TrainingPlan(0.004, 5000.0, 4), TrainingPlan(0.001, 5000.0, 4)

#: Contrast given back for what the student takes, at most, and up to which radial frequency: finer detail
#: that it cannot draw would only be noise.
MOST_AGAIN, AGAIN_UP_TO = 1.1, 0.2

Gains = list[tuple[float, float]]
"""Radial frequency and gain."""

#: Codes in one lesson.
BATCH = 128


def distill(
    case: Case, advance: Advance, *, seconds: float, seed: int = 0, checkpoint: Path | None = None
) -> Iterator[Candidate]:
    """Train the layers from the first faulty stage on; the trained network costs what the original does.

    A network of the input's resolution learns from itself, cycle-spun, with the contrast per octave that
    spinning takes given back (`teacher`). Its transposed convolutions become resize-convolutions fitted to
    the old kernels by least squares, trained as such and written as one transposed convolution each at the
    end (`student.HeldConvTranspose`), so that their gains stay equal.

    Others cannot be spun: they learn from their own cleaned output, from where they are and in small steps,
    first the last layers alone, then all of them. Fitting their upsamplers anew does not work: it throws away
    what a generator has learned.

    `seconds` is the time it may take, targets included; `seed` that of cut-outs and order; `checkpoint` the
    file to resume from.

    Yields:
        Candidates; KeyboardInterrupt is raised after one whose training was interrupted.

    Raises:
        Refusal: nothing to train, inputs too small, or no time.
    """
    if seconds < 5:
        raise Refusal(f"{max(0.0, seconds):.0f} seconds are left, too few to train; give more --minutes")
    teaching = _Teaching(case, advance, seconds, seed, checkpoint)
    if case.spinnable:
        yield from teaching.train("towards the spun network", TO_SPUN, anew=True, whole=False)
    else:
        label = "towards its own cleaned output"
        yield from teaching.train(f"last layers {label}", TO_CLEANED, anew=False, whole=False)
        yield from teaching.train(f"all layers {label}", ALL_TO_CLEANED, anew=False, whole=True)


@dataclass
class _Teaching:
    """The lessons, made once, and the time that is left."""

    case: Case
    advance: Advance
    seconds: float
    seed: int
    checkpoint: Path | None
    groups: list[list[Lesson]] = field(default_factory=list)
    plains: list[Tensor] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def train(self, label: str, plan: TrainingPlan, *, anew: bool, whole: bool) -> Iterator[Candidate]:
        """Train one student and yield it as a candidate, also after an interruption, before it is raised."""
        case, left = self.case, self.seconds - (time.monotonic() - self.began)
        if left < 0.1 * self.seconds:
            return
        student = make_student(case, anew=anew, whole=whole)
        mark = _mark(case, self.seed, label)
        self._make_lessons(mark)
        groups = self.groups
        exams = groups[-max(1, len(groups) // 6) :] if len(groups) > 1 else groups
        lessons = [lesson for group in groups[: len(groups) - len(exams)] or groups for lesson in group]
        self.advance("distill: reading the frozen part")
        training = Training(
            case,
            student,
            lessons,
            [group[0] for group in exams],
            plan=plan,
            seed=self.seed,
            checkpoint=self.checkpoint,
            mark=mark,
            groups=len(groups),
        )
        left = self.seconds - (time.monotonic() - self.began)
        adjust = partial(self._sharpen, training, self.plains[-len(exams) :]) if self.plains else None
        interrupted = training.run(left if anew or whole else left / 2, self.advance, adjust=adjust)
        yield student.candidate(label, KINDS[2])
        if interrupted:
            raise KeyboardInterrupt

    def _sharpen(self, training: Training, plains: Sequence[Tensor], found: Gains | None) -> Gains:
        """Give back the contrast that the student itself takes: errors of any kind cost contrast."""
        if found is None:
            with torch.no_grad():
                drawn = [training.picture(lesson) for lesson in training.exam]
            gains = contrast_gains(plains, drawn, period_of(self.case))
            found = [(f, min(MOST_AGAIN, gain)) for f, gain in gains if f < AGAIN_UP_TO]
        training.retarget(partial(with_contrast, gains=found))
        return found

    def _make_lessons(self, mark: str) -> None:
        if self.groups:
            return
        period = period_of(self.case)
        if not self.case.spinnable:
            self.groups = _cleaned(self.case, period, self.seed, self.advance)
            return
        earlier = Checkpoint.read(self.checkpoint, mark)
        wanted = earlier[0].groups if earlier is not None else None
        until = self.began + FOR_TARGETS * self.seconds
        self.groups, self.plains = _spun(self.case, period, self.seed, until, wanted, self.advance)


def _spun(
    case: Case, period: int, seed: int, until: float, wanted: int | None, advance: Advance
) -> tuple[list[list[Lesson]], list[Tensor]]:
    """Return lessons in groups, one per cut-out, and the unspun outputs; stop when time is up."""
    if period > LONGEST_SPUN:
        raise Refusal(f"spinning period {period} takes {period**case.ndim} runs per input, too many")
    size = room(_smallest(case), SIDE, period)
    if min(size) < 8 * period:
        whole = "x".join(map(str, sides(case.fit[0], case.ndim)))
        raise Refusal(f"inputs of {whole} pixels are too small to be cut for training")
    random = np.random.default_rng(seed)
    groups: list[list[Lesson]] = []
    plains: list[Tensor] = []
    for index in range(wanted or MOST_CUTS):
        call = case.fit[index % len(case.fit)]
        place = _place(call, size, period, random)
        lessons, plain = spun_lessons(case, call, place, size, period, SHOWN, seed + index)
        groups.append(lessons)
        plains.append(plain)
        advance(f"distill: target {index + 1} from {period**case.ndim} shifts")
        if wanted is None and time.monotonic() > until and index >= 5:
            break
    gains = contrast_gains(plains, [group[0].target for group in groups], period)
    targets = [with_contrast(group[0].target, gains) for group in groups]
    pairs = zip(groups, targets, strict=True)
    return [[replace(lesson, target=target) for lesson in group] for group, target in pairs], plains


def _cleaned(case: Case, period: int, seed: int, advance: Advance) -> list[list[Lesson]]:
    advance("distill: its own output, cleaned")
    calls: list[Inputs] = []
    if case.scale is None:
        calls = [part for call in case.fit for part in _batches(call)]
    else:
        random = np.random.default_rng(seed)
        size = room(_smallest(case), SMALL, 0)
        for index in range(MOST_CUTS):
            call = case.fit[index % len(case.fit)]
            inputs = cut(call, _place(call, size, 0, random), size)
            calls.append(_flat(inputs, random) if index % FLAT == FLAT - 1 else inputs)
    return [[lesson] for lesson in cleaned_lessons(case, calls, period)]


def _smallest(case: Case) -> list[int]:
    """Return the least size of the inputs to fit on, per axis."""
    return [min(sizes) for sizes in zip(*(sides(call, case.ndim) for call in case.fit), strict=True)]


def _place(call: Inputs, size: Sequence[int], least: int, random: np.random.Generator) -> list[int]:
    """Draw where a cut-out begins, per axis, from `least` on."""
    whole = zip(sides(call, len(size)), size, strict=True)
    return [int(random.integers(least, max(least, n - s) + 1)) for n, s in whole]


def _flat(inputs: Inputs, random: np.random.Generator) -> Inputs:
    """Replace the signal by the colour of one of its pixels: a lattice shows most on flat colours."""
    signal = signal_of(inputs)
    pixels = signal.flatten(2)
    colour = pixels[..., int(random.integers(pixels.shape[2]))]
    flat = colour.reshape(*colour.shape, *[1] * (signal.dim() - 2)).expand_as(signal).contiguous()
    return tuple(flat if x is signal else x for x in inputs)


def _batches(call: Inputs) -> list[Inputs]:
    """Split codes into batches of about BATCH, for networks whose outputs depend on the batch."""
    count = len(signal_of(call))
    pieces = max(1, count // BATCH)
    edges = [count * n // pieces for n in range(pieces + 1)]
    return [
        tuple(x[a:b] if isinstance(x, Tensor) and x.dim() and len(x) == count else x for x in call)
        for a, b in pairwise(edges)
    ]


def _mark(case: Case, seed: int, label: str) -> str:
    """Return a hash of what a training depends on: weights, first input, periods, seed and kind."""
    digest = hashlib.sha256(f"{case.faulty} {seed} {len(case.fit)} {label}".encode())
    for tensor in (*case.model.state_dict().values(), signal_of(case.fit[0])):
        digest.update(tensor.detach().to(torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()
