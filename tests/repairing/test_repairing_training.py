"""Training: the same each time, goes on after an interruption, ends with the best it had."""

import json
import os
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from cases import make_case
from judging.zoo import photographs
from tiers import cases, every
from uncheck.repairing.methods.distill import training as home
from uncheck.repairing.methods.distill.checkpoint import Checkpoint
from uncheck.repairing.methods.distill.student import make_student
from uncheck.repairing.methods.distill.teacher import cleaned_lessons, with_contrast
from uncheck.repairing.methods.distill.training import Training, TrainingPlan

STEPS = 24


class Net(nn.Module):
    def __init__(self, way="plain"):
        super().__init__()
        torch.manual_seed(0)
        self.way = way
        self.down = nn.Conv2d(3, 6, 3, 2, 1)
        self.up = nn.ConvTranspose2d(6, 6, 3, 2, 1, 1)
        self.head = nn.Conv2d(6, 3, 3, padding=1)

    def forward(self, x):
        y = self.down(x)
        if self.way == "writes":
            x -= 0.5
            y = y + x.mean()
        y = self.up(y)
        if self.way == "branches" and bool(y.mean() > self.limit):
            y = y.tanh()
        if self.way == "numbers":
            y = y * float(x.mean())
        return self.head(y.relu())


PICTURES = photographs(6, 48)


def quiet(text):
    assert text


def make(folder, *, net=None, checkpoint="distill.safetensors", mark="mark", rate=0.03, together=1, groups=0):
    """A training of the same network on the same lessons."""
    case = make_case(net or Net(), *PICTURES.clone().split(1), scale=(1.0, 1.0), faulty=(2,))
    lessons = cleaned_lessons(case, case.fit, 2)
    return Training(
        case,
        make_student(case, anew=True),
        lessons[:4],
        lessons[4:],
        plan=TrainingPlan(rate, 500.0, together),
        seed=3,
        checkpoint=folder / checkpoint if checkpoint else None,
        mark=mark,
        groups=groups,
    )


@pytest.fixture
def training(tmp_path):
    return partial(make, tmp_path)


def weights(one):
    return [p.detach().clone() for p in one.parameters]


def equal(one, two):
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def run(one, advance=quiet, **more):
    """So much time that the number of steps is STEPS."""
    return one.run(1e6, advance, most=STEPS, **more)


class Interrupted:
    """Ctrl-C at the n-th report."""

    def __init__(self, after):
        self.after, self.count = after, 0

    def __call__(self, text):
        self.count += 1
        if self.count == self.after:
            raise KeyboardInterrupt


def test_training_lowers_the_loss_and_the_lattice(training):
    one = training(checkpoint=None)
    one.case.model.requires_grad_(False)
    before = one.examine()
    assert run(one) is False
    after = one.examine()
    assert after[0] < before[0]
    assert one.progress.step == one.progress.total == STEPS
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in one.parameters)
    assert all(
        torch.equal(a, b) for a, b in zip(one.case.model.parameters(), Net().parameters(), strict=True)
    )


@pytest.mark.integration
@pytest.mark.parametrize("together", cases([1], [3]))
def test_two_trainings_are_one(training, together):
    made = []
    for _ in range(2):
        torch.manual_seed(len(made))  # nobody's random state matters
        one = training(checkpoint=None, together=together)
        run(one)
        made.append(weights(one))
    assert equal(*made)


@pytest.mark.integration
@pytest.mark.parametrize("after", cases([7], [1, 12]))
@pytest.mark.parametrize("adjusted", [False, True])
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(training, after, adjusted):
    def adjust(one, found):
        gains = [(0.05, 1.1 + float(one.parameters[0].detach().abs().mean()))] if found is None else found
        one.retarget(partial(with_contrast, gains=gains))
        return gains

    def more(one):
        return {"adjust": partial(adjust, one)} if adjusted else {}

    whole = training(checkpoint=None)
    run(whole, **more(whole))
    first = training()
    assert run(first, Interrupted(after), **more(first)) is True
    assert first.progress.step < STEPS
    second = training()
    assert not equal(weights(first), weights(whole))
    assert run(second, **more(second)) is False
    assert second.progress.history[-1][0] == STEPS
    assert [tuple(one) for one in second.progress.history] == whole.progress.history
    assert equal(weights(second), weights(whole))


def test_an_interrupted_training_ends_with_its_best(training):
    one = training()
    run(one, Interrupted(9))
    assert one.examine()[0] == pytest.approx(min(loss for _, loss in one.progress.history), rel=1e-5)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """The content of one checkpoint, to be copied and corrupted."""
    folder = tmp_path_factory.mktemp("interrupted")
    run(make(folder), Interrupted(6))
    return (folder / "distill.safetensors").read_bytes()


@pytest.mark.parametrize(
    "way", every(3, ["mark", "groups", "truncated", "empty", "text", "keys", "shape", "progress"])
)
def test_what_is_of_another_training_or_broken_is_left_alone(training, interrupted, tmp_path, way):
    path = tmp_path / "distill.safetensors"
    path.write_bytes(interrupted)
    if way == "truncated":
        path.write_bytes(interrupted[: len(interrupted) // 2])
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "text":
        path.write_text("nothing of the kind")
    elif way in ("keys", "shape", "progress"):
        with safe_open(path, "pt") as file:
            about, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        if way == "keys":
            tensors.pop("best.up.weight")
        elif way == "shape":
            tensors["now.up.weight"] = tensors["now.up.weight"][:1].clone()
        else:
            about["progress"] = json.dumps({"steps": 3})
        save_file(tensors, path, about)
    more = {"mark": {"mark": "another"}, "groups": {"groups": 5}}.get(way, {})
    anew = training(**more)
    start = weights(anew)
    anew.run(1e6, quiet, most=4)
    assert anew.progress.history[0][0] == 3
    plain = training(checkpoint=None)
    assert equal(start, weights(plain))
    plain.run(1e6, quiet, most=4)
    assert anew.progress.history == plain.progress.history


def test_an_intact_checkpoint_is_not_left_alone(training, interrupted, tmp_path):
    (tmp_path / "distill.safetensors").write_bytes(interrupted)
    going = training()
    going.run(1e6, quiet, most=4)
    assert going.progress.total == STEPS


def test_checkpoints_say_where_they_stand(training, tmp_path):
    path = tmp_path / "distill.safetensors"
    assert Checkpoint.read(path, "mark") is None
    assert Checkpoint.read(None, "mark") is None
    first = training(groups=7)
    run(first, Interrupted(6))
    progress, tensors = Checkpoint.read(path, "mark")
    assert (progress.groups, progress.step, progress.total) == (7, 8, STEPS)
    assert isinstance(progress, Checkpoint)
    assert set(tensors) == {
        f"{kind}.{name}" for kind in ("now", "best", "mean", "square") for name in first.student.trained
    }
    assert Checkpoint.read(path, "another") is None
    assert [x.name for x in tmp_path.iterdir()] == [path.name]


@pytest.mark.integration
def test_a_full_disk_costs_only_the_checkpoint(training, tmp_path, monkeypatch):
    plain = training(checkpoint=None)
    run(plain)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(home, "EVERY", 0.0)
    one = training()
    assert run(one) is False
    assert equal(weights(one), weights(plain))
    assert list(tmp_path.iterdir()) == []
    old = tmp_path / "distill.safetensors"
    old.write_bytes(b"older")
    run(training())
    assert old.read_bytes() == b"older"


@pytest.mark.integration
def test_a_folder_that_is_none_costs_only_the_checkpoint(training, tmp_path, monkeypatch):
    monkeypatch.setattr(home, "EVERY", 0.0)
    (tmp_path / "file").write_text("no folder")
    for place in ("missing/distill.safetensors", "file/distill.safetensors"):
        assert run(training(checkpoint=place)) is False


def test_the_best_is_kept_and_not_the_last(training, monkeypatch):
    one = training(checkpoint=None)
    losses = iter([5.0, 1.0, *[3.0] * 50])
    seen = []

    def examine():
        seen.append(weights(one))
        return next(losses), 0.0

    monkeypatch.setattr(one, "examine", examine)
    run(one)
    assert equal(weights(one), seen[1])
    assert not equal(weights(one), seen[-1])


def test_patience_ends_it(training, monkeypatch):
    one = training(checkpoint=None)
    losses = iter([5.0, 1.0, *[3.0] * 50])
    monkeypatch.setattr(one, "examine", lambda: (next(losses), 0.0))
    run(one)
    assert len(one.progress.history) == 2 + home.PATIENCE
    assert one.progress.step == one.progress.history[-1][0] < STEPS


def test_losses_that_are_no_numbers_leave_the_start(training, monkeypatch):
    one = training(checkpoint=None)
    start = weights(one)
    monkeypatch.setattr(one, "examine", lambda: (float("nan"), 0.0))
    run(one)
    assert equal(weights(one), start)
    assert len(one.progress.history) == home.PATIENCE


def test_no_time_ends_it_after_a_few_steps(training):
    one = training(checkpoint=None)
    assert one.run(0.0, quiet) is False
    assert one.progress.step <= 8


@pytest.mark.parametrize("way", cases(["writes"], ["plain", "branches", "numbers"]))
def test_memory_changes_nothing(training, monkeypatch, way):
    """With the frozen part remembered, recomputed, or gone another way in the middle of training."""
    Net.limit = 0.02 if way == "branches" else 0.0
    made = []
    for memory in (1e9, 0.0):
        monkeypatch.setattr(home, "MEMORY", memory)
        one = training(net=Net(way), checkpoint=None)
        assert len(one.kept) == (6 if memory else 0)
        given = [lesson.inputs[0].clone() for lesson in one.lessons]
        run(one)
        made.append(weights(one))
        assert all(torch.equal(a, b.inputs[0]) for a, b in zip(given, one.lessons, strict=True))
    for a, b in zip(*made, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-4)


def test_a_forward_that_cannot_be_replayed_is_run_whole(training, monkeypatch):
    def broken(self, inputs, memory):
        raise AttributeError("something of the network's own")

    monkeypatch.setattr(home.Tail, "__call__", broken)
    one = training(checkpoint=None)
    assert one.kept == {}
    run(one)


def test_a_memory_that_is_wrong_is_not_used(training, monkeypatch):
    right = home.Tail.__call__

    def wrong(self, inputs, memory):
        return right(self, inputs, memory) + 0.01

    monkeypatch.setattr(home.Tail, "__call__", wrong)
    assert training(checkpoint=None).kept == {}
