"""Evidence is gathered until it suffices, in batches where the network takes them."""

import time

import pytest
import torch
from torch import nn

from uncheck.probing import made_up
from uncheck.probing.evidence import Standing, gather
from uncheck.probing.forward import Runner


class Watched(nn.Module):
    """Notes the sizes of the batches it gets; takes only some if told so."""

    def __init__(self, net=None, only=None):
        super().__init__()
        self.net, self.only, self.sizes = net or nn.Conv2d(3, 3, 3, padding=1), only, []

    def forward(self, x):
        if self.only is not None and len(x) != self.only:
            raise ValueError("another batch size")
        self.sizes.append(len(x))
        return {"picture": self.net(x)}


class Judge:
    """The limit falls as the root of the number of outputs; a lattice is found at `found_at`."""

    def __init__(self, samples, limit, found_at=10**9):
        self.looks = 0
        self.count, self.first, self.samples, self.found_at, self.shapes = (
            samples,
            limit,
            samples,
            found_at,
            [],
        )

    def add(self, output):
        self.shapes.append(tuple(output["picture"].shape))
        self.count += len(output["picture"])

    def look(self):
        self.looks += 1
        return Standing(self.count >= self.found_at, self.first * (self.samples / self.count) ** 0.5)


def run(net, x, limit, **options):
    net.eval()
    runner = Runner(net, (x,), passes=1.0)
    with torch.no_grad():
        first = net(x)
    net.sizes.clear()
    judge = Judge(len(x), limit, options.pop("found_at", 10**9))
    found = gather(runner, first, judge.add, judge.look, threshold=0.3, **options)
    assert found.inputs == judge.count
    assert found.passes == pytest.approx(runner.passes - 1)
    return found, net, judge


def test_as_many_as_the_limit_asks_for_in_batches_of_eight():
    found, net, judge = run(Watched(), made_up((1, 3, 24, 24)), 1.2)
    assert (found.inputs, found.stopped) == (16, "limit")  # (1.2 / 0.3)^2
    assert found.limit <= 0.3
    assert net.sizes == [9, 7]  # the example among the first, to see that batches change nothing
    assert judge.looks == 3  # at 1, 9 and 16
    assert {shape[1:] for shape in judge.shapes} == {(3, 24, 24)}
    assert "stopped at 0.3 levels" in str(found)


def test_nothing_is_run_where_the_example_suffices():
    assert run(Watched(), made_up((8, 3, 24, 24)), 0.2)[0].passes == 0


def test_a_verdict_rests_on_eight_inputs_at_least():
    found, *_ = run(Watched(), made_up((1, 3, 24, 24)), 0.2)
    assert (found.inputs, found.stopped) == (8, "limit")


def test_it_stops_when_passes_or_seconds_run_out_and_says_so():
    found, *_ = run(Watched(), made_up((1, 3, 24, 24)), 9.0, most=20)
    assert found.stopped == "passes"
    assert 10 < found.passes <= 19
    assert "passes ran out at" in str(found)
    assert found.cure == "inputs"
    found, *_ = run(Watched(), made_up((1, 3, 24, 24)), 9.0, until=time.monotonic() - 1)
    assert (found.stopped, found.passes) == ("seconds", 0)
    # Processor time of the first batch, not the clock, tells what many more would take.
    found, *_ = run(Watched(), made_up((1, 3, 24, 24)), 9.0, work=1e-9)
    assert (found.inputs, found.stopped) == (9, "seconds")


def test_it_stops_when_a_lattice_shows():
    found, *_ = run(Watched(), made_up((1, 3, 24, 24)), 9.0, found_at=9)
    assert (found.inputs, found.stopped) == (9, "lattice")


def test_a_network_of_one_batch_size_is_run_at_that():
    found, net, _ = run(Watched(only=2), made_up((2, 3, 24, 24)), 0.6)
    assert (found.inputs, found.stopped) == (8, "limit")
    assert set(net.sizes) == {2}


def test_a_network_whose_samples_see_each_other_is_run_at_the_size_of_the_example():
    norm = nn.BatchNorm2d(3, track_running_stats=False)  # the statistics of the batch, also in eval mode
    found, net, judge = run(Watched(norm), made_up((2, 3, 24, 24)), 0.6)
    assert found.stopped == "limit"
    assert {shape[0] for shape in judge.shapes} == {2}
    assert net.sizes[0] > 2
    assert set(net.sizes[1:]) == {2}


def test_where_no_inputs_can_be_made_that_is_said():
    found, *_ = run(Watched(), torch.full((1, 3, 24, 24), 0.5), 9.0)
    assert (found.inputs, found.stopped) == (1, "inputs")

    class Picky(Watched):
        def forward(self, x):
            if not torch.equal(x[:1], self.known):
                raise ValueError("something else")
            return super().forward(x)

    net, x = Picky(only=1), made_up((1, 3, 24, 24))
    net.known = x
    assert run(net, x, 9.0)[0].stopped == "inputs"


def test_random_numbers_of_the_network_differ_from_run_to_run():
    class Noisy(Watched):
        def forward(self, x):
            self.sizes.append(len(x))
            self.drawn.append(float(torch.randn(())))
            return {"picture": x}

    net = Noisy(only=1)
    net.drawn = []
    run(net, made_up((1, 3, 24, 24)), 0.6)
    assert len(set(net.drawn[2:])) == len(net.drawn[2:])
