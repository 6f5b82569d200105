"""`distill`: retrain a copy whose upsamplers start without a lattice, towards the network without it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from uncheck.fixing.case import Advance, Case, Inputs, Refusal
from uncheck.fixing.crops import cut, room, sides, signal_of
from uncheck.fixing.edits import KINDS, Candidate
from uncheck.fixing.student import make_student, period_of
from uncheck.fixing.teach import Training, read_checkpoint
from uncheck.fixing.teacher import (
    Lesson,
    cleaned_lessons,
    contrast_gains,
    spun_lessons,
    with_contrast,
)

#: Side of the cut-outs a same-resolution network is trained on, and of the inputs of one that enlarges.
SIDE, SMALL = 256, 96

#: Cut-outs at most, and shifts of each that are trained on.
MOST, SHOWN = 96, 4

#: Share of the time that the targets may take.
FOR_TARGETS = 0.35

#: Largest period per axis that is spun: the target costs its n-th power in runs of the network.
LONGEST = 8

#: Step sizes, relative to each parameter: towards the spun network, and towards its own cleaned output.
TO_SPUN, TO_CLEANED = 0.03, 0.004


def distill(
    case: Case, advance: Advance, *, seconds: float, seed: int = 0, checkpoint: Path | None = None
) -> Iterator[Candidate]:
    """Train only what comes from the first faulty stage on; the cost at the end is the original's.

    Transposed convolutions become resize-convolutions fitted to the old kernels by least squares, trained as
    such and written as one transposed convolution each at the end (`student.HeldConvTranspose`), so that
    their gains stay equal. The target is, for a network of the input's resolution, the cycle-spun network
    with the contrast per octave that spinning takes given back (`teacher`); for others, which cannot be
    spun, their own output less the lattice that all outputs share.

    Args:
        case: the network and its inputs.
        advance: told what is being done.
        seconds: time it may take, targets included.
        seed: of cut-outs and order.
        checkpoint: file to resume from.

    Yields:
        One candidate; KeyboardInterrupt is raised after it where the training was interrupted.

    Raises:
        Refusal: nothing to train, inputs too small, or no time.
    """
    began = time.monotonic()
    if seconds < 5:
        raise Refusal(f"{max(0.0, seconds):.0f} seconds are left, too few to train; give more --minutes")
    student = make_student(case)
    period, mark = period_of(case), _mark(case, seed)
    earlier = read_checkpoint(checkpoint, mark)
    wanted = earlier[0].groups if earlier is not None else None
    if case.spinnable:
        groups = _spun(case, period, seed, began + FOR_TARGETS * seconds, wanted, advance)
        label, rate = "towards the spun network", TO_SPUN
    else:
        groups = _cleaned(case, period, seed, advance)
        label, rate = "towards its own cleaned output", TO_CLEANED
    exams = groups[-max(1, len(groups) // 6) :] if len(groups) > 1 else groups
    lessons = [lesson for group in groups[: len(groups) - len(exams)] or groups for lesson in group]
    advance("distill: reading the frozen part")
    training = Training(
        case,
        student,
        lessons,
        [group[0] for group in exams],
        period=period,
        rate=rate,
        seed=seed,
        checkpoint=checkpoint,
        mark=mark,
        groups=len(groups),
    )
    interrupted = training.run(seconds - (time.monotonic() - began), advance)
    yield student.candidate(label, KINDS[2])
    if interrupted:
        raise KeyboardInterrupt


def _spun(
    case: Case, period: int, seed: int, until: float, wanted: int | None, advance: Advance
) -> list[list[Lesson]]:
    """Lessons in groups, one group a cut-out; pictures in turn, places at random; until time is up."""
    if period > LONGEST:
        raise Refusal(f"spinning period {period} takes {period**case.ndim} runs per input, too many")
    whole = [sides(call, case.ndim) for call in case.fit]
    size = room([min(s[axis] for s in whole) for axis in range(case.ndim)], SIDE, period)
    if min(size) < 8 * period:
        raise Refusal(f"inputs of {'x'.join(map(str, whole[0]))} pixels are too small to be cut for training")
    random = np.random.default_rng(seed)
    groups: list[list[Lesson]] = []
    plains: list[Tensor] = []
    for index in range(wanted or MOST):
        call = case.fit[index % len(case.fit)]
        place = [
            int(random.integers(period, max(period + 1, n - s + 1)))
            for n, s in zip(sides(call, case.ndim), size, strict=True)
        ]
        lessons, plain = spun_lessons(case, call, place, size, period, SHOWN, seed + index)
        groups.append(lessons)
        plains.append(plain)
        advance(f"distill: target {index + 1} from {period**case.ndim} shifts")
        if wanted is None and time.monotonic() > until and index >= 5:
            break
    gains = contrast_gains(plains, [group[0].target for group in groups], period)
    return [
        [
            Lesson(one.inputs, one.start, target)
            for target in [with_contrast(group[0].target, gains)]
            for one in group
        ]
        for group in groups
    ]


def _cleaned(case: Case, period: int, seed: int, advance: Advance) -> list[list[Lesson]]:
    advance("distill: its own output, cleaned")
    calls: list[Inputs] = []
    if case.scale is None:
        calls = list(case.fit)
    else:
        random = np.random.default_rng(seed)
        least = [min(sides(call, case.ndim)[axis] for call in case.fit) for axis in range(case.ndim)]
        size = room(least, SMALL, 0)
        for index in range(MOST // 2):
            call = case.fit[index % len(case.fit)]
            place = [
                int(random.integers(0, n - s + 1)) for n, s in zip(sides(call, case.ndim), size, strict=True)
            ]
            calls.append(cut(call, place, size))
    return [[lesson] for lesson in cleaned_lessons(case, calls, period)]


def _mark(case: Case, seed: int) -> str:
    """Of what a checkpoint is: the weights, the first input, the periods, the seed."""
    digest = hashlib.sha256(f"{case.faulty} {seed} {len(case.fit)}".encode())
    for tensor in (*case.model.state_dict().values(), signal_of(case.fit[0])):
        digest.update(tensor.detach().to(torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()
