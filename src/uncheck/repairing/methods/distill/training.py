"""The training loop of distillation: seeded, validation-stopped, and resumable from its own checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from uncheck.reading import call
from uncheck.repairing.case import Case
from uncheck.repairing.inputs import part
from uncheck.repairing.methods.distill.checkpoint import Checkpoint
from uncheck.repairing.methods.distill.student import Student, period_of
from uncheck.repairing.methods.distill.tail import Memory, Strayed, Tail, bytes_of
from uncheck.repairing.methods.distill.teacher import Lesson, ripple, shared

#: Memory for the outputs of the frozen part, bytes.
MEMORY = 1.5e9

#: Looks at the validation lessons in a training, and how many without gain end it.
LOOKS, PATIENCE = 24, 8

#: Shares of the schedule after which targets are adjusted to the student's outputs.
ADJUST = (0.35, 0.7)

#: Seconds between checkpoints.
EVERY = 30.0


@dataclass(frozen=True)
class TrainingPlan:
    """Step size and loss of a training.

    Attributes:
        rate: step size relative to the root mean square of each parameter.
        evenness: weight of the squared ripple against the squared error, both over the output's range.
        together: lessons per step.
    """

    rate: float
    evenness: float
    together: int = 1


class Training:
    """Train a student on lessons.

    The loss is the mean squared error to the target plus `evenness` times its squared ripple (the error's
    means per phase, less their mean), both in units of the output's range. Content that the student gets
    wrong averages out of the ripple; an error locked to the lattice does not.

    The student is trained in place, and ends with the weights that were best on the lessons `exam`. It goes
    on from the file `checkpoint` if that has the same `mark` (of network, inputs and seed) and lessons of as
    many cut-outs (`groups`).
    """

    def __init__(
        self,
        case: Case,
        student: Student,
        lessons: Sequence[Lesson],
        exam: Sequence[Lesson],
        *,
        plan: TrainingPlan,
        seed: int,
        checkpoint: Path | None = None,
        mark: str = "",
        groups: int = 0,
    ) -> None:
        self.case, self.student, self.period, self.seed = case, student, period_of(case), seed
        self.lessons, self.exam, self.plan = list(lessons), list(exam), plan
        self.checkpoint, self.mark = checkpoint, mark
        self.parameters = student.parameters()
        settings: list[dict[str, Any]] = [
            {"params": [p], "lr": plan.rate * max(float(p.detach().square().mean().sqrt()), 1e-3)}
            for p in self.parameters
        ]
        self.rates = [float(setting["lr"]) for setting in settings]
        self.optimizer = torch.optim.Adam(settings, betas=(0.9, 0.99))
        self.progress = Checkpoint(groups)
        self.best = [p.detach().clone() for p in self.parameters]
        self.tail = Tail(student.model)
        self.kept = self._remember()

    def _remember(self) -> dict[int, Memory]:
        """Return the frozen part's values for each lesson, as far as memory goes; none if the calls vary."""
        kept: dict[int, Memory] = {}
        room = MEMORY
        for lesson in (*self.exam, *self.lessons):
            try:
                values = self.tail.remember(lesson.inputs)
                if not kept and not self._is_whole(lesson, values):
                    return {}
            except Exception:  # whatever a network does that cannot be replayed: it is run whole
                return {}
            room -= bytes_of(values)
            if room < 0:
                break
            kept[id(lesson.inputs)] = values
        return kept

    def _is_whole(self, lesson: Lesson, values: Memory) -> bool:
        """Test whether the tail equals the whole network, with other weights than when remembered."""
        before = [p.detach().clone() for p in self.parameters]
        with torch.no_grad():
            try:
                for p in self.parameters:
                    p.mul_(1.1)
                whole, rest = self._whole(lesson), self.tail(lesson.inputs, values)
            finally:
                self._set(before)
        return torch.allclose(self.case.picture(whole), self.case.picture(rest), 1e-4, 1e-5)

    def _whole(self, lesson: Lesson) -> Any:
        return call(self.student.model, lesson.inputs)

    def picture(self, lesson: Lesson) -> Tensor:
        """Return the student's output where the target lies."""
        values = self.kept.get(id(lesson.inputs))
        try:
            output = self._whole(lesson) if values is None else self.tail(lesson.inputs, values)
        except Strayed:  # the way that the trained part goes depends on its weights
            del self.kept[id(lesson.inputs)]
            output = self._whole(lesson)
        return part(self.case.picture(output), lesson.start, lesson.target.shape[2:])

    def errors(self, lesson: Lesson) -> tuple[Tensor, Tensor]:
        """Return the mean squared error, and the error's ripple (C, *period), over the output's range."""
        low, high = self.case.span
        error = (self.picture(lesson) - lesson.target) / (high - low)
        return error.square().mean(), shared(ripple(error, self.period, self.case.ndim), lesson.weights)

    def examine(self) -> tuple[float, float]:
        """Return the loss on the validation lessons, and their common lattice's strength in grey levels."""
        with torch.no_grad():
            found = [self.errors(lesson) for lesson in self.exam]
        common = torch.stack([r for _, r in found]).mean(0)
        loss = float(torch.stack([e for e, _ in found]).mean() + self.plan.evenness * _square(common))
        return loss, 255 * math.sqrt(2 * float(common.square().flatten(1).mean(1).max()))

    def retarget(self, change: Callable[[Tensor], Tensor]) -> None:
        """Change all targets."""
        made: dict[int, Tensor] = {}

        def changed(lesson: Lesson) -> Lesson:
            key = id(lesson.target)  # the lessons of one cut-out share it
            if key not in made:
                made[key] = change(lesson.target)
            return replace(lesson, target=made[key])

        self.lessons, self.exam = [changed(x) for x in self.lessons], [changed(x) for x in self.exam]

    def run(
        self,
        seconds: float,
        advance: Callable[[str], None],
        most: int = 1500,
        adjust: Callable[[Any], Any] | None = None,
    ) -> bool:
        """Train until the schedule, the time or the patience ends; return whether it was interrupted.

        `adjust` changes the targets when the shares ADJUST of the schedule are done, and returns how, as
        values that JSON keeps. It is given None then, and its earlier answer where training is resumed beyond
        it.
        """
        self._resume()
        progress, interrupted = self.progress, False
        for earlier in progress.adjusted if adjust is not None else ():
            adjust(earlier)  # type: ignore[misc]
        began = saved = time.monotonic()
        try:
            while not progress.total or progress.step < progress.total:
                if progress.total and (time.monotonic() - began > seconds or progress.since >= PATIENCE):
                    break
                self._step()
                if not progress.total:
                    if progress.step < 3:
                        continue
                    each = (time.monotonic() - began) / progress.step
                    progress.total = max(8, min(most, int(0.85 * seconds / each)))
                due = ADJUST[len(progress.adjusted) :]
                if adjust is not None and due and progress.step >= due[0] * progress.total:
                    progress.adjusted.append(adjust(None))
                    # the best towards the old targets counts no more
                    progress.best, progress.since = math.inf, 0
                every = max(1, progress.total // LOOKS)
                if progress.step % every == 0 or progress.step >= progress.total:
                    self._look(advance)
                if time.monotonic() - saved > EVERY:
                    self._save()
                    saved = time.monotonic()
        except KeyboardInterrupt:
            self._save()
            interrupted = True
        if progress.history:
            self._set(self.best)
        return interrupted

    def _step(self) -> None:
        progress = self.progress
        order = np.random.default_rng((self.seed, progress.step))
        chosen = [self.lessons[int(i)] for i in order.integers(len(self.lessons), size=self.plan.together)]
        share = progress.step / progress.total if progress.total else 0.0
        factor = min(1.0, (progress.step + 1) / 20) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share)))
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        self.optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            for lesson in chosen:
                error, common = self.errors(lesson)
                loss = (error + self.plan.evenness * _square(common)) / len(chosen)
                loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, 1e3)
        self.optimizer.step()
        progress.step += 1

    def _look(self, advance: Callable[[str], None]) -> None:
        progress = self.progress
        loss, strength = self.examine()
        progress.history.append((progress.step, loss))
        progress.since += 1
        if loss < progress.best:
            progress.best, progress.since = loss, 0
            self.best = [p.detach().clone() for p in self.parameters]
        advance(f"distill: step {progress.step} of {progress.total}, lattice {strength:.2f} levels")

    @torch.no_grad()
    def _set(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def _save(self) -> None:
        if self.checkpoint is None:
            return
        tensors: dict[str, Tensor] = {}
        for name, parameter, best in zip(self.student.trained, self.parameters, self.best, strict=True):
            state = self.optimizer.state[parameter]
            tensors |= {f"now.{name}": parameter.detach(), f"best.{name}": best}
            if "exp_avg" in state:
                tensors |= {f"mean.{name}": state["exp_avg"], f"square.{name}": state["exp_avg_sq"]}
        self.progress.write(self.checkpoint, self.mark, tensors)

    def _resume(self) -> None:
        """Go on from the checkpoint of the same training, if there is one."""
        found = Checkpoint.read(self.checkpoint, self.mark)
        if found is None or found[0].groups != self.progress.groups:
            return
        progress, tensors = found
        named = list(zip(self.student.trained, self.parameters, strict=True))
        shapes = {f"{kind}.{name}": p.shape for name, p in named for kind in ("now", "best")}
        if any(key not in tensors or tensors[key].shape != shape for key, shape in shapes.items()):
            return
        self.progress = progress
        with torch.no_grad():
            for index, (name, parameter) in enumerate(named):
                parameter.copy_(tensors[f"now.{name}"])
                self.best[index] = tensors[f"best.{name}"]
                if f"mean.{name}" in tensors:
                    self.optimizer.state[parameter] = {
                        "step": torch.tensor(float(progress.step)),
                        "exp_avg": tensors[f"mean.{name}"],
                        "exp_avg_sq": tensors[f"square.{name}"],
                    }


def _square(common: Tensor) -> Tensor:
    """Return the sum over channels of the mean square over phases."""
    return common.square().flatten(1).mean(1).sum()
