"""The search: what is repaired, what is refused and why, and what it leaves untouched."""

import copy
import importlib
import inspect
import json
import math
import random
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from repairing.zoo import Halved, is_held, pictures
from uncheck.advising import summarise
from uncheck.editing.edits import KINDS, Candidate, Spun
from uncheck.errors import Kind, Refused, UncheckError
from uncheck.repairing.clock import Clock
from uncheck.repairing.methods import METHODS
from uncheck.repairing.search import Search

module = importlib.import_module("uncheck.repairing.repair")
repair = module.repair
search = importlib.import_module("uncheck.repairing.search")
trials = importlib.import_module("uncheck.repairing.trials")

PICTURES = pictures()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Times of call need not be right here."""
    cost = importlib.import_module("uncheck.judging.cost")
    monkeypatch.setattr(cost, "SECONDS", 0.0)


def infinite(value):
    if isinstance(value, dict):
        return any(infinite(one) for one in value.values())
    if isinstance(value, list):
        return any(infinite(one) for one in value)
    return isinstance(value, float) and not math.isfinite(value)


@pytest.fixture(scope="module")
def projected():
    """One repair of an uneven upsampler, and what was said on the way."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("uncheck.judging.cost"), "SECONDS", 0.0)
        return repair(Halved(), PICTURES, minutes=5, progress=lambda *given: seen.append(given)), seen


def test_an_uneven_upsampler_is_projected(projected):
    made, seen = projected
    assert made.repaired
    assert made.method == "project"
    assert made.kind == KINDS[1]
    assert made.keys_kept
    assert made.before.strength > 2
    assert made.judgement.worst() > 20
    assert made.judgement.after.strength < made.before.strength / 20
    with torch.no_grad():
        assert made.model(PICTURES[2:3]).shape == (1, 3, 96, 96)
    assert "Halved repaired by project" in str(made)
    # what is said on the way
    assert all(isinstance(label, str) and label and 0 <= done <= total for label, done, total in seen)
    assert any("trying project" in label for label, *_ in seen)
    assert any("best lattice" in label for label, *_ in seen)
    assert [one.verdict for one in made.tried].count("kept") == 1


def test_the_report_has_the_keys_and_no_infinite_number(projected):
    report = projected[0].to_dict()
    assert not infinite(report)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert {
        "schema", "method", "kind", "before", "after", "fidelity", "sharpness_change", "cost", "refused",
    } <= set(report)  # fmt: skip
    for side in ("before", "after"):
        assert {"lattice", "strength"} <= set(report[side])
    assert {"psnr_to_original", "psnr_to_spun", "psnr_to_truth"} <= set(report["fidelity"])
    assert set(report["cost"]) == {"before_ms", "after_ms", "before_mb", "after_mb"}


@pytest.mark.integration
def test_the_report_of_a_refusal_has_the_same_keys(projected):
    report = projected[0].to_dict()
    refused = repair(Halved(), PICTURES, method="project", minutes=5, fidelity=99.0).to_dict()
    assert set(refused) == set(report)
    assert set(refused["fidelity"]) >= {"psnr_to_original", "psnr_to_spun", "psnr_to_truth"}
    assert set(refused["cost"]) == set(report["cost"])
    assert all(set(one) == {"method", "reason"} for one in refused["refused"])
    json.dumps(refused, allow_nan=False)


class Watched(Halved):
    """Notes what it is called with."""

    calls: list = []  # noqa: RUF012

    def __call__(self, x):
        self.calls.append(x)
        return super().__call__(x)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["project", "match", "spin", "distill"])
def test_inputs_to_judge_on_are_shown_to_no_method(monkeypatch, name):
    made = []

    def method(case, advance, **more):
        candidates = real(case, advance, **more)
        while True:
            before = len(Watched.calls)
            try:
                candidate = next(candidates, None)
            finally:
                made.extend(Watched.calls[before:])
            if candidate is None:
                return
            yield candidate

    short_training(monkeypatch)
    home = importlib.import_module(f"uncheck.repairing.methods.{name}")
    real = getattr(home, name)
    monkeypatch.setattr(home, name, method)
    Watched.calls.clear()
    result = repair(Watched(), PICTURES, method=name, minutes=5)
    assert result.tried
    assert not any(is_held(x) for x in made)
    assert made or name in ("project", "match")
    # the spy sees them where they belong
    assert any(is_held(x) for x in Watched.calls)
    assert any(not is_held(x) for x in Watched.calls)


def short_training(monkeypatch, steps=40, targets=6):
    """Trainings of so many steps, however long a step takes."""
    training = importlib.import_module("uncheck.repairing.methods.distill.training")
    distill = importlib.import_module("uncheck.repairing.methods.distill.lessons")
    real = training.Training.run

    def run(self, seconds, advance, **more):
        return real(self, 1e6, advance, **{**more, "most": steps})

    monkeypatch.setattr(training.Training, "run", run)
    monkeypatch.setattr(distill, "MOST_CUTS", targets)


def test_the_users_model_and_the_process_stay_as_they_are():
    model = Halved().train()
    model.head.eval()
    model.register_buffer("count", torch.zeros(3))
    hook = model.register_forward_hook(lambda *given: None)
    model.up.weight.requires_grad_(False)
    model.down.weight.grad = torch.ones_like(model.down.weight)
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    given = PICTURES.clone()
    repair(model, given, method="spin", minutes=5)
    assert torch.equal(given, PICTURES)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]
    assert torch.is_grad_enabled()
    after = model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert [m.training for m in model.modules()] == [True, True, True, False]
    assert list(model._forward_hooks) == [hook.id]
    assert not model.up.weight.requires_grad
    assert model.down.weight.requires_grad
    assert torch.equal(model.down.weight.grad, torch.ones_like(model.down.weight))
    assert isinstance(model.up, nn.ConvTranspose2d)


def test_spinning_is_found_too():
    made = repair(Halved(), PICTURES, method="spin", minutes=5)
    assert made.repaired
    assert made.method == "spin"
    assert made.judgement.worst() > 20
    assert made.judgement.fidelity.psnr_to_spun > made.judgement.fidelity.psnr_to_spun_before


@pytest.mark.integration
def test_distilling_is_found_too(monkeypatch, tmp_path):
    short_training(monkeypatch, steps=60)
    checkpoint = tmp_path / "distill.safetensors"
    made = repair(Halved(0.1), PICTURES, method="distill", minutes=5, checkpoint=checkpoint)
    assert [one.method for one in made.tried] == ["distill"]
    assert made.judgement is not None, made.refused
    assert made.kind == KINDS[2]
    assert made.judgement.after.strength < made.before.strength / 4
    assert not checkpoint.exists()
    again = repair(Halved(0.1), PICTURES, method="distill", minutes=5)
    state = again.model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in made.model.state_dict().items())


@pytest.mark.integration
def test_an_interrupted_distillation_goes_on(monkeypatch, tmp_path):
    short_training(monkeypatch, steps=60)
    checkpoint = tmp_path / "distill.safetensors"

    def stop(label, done, total):
        if "step 20 of" in label:
            raise KeyboardInterrupt

    first = repair(Halved(0.1), PICTURES, method="distill", minutes=5, checkpoint=checkpoint, progress=stop)
    assert [one.method for one in first.tried] == ["distill"]
    assert any("interrupted" in note for note in first.notes)
    assert checkpoint.is_file()
    second = repair(Halved(0.1), PICTURES, method="distill", minutes=5, checkpoint=checkpoint)
    whole = repair(Halved(0.1), PICTURES, method="distill", minutes=5)
    state = whole.model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in second.model.state_dict().items())
    assert not checkpoint.exists()


@pytest.mark.integration
def test_ctrl_c_keeps_the_best_so_far():
    def stop(label, done, total):
        if label == "trying match":
            raise KeyboardInterrupt

    def good(judged):
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "is_good", good)
        made = repair(Halved(), PICTURES, minutes=5, progress=stop)
    assert made.method == "project"
    assert "interrupted: this is the best so far" in made.notes
    assert made.model is not None


def test_ctrl_c_before_anything_leaves_nothing():
    def stop(label, done, total):
        if label == "judging the original":
            raise KeyboardInterrupt

    made = repair(Halved(), PICTURES, minutes=5, progress=stop)
    assert not made.repaired
    assert made.interrupted
    assert made.before is None
    assert "interrupted: this is the best so far" in made.notes
    json.dumps(made.to_dict(), allow_nan=False)


@pytest.mark.integration
def test_ctrl_c_while_timing_costs_the_timing():
    def stop(label, done, total):
        if label == "timing both networks":
            raise KeyboardInterrupt

    made = repair(Halved(), PICTURES, method="project", minutes=5, progress=stop)
    assert made.repaired
    assert made.cost is None
    assert made.notes[-1] == "interrupted while timing: what it costs is not known"


@pytest.mark.parametrize("error", [RuntimeError("no such thing\nmore"), AttributeError("x"), KeyError("y")])
def test_a_method_that_fails_costs_only_itself(monkeypatch, error):
    def broken(case, advance):
        raise error
        yield

    monkeypatch.setattr(search, "FAILURES", (Exception,))
    monkeypatch.setattr(importlib.import_module("uncheck.repairing.methods.project"), "project", broken)
    made = repair(Halved(), PICTURES, method="project", minutes=5)
    assert not made.repaired
    (only,) = made.refused
    assert only == Refused(Kind.failed, f"it failed ({str(error).splitlines()[0]})", "project")
    assert "more" not in str(made)


def reasons(made):
    assert not made.repaired
    assert made.method is None
    assert made.kind is None
    return {one.where: one.reason for one in made.refused}


@pytest.mark.integration
def test_too_much_fidelity_is_refused_with_the_figure():
    made = repair(Halved(), PICTURES, method="project", minutes=5, fidelity=99.0)
    assert "dB to the original's output, below the 99 dB asked for" in reasons(made)["project"]
    assert all(one.verdict != "kept" for one in made.tried)
    assert "was not repaired: project:" in str(made)


def test_nothing_to_repair():
    made = repair(Halved(0.0), PICTURES, minutes=5)
    assert reasons(made) == {"all": "nothing to repair: the outputs show no lattice"}
    assert made.before is not None
    assert made.tried == ()


def test_an_operation_that_is_not_understood_is_named():
    class Odd(Halved):
        def forward(self, x):
            y = super().forward(x)
            return y + 0 * torch.sort(y)[0]

    reason = reasons(repair(Odd(), PICTURES, minutes=5))["all"]
    assert reason.startswith("not understood on the signal path: ")
    assert "sort" in reason


class Drawn(nn.Module):
    """Pictures from codes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(4, 3 * 16 * 16)
        self.up = nn.ConvTranspose2d(3, 3, 3, 2, 1, 1)

    def forward(self, z):
        return self.up(0.5 + 0.1 * self.first(z).reshape(-1, 3, 16, 16)).sigmoid()


def test_codes_are_not_spun():
    made = repair(Drawn(), torch.randn(40, 4, generator=torch.Generator().manual_seed(0)), method="spin")
    assert "driven by codes" in reasons(made)["spin"]


def test_networks_that_enlarge_are_not_spun():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = Halved().up

        def forward(self, x):
            return self.up(x)

    made = repair(Twice(), PICTURES, method="spin", minutes=5)
    assert "one input pixel is 2 output pixels" in reasons(made)["spin"]


def test_too_little_time_is_said():
    made = repair(Halved(), PICTURES, method="distill", minutes=0.02)
    assert "too few to train; give more --minutes" in reasons(made)["distill"]


def test_wrong_options_are_named():
    with pytest.raises(UncheckError, match="there is no method 'magic': use auto, project, match, distill"):
        repair(Halved(), PICTURES, method="magic")
    for minutes in (0, -1, math.inf, math.nan):
        with pytest.raises(UncheckError, match=r"minutes \S+ is no time: give more than 0"):
            repair(Halved(), PICTURES, minutes=minutes)
    with pytest.raises(UncheckError, match="at least 2 inputs"):
        repair(Halved(), PICTURES[:1])


@pytest.mark.integration
def test_large_inputs_are_judged_on_their_middle(monkeypatch):
    monkeypatch.setitem(importlib.import_module("uncheck.repairing.inputs").JUDGED, 2, 64)
    seen = []
    real = search.Verifier

    def verifier(case, **more):
        seen.extend(case.held)
        return real(case, **more)

    monkeypatch.setattr(search, "Verifier", verifier)
    repair(Halved(), PICTURES, method="project", minutes=5)
    assert [tuple(x.shape) for (x,) in seen] == [(1, 3, 64, 64)] * 2
    assert torch.equal(seen[0][0], PICTURES[2:3, :, 16:80, 16:80])


def test_the_nearest_miss_is_chosen_by_kind_and_not_by_words(monkeypatch):
    def trial(kind, strength):
        judged = SimpleNamespace(after=SimpleNamespace(strength=strength))
        return trials.Trial(None, judged, Refused(kind, "any words"))

    monkeypatch.setattr(trials, "rank", lambda judged: judged.after.strength)
    weak, strong = trial(Kind.lattice, 1.0), trial(Kind.lattice, 2.0)
    assert trials.nearest_miss([strong, weak]) is weak
    harmful, better = trial(Kind.harm, 3.0), trial(Kind.harm, 4.0)
    assert trials.nearest_miss([strong, harmful, better, weak]) is better


def test_every_method_in_the_list_has_its_function():
    for one in METHODS:
        home = importlib.import_module(f"uncheck.repairing.methods.{one.name}")
        assert set(one.takes) <= set(inspect.signature(getattr(home, one.name)).parameters)


def test_a_lattice_too_weak_to_be_seen_is_left_unless_told():
    made = repair(Halved(0.001), PICTURES, minutes=5, method="project")
    assert reasons(made) == {"all": "nothing to repair: its lattice is too weak to be seen"}
    assert made.before.lattice[0].significant
    said = summarise(made.to_dict())
    assert said.what.startswith("Nothing to repair in Halved: its grid of period 2x1, invisible, 0.")
    assert said.todo == "Nothing; --even-if-invisible repairs it all the same."
    told = repair(Halved(0.001), PICTURES, minutes=5, method="project", even_if_invisible=True)
    assert told.repaired


def asked(given, spent, judging, one_run, runs=16):
    """A search of which only the time is known."""
    case = SimpleNamespace(held=(None,) * 4)
    clock = Clock(given, None, began=time.monotonic() - spent)
    return Search(case, clock, None, 0, None, judging=judging, one_run=one_run, spun_runs=runs)


def test_a_training_leaves_time_to_judge_it_and_for_the_last_resort():
    # 15 to judge it, 24 to time it, and 1.3 times the 10 + 15 * 6 of all shifts
    assert asked(600, 0, 10, 1)._reserve() == pytest.approx(15 + 24 + 130)
    assert asked(600, 0, 10, 5)._reserve() == pytest.approx(15 + 24 + 0.3 * 600)
    assert asked(600, 0, 10, 1, runs=0)._reserve() == pytest.approx(15 + 24)
    assert asked(600, 590, 10, 1)._reserve() == pytest.approx(5, abs=0.1)


def test_no_candidate_is_judged_that_would_end_too_late():
    spin = next(method for method in METHODS if method.last_resort)
    sixteen = Candidate("spin", "all", KINDS[1], (Spun(tuple((i, 0) for i in range(16))),))
    assert asked(100, 1, 10, 1)._has_time_for(sixteen, spin)  # 1 + 10 + 15 * 6 = 101, of 103
    assert not asked(100, 5, 10, 1)._has_time_for(sixteen, spin)
