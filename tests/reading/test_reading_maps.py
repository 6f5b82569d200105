"""Every output of a network is a map with the right axes and periods, or named with a reason."""

from __future__ import annotations

from math import lcm

import pytest
import torch
from torch import nn

from oracles.reading_period import Planter, least_period
from reading.zoo_hidden import HIDDEN
from reading.zoo_networks import Fn
from reading.zoo_outputs import OUTPUTS, Output, up
from uncheck.errors import UncheckError
from uncheck.reading import OutputGrid, as_found, record
from uncheck.reading.axes import read_outputs


@pytest.mark.parametrize("case", OUTPUTS, ids=lambda case: case.name)
def test_outputs(case: Output) -> None:
    found = record(case.model(), *case.inputs())
    assert [grid.name for grid in found.outputs] == list(case.maps)
    for grid in found.outputs:
        expected = case.maps[grid.name]
        if isinstance(expected, str):
            assert grid.reason == expected
            continue
        shape, periods = expected
        assert grid.is_map, grid.reason
        assert tuple(grid.of(found.output).shape) == shape
        assert grid.size == shape[2:]
        assert grid.periods == periods
        assert grid.unknown == ()
        assert grid.explained == grid.size


@pytest.mark.parametrize("case", OUTPUTS, ids=lambda case: case.name)
def test_planted_patterns_have_these_periods_along_these_axes(case: Output) -> None:
    model, inputs = case.model(), case.inputs()
    found = record(model, *inputs)
    for stage in found.stages:
        stride = [int(s) for s in stage.stride]
        with as_found(model), torch.no_grad(), Planter(model, stage.key, stage.even_axes, stride):
            output = model(*inputs)
        for grid in found.outputs:
            periods = grid.periods[stage.index] if grid.is_map else None
            if periods is None or not grid.of(found.output).is_floating_point():
                continue
            planted = grid.of(output)
            later = [p for p in grid.periods[stage.index :] if p is not None]  # these leave their own, too
            for axis, period in enumerate(map(lcm, *later), start=2):
                if stage.ndim < grid.ndim and period == 1:  # planted at random along this one
                    continue
                assert least_period(planted, axis, 1, 2 * period, 1e-5) == period, (stage.name, grid.name)


@pytest.mark.parametrize("name", HIDDEN)
def test_stages_that_no_layer_is_named_for_account_for_the_size(name: str) -> None:
    make, shape, _ = HIDDEN[name]
    found = record(make().eval(), torch.full(shape, 0.7))
    (grid,) = found.outputs
    assert grid.periods == tuple(stage.output_period for stage in found.stages)
    assert grid.explained == grid.size


def test_a_map_of_another_batch_and_the_values_in_it() -> None:
    case = next(case for case in OUTPUTS if case.name == "all pixels of a batch in one axis")
    model, (x,) = case.model(), case.inputs()
    grid = record(model, x).outputs[0]
    many = torch.randn(7, *x.shape[1:])
    with torch.no_grad():
        assert torch.equal(grid.of(model(many)), model.up(many))


def test_the_frames_of_a_video_are_its_batch() -> None:
    case = OUTPUTS[0]
    model, x = case.model(), torch.randn(2, 4, 3, 8, 10)
    grid = record(model, x).outputs[0]
    with torch.no_grad():
        single = model.up(x[1, :, 2][None])
        assert torch.allclose(grid.of(model(x))[5], single[0], atol=1e-6)


def test_complex_numbers_become_two_channels() -> None:
    grid = OutputGrid("y", (), (2, 3, 4, 5), parts=((2,), (3,), (4,), (5,)), axes=(2, 3), channel=1)
    y = torch.randn(2, 3, 4, 5, dtype=torch.complex64)
    assert grid.maps(y).shape == (2, 6, 4, 5)
    assert torch.equal(grid.maps(y)[:, 3], y[:, 1].imag)


def test_what_enlarges_without_a_stage_is_not_explained() -> None:
    """Phases of the channels become positions: a stage that is missed leaves its factor unexplained."""

    def convex(self, x):
        y = self.conv(x)
        n, _, h, w = y.shape
        y = torch.tanh(y.view(n, 3, 2, 2, h, w)).permute(0, 1, 4, 2, 5, 3).reshape(n, 3, 2 * h, 2 * w)
        return self.last(y)

    model = Fn(convex, conv=nn.Conv2d(4, 12, 1), last=nn.Conv2d(3, 3, 3, padding=1))
    found = record(model, torch.randn(1, 4, 8, 8))
    graph = found.graph
    (grid,) = read_outputs(graph, (), [((), found.output, graph.outputs[0])], 2)
    assert grid.explained == (8, 8)
    (grid,) = read_outputs(graph, found.stages, [((), found.output, graph.outputs[0])], 2)
    assert grid.explained == ((16, 16) if found.stages else (8, 8))


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (
            nn.Sequential(nn.ConvTranspose2d(6, 5, 4), nn.ReLU(), nn.ConvTranspose2d(5, 3, 4, 2, 1)),
            (2, 6, 1, 1),
        ),
        (nn.Sequential(nn.ConvTranspose2d(6, 5, 4, 2), nn.ConvTranspose2d(5, 3, 4, 2, 1)), (2, 6, 1, 1)),
        (nn.Sequential(nn.ZeroPad2d(2), nn.Conv2d(6, 5, 3, padding=1), up(5)), (2, 6, 1, 1)),
        (nn.Sequential(nn.Linear(6, 80), nn.Unflatten(1, (5, 4, 4)), up(5)), (2, 6)),
    ],
    ids=["transposed from 1x1", "with stride from 1x1", "padded from 1x1", "unflattened"],
)
def test_networks_from_codes_explain_their_size(model: nn.Module, code: tuple[int, ...]) -> None:
    found = record(model, torch.randn(code))
    (grid,) = found.outputs
    assert grid.explained == grid.size
    stages = [lcm(*stage.output_period) for stage in found.stages if stage.output_period]
    assert [lcm(*periods) for periods in grid.periods if periods] == stages


def test_learned_constants_explain_their_size() -> None:
    model = Fn(lambda s, z: s.up(s.start.expand(len(z), -1, -1, -1) * s.style(z)[:, :, None, None]), up=up())
    model.start, model.style = nn.Parameter(torch.randn(1, 4, 4, 4)), nn.Linear(6, 4)
    (grid,) = record(model, torch.randn(2, 6)).outputs
    assert grid.explained == (8, 8)
    assert grid.periods == ((2, 2),)


def test_errors() -> None:
    grid = OutputGrid("y", ("y",), (2, 12, 3), parts=((2,), (3, 4), (3,)), axes=(1, 2), channel=3)
    with pytest.raises(UncheckError, match="'y' has 2 axes here and 3 in the recorded pass"):
        grid.maps(torch.zeros(2, 12))
    with pytest.raises(UncheckError, match="13 positions in one axis, which do not divide into rows of 4"):
        grid.maps(torch.zeros(2, 13, 3))
    with pytest.raises(UncheckError, match="did not return 'y' this time"):
        grid.of({"x": torch.zeros(2, 12, 3)})
    with pytest.raises(UncheckError, match="'y' is a NoneType this time"):
        grid.of({"y": None})
    with pytest.raises(UncheckError, match=r"'z' is no map \(is empty\)"):
        OutputGrid("z", (), (0,), reason="is empty").maps(torch.zeros(0))


def test_an_output_says_what_it_is() -> None:
    case = next(case for case in OUTPUTS if case.name == "weights of an attention")
    shown = [str(grid) for grid in record(case.model(), *case.inputs()).outputs]
    assert shown == [
        "0 (1x3x32x32): 32x32 positions",
        "1 (1x256x256): holds a value for each pair of positions, as attention does",
    ]
