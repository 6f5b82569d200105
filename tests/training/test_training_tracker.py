import json
import warnings

import pytest
import torch
from torch import nn

from uncheck.errors import UncheckError, UncheckWarning
from uncheck.measuring.frequencies import plan
from uncheck.measuring.sets import set_lattice, set_sums
from uncheck.training import LatticeMetric, LatticeTracker, StageGains

SPAN = (-1.0, 1.0)


def generator(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.ConvTranspose2d(8, 16, 3, 2),
        nn.BatchNorm2d(16),
        nn.Dropout2d(0.1),
        nn.ReLU(),
        nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(16, 16, 3, 2, 1)),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 3, 4, 2, 1),
        nn.Tanh(),
    )


def codes(count=16, seed=1):
    return torch.randn(count, 8, 4, 4, generator=torch.Generator().manual_seed(seed))


def quiet(*args, **options):
    return LatticeTracker(*args, **{"span": SPAN, "visible": 1e9, **options})


def train(model, steps, each, autocast=False):
    """A few steps with everything that could be disturbed: noise, dropout, statistics, Adam."""
    torch.manual_seed(7)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(steps):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            each()
            output = model(torch.randn(4, 8, 4, 4))
            loss = (output - torch.rand_like(output)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        each()
        optimizer.step()
        losses.append(loss.item())
        each()
    return losses


@pytest.mark.parametrize("autocast", [False, True])
def test_training_is_the_same_to_the_last_bit(autocast):
    plain, watched = generator(), generator()
    expected = train(plain, 6, lambda: None, autocast)
    random = torch.get_rng_state()
    tracker = quiet(watched, lambda: torch.randn(16, 8, 4, 4), every=1)
    assert train(watched, 6, tracker.step, autocast) == expected
    assert torch.equal(torch.get_rng_state(), random)
    assert len(tracker.history) == 18
    assert tracker.history[0].spreads
    for name, value in plain.state_dict().items():
        assert torch.equal(value, watched.state_dict()[name]), name
    assert watched.training


def test_a_forward_pass_of_ones_own_would_show():
    """The planted defect: the network run as it is, between the steps."""
    model = generator()
    assert train(model, 6, lambda: model(codes())) != train(generator(), 6, lambda: None)


def test_measures_what_the_metric_does():
    model = generator()
    tracker = quiet(model, codes(), every=5)
    measured = [tracker.step() for _ in range(10)]
    assert [i for i, m in enumerate(measured, start=1) if m is not None] == [5, 10]
    assert [m.step for m in tracker.history] == [5, 10]
    with torch.no_grad():
        images = model.eval()(codes())
    found = measured[4].values("")
    metric = LatticeMetric((2, 4, 8), span=SPAN)
    metric.update(images)
    for name, value in metric.compute().items():
        assert found[name] == pytest.approx(value.item(), rel=1e-6), name
    assert measured[4].strength > 1
    assert measured[4].spreads == StageGains(model, codes()).spreads(model)
    given = quiet(every=1, periods=(2, 4, 8)).step(images)
    assert given.strength == measured[4].strength
    assert given.spreads == {}
    assert quiet(every=2).step(lambda: 1 / 0) is None, "not made before it is needed"


def test_steps_that_skip():
    tracker = quiet(every=10)
    images = torch.rand(8, 3, 32, 32)
    for step in (4, 9, 11, 12, 29, 31, 40):
        tracker.step(images, step)
    assert [m.step for m in tracker.history] == [11, 29, 31, 40]


def test_going_back_to_an_earlier_step():
    tracker = quiet(every=1)
    for step in (1, 2, 3, 2):
        tracker.measure(torch.rand(8, 3, 32, 32), step)
    again = tracker.measure(torch.rand(8, 3, 32, 32))
    assert [m.step for m in tracker.history] == [0]
    assert tracker.history == [again]
    assert tracker.measure(torch.rand(8, 3, 32, 32), 0) == tracker.history[0] != again


def test_gain_spreads_follow_training():
    model = generator()
    tracker = quiet(model, codes(), every=1)
    first = tracker.step().spreads
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    second = tracker.step().spreads
    assert first["0"] != second["0"] == pytest.approx(0.19**0.5)  # taps 1, 2, 2, 4
    assert first["6"] == second["6"]


def test_tensorboard_reads_back_what_was_measured(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as board:
        tracker = quiet(generator(), codes(), every=2, logger=board)
        for _ in range(6):
            tracker.step()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert set(events.Tags()["scalars"]) == set(tracker.history[0].values())
    assert "lattice/gain_spread/4" in events.Tags()["scalars"]
    for name in events.Tags()["scalars"]:
        read = {event.step: event.value for event in events.Scalars(name)}
        wanted = {m.step: m.values()[name] for m in tracker.history}
        assert read == pytest.approx(wanted, rel=1e-6), name
        assert list(read) == [2, 4, 6]


def test_callables_and_other_loggers():
    lines, metrics = [], []

    class Logger:
        def log_metrics(self, values, step):
            metrics.append((step, values))

    images = torch.rand(8, 3, 32, 32)
    one = quiet(logger=lambda *line: lines.append(line), every=1, prefix="x/").step(images)
    two = quiet(logger=Logger(), every=1).step(images)
    assert ("x/strength_2", one.strengths[2], 1) in lines
    assert metrics == [(1, two.values())]
    with pytest.raises(UncheckError, match="logger cannot be a list; give a SummaryWriter"):
        LatticeTracker(logger=[])
    with pytest.raises(UncheckError, match="every must be a whole number of steps from 1, not 0"):
        LatticeTracker(every=0)


def warned(run):
    """The texts of all warnings of ours."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [str(w.message) for w in caught if issubclass(w.category, UncheckWarning)]


def lattice(amplitude):
    row = torch.arange(32)
    return torch.rand(8, 3, 32, 32) * 0.1 + amplitude / 127.5 * (-1.0) ** (row[:, None] + row)


@pytest.mark.integration
def test_warns_of_a_lattice_and_that_it_will_not_fade():
    tracker = LatticeTracker(span=SPAN, every=1, end=60)
    texts = warned(lambda: [tracker.step(lattice(5.0)) for _ in range(60)])
    assert len(texts) == 2, texts
    assert texts[0].startswith("LatticeTracker: period 2: 5.0")
    assert texts[1].startswith("LatticeTracker: the lattice will not fade: 5.0")
    assert tracker.trend().verdict == "will not fade"


@pytest.mark.integration
def test_a_fading_or_absent_lattice_gets_no_verdict_against_it():
    fading, none = LatticeTracker(span=SPAN, every=1, end=60), LatticeTracker(span=SPAN, every=1, end=60)
    texts = []
    for step in range(1, 61):
        texts += warned(lambda step=step: fading.step(lattice(20.0 * 2 ** -(step / 4))))
        texts += warned(lambda: none.step(lattice(0.0)))
    assert fading.trend().verdict == "clean"
    assert none.trend().verdict == "clean"
    assert not any("will not fade" in text for text in texts)
    assert not any(m.strength > 0.05 for m in none.history)


@pytest.mark.parametrize(
    ("model", "outputs", "message"),
    [
        (None, torch.full((4, 3, 32, 32), float("nan")), "are NaN or infinite"),
        (None, torch.rand(4, 3, 2, 2), "too small for periods"),
        (None, None, "there are no outputs; give some, or a model and inputs"),
        (None, lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (nn.Linear(4, 4), None, "returned no tensor"),
        (nn.Conv2d(5, 1, 3), None, "RuntimeError"),
    ],
)
def test_what_fails_is_warned_of_once_and_training_goes_on(model, outputs, message):
    tracker = LatticeTracker(model, torch.randn(2, 4) if model is not None else None, every=1)
    texts = warned(lambda: [tracker.step(outputs) for _ in range(4)])
    assert len(texts) == 1
    assert "training goes on" in texts[0]
    assert message in texts[0]
    assert tracker.history == []


def test_a_network_that_cannot_be_read_is_measured_still():
    class Odd(nn.Module):
        def forward(self, x):
            return x if x.shape[0] > 1 else [x]

    def broken(*_):
        raise OSError("disk full")

    tracker = LatticeTracker(Odd(), torch.rand(8, 3, 32, 32), every=1, logger=broken)
    texts = warned(lambda: [tracker.step(), tracker.step()])
    assert texts == ["LatticeTracker: the logger failed, and training goes on: disk full"]
    assert len(tracker.history) == 2


def test_replaced_layers_are_read_again():
    moved = LatticeTracker(nn.Sequential(nn.ConvTranspose2d(3, 3, 3, 2)), torch.rand(8, 3, 16, 16), every=1)
    one = moved.step()
    moved.model[0] = nn.ConvTranspose2d(3, 3, 3, 3)
    two = moved.step()
    assert moved.periods == (3,)
    assert one.spreads != two.spreads
    moved.model[0] = nn.Conv2d(9, 3, 3)
    texts = warned(lambda: [moved.step(torch.rand(8, 3, 32, 32)), moved.step(torch.rand(8, 3, 32, 32))])
    assert len([t for t in texts if "gain spreads are left out from here on" in t]) == 1, texts
    assert not moved.history[-1].spreads


def test_goes_on_after_a_checkpoint():
    one, two = quiet(every=2), quiet(every=2)
    for _ in range(5):
        one.step(lattice(2.0))
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert two.history == one.history
    assert two.step(lattice(2.0)).step == 6


def test_periods_of_the_stages_are_tested():
    torch.manual_seed(0)
    for stride in (3, 5):
        model = nn.Sequential(
            nn.Conv2d(4, 8, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(8, 3, stride + 1, stride)
        )
        tracker = quiet(model, torch.randn(8, 4, 12, 12), every=1)
        found = tracker.step()
        assert tracker.periods == (stride,)
        assert found.strengths[stride] > 1
    unknown = quiet(every=1)
    row = torch.arange(35) % 7 < 1
    unknown.step(torch.rand(8, 3, 35, 35) + row * 0.5)
    assert unknown.periods == tuple(range(2, 17))
    assert max(unknown.history[0].strengths) == 8, "what fits 35 pixels"
    assert unknown.history[0].strengths[7] > 5


def test_a_period_that_needs_the_whole_picture():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.ConvTranspose2d(4, 16, 4, 1, 0), nn.ReLU(), nn.ConvTranspose2d(16, 3, 16, 16), nn.Tanh()
    )
    tracker = quiet(model, torch.randn(16, 4, 1, 1), every=1)
    assert tracker.step().strengths[16] > 0.1


@pytest.mark.integration
def test_the_border_is_no_lattice():
    images = 0.1 * torch.rand(16, 3, 64, 64)
    images[..., ::5, :4] += 1.0
    images[..., ::5, -4:] += 1.0
    scheme = plan((64, 64), [5])
    whole = set_lattice(set_sums(255 * images.movedim(1, -1), scheme), scheme)
    assert whole.present[0].p_value < 1e-6, "with its border it would be"
    assert quiet(every=1).step(images).strengths[5] == 0
    images[..., ::5, :] += 1.0
    assert quiet(every=1).step(images).strengths[5] > 1


class Two(nn.Module):
    """Images, and larger features."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, x):
        image = self.up(x)
        return {"image": image, "features": nn.functional.interpolate(image, scale_factor=2)}


@pytest.mark.integration
def test_which_output():
    torch.manual_seed(0)
    model, x = Two(), torch.randn(8, 4, 16, 16)
    image = quiet(every=1).step(model(x)["image"].detach()).mean_strength
    by_key, by_call = quiet(model, x, output="image"), quiet(model, x, output=lambda o: o["image"])
    for tracker in (by_key, by_call):
        assert not warned(tracker.measure)
    assert by_key.history == by_call.history
    by_key._chosen = tuple(range(2, 17))
    assert by_key.measure().mean_strength == pytest.approx(image, rel=1e-4)
    largest = quiet(model, x)
    texts = warned(lambda: [largest.measure(), largest.measure()])
    assert texts == [
        "LatticeTracker: of several outputs output['features'] (3, 64, 64) is measured, not output['image'] "
        "(3, 32, 32); give output, the index or key, for another"
    ]
    texts = warned(quiet(model, x, output="picture").measure)
    assert "the network returned no output 'picture', but a dict" in texts[0]


def test_a_callable_for_the_outputs_disturbs_nothing():
    model, x = generator(), codes()
    expected = quiet(model, x, every=1, periods=(2,)).step()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    given = quiet(every=1, periods=(2,)).step(lambda: model(x + 0 * torch.randn(1)))
    assert given.strength == expected.strength
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    assert all(m.training for m in model.modules())
    assert torch.is_grad_enabled()


def test_once_means_once(monkeypatch):
    def broken(name, value, step):
        raise OSError(f"disk full at {step}")

    def bad(count):
        images = torch.rand(4, 3, 32, 32)
        images.view(-1)[:count] = float("nan")
        return images

    tracker = LatticeTracker(every=1, span=SPAN, logger=broken)
    texts = warned(lambda: [tracker.step(torch.rand(4, 3, 32, 32)) for _ in range(3)])
    texts += warned(lambda: [tracker.step(bad(count)) for count in (1, 2, 3)])
    assert len(texts) == 2, texts
    later = LatticeTracker(every=1, span=SPAN, logger=broken)
    later.load_state_dict(json.loads(json.dumps(tracker.state_dict())))
    assert not warned(lambda: [later.step(torch.rand(4, 3, 32, 32)), later.step(bad(9))])
    monkeypatch.setattr(later, "trend", lambda: 1 / 0)
    texts = warned(lambda: [later.step(torch.rand(4, 3, 32, 32)) for _ in range(3)])
    assert texts == ["LatticeTracker: no verdict was found, and training goes on: division by zero"]


@pytest.mark.integration
def test_a_lasting_lattice_is_told_once_over_a_checkpoint():
    one, two = LatticeTracker(span=SPAN, every=1, end=60), LatticeTracker(span=SPAN, every=1, end=60)
    assert len(warned(lambda: [one.step(lattice(5.0)) for _ in range(40)])) == 2
    two.load_state_dict(one.state_dict())
    assert not warned(lambda: [two.step(lattice(5.0)) for _ in range(5)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0.5}, "every must be a whole number of steps from 1, not 0.5"),
        ({"every": "a"}, "every must be a whole number of steps from 1, not a"),
        ({"periods": ()}, "periods are empty; give some"),
        ({"periods": (1,)}, "period 1 cannot be tested"),
        ({"span": (1, -1)}, "is no range; give the lowest value and the highest"),
        ({"span": 3}, "span 3 is no range"),
        ({"visible": 0}, "visible must be above 0 grey levels, not 0"),
        ({"significance": 2}, "significance must lie between 0 and 1, not 2"),
        ({"end": -1}, "training cannot end at step -1"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(UncheckError, match=message):
        LatticeTracker(**options)


@pytest.mark.integration
def test_mixed_and_half_precision():
    model = generator()
    full = quiet(model, codes(), every=1).step()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert quiet(model, codes(), every=1).step() == full, "measured outside autocast"
    with torch.no_grad():
        images = model.eval()(codes())
    for dtype, tolerance in ((torch.bfloat16, 0.02), (torch.float16, 0.002)):
        half = quiet(every=1).step(images.to(dtype))
        assert half.strength == pytest.approx(full.strength, rel=tolerance)
        assert half.mean_strength == pytest.approx(full.mean_strength, rel=tolerance)
    whole = quiet(model.bfloat16(), codes(), every=1).step()
    assert whole.strength == pytest.approx(full.strength, rel=0.1)
    assert whole.spreads == pytest.approx(full.spreads, abs=0.02)
