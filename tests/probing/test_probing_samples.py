"""Some samples of inputs, however deep they lie, stand for all of them."""

import numpy as np
import pytest
import torch
from torch import nn

from uncheck.measuring.components import Component
from uncheck.measuring.observed import TOGETHER, BatchComponent
from uncheck.probing import made_up
from uncheck.probing.alike import Alike
from uncheck.probing.forward import OutputView, Runner, levels
from uncheck.probing.representatives import first_samples, simplest
from uncheck.probing.samples import goes_along, outputs_showing, samples_of
from uncheck.reading import read_possible, record


class Conditioned(nn.Module):
    """Holds its input, brightened by what lies in a nest beside it."""

    def forward(self, x, beside):
        return nn.functional.interpolate(x, scale_factor=2.0) + beside["codes"][0][:, :, None, None]


def case():
    x = made_up((4, 3, 16, 16))
    beside = {"codes": [torch.arange(4.0)[:, None] / 10], "scale": torch.ones(7), "name": "four"}
    return x, beside


def test_every_tensor_with_one_part_a_sample_is_cut():
    x, beside = case()
    cut, nest = samples_of((x, beside), slice(1, 3), 4)
    assert torch.equal(cut, x[1:3])
    assert torch.equal(nest["codes"][0], beside["codes"][0][1:3])
    assert torch.equal(nest["scale"], torch.ones(7))  # as long as nothing
    assert nest["name"] == "four"
    assert len(beside["codes"][0]) == 4  # what was given stays
    assert not goes_along(torch.tensor(4.0), 4)


def test_a_component_is_seen_in_all_outputs_or_in_one():
    batch = np.arange(3 * 4 * 4, dtype=np.float32).reshape(3, 4, 4, 1)
    found = Component((2, 2), 1.0, 0.0)
    assert outputs_showing(batch, BatchComponent(found, TOGETHER)) is batch
    assert np.array_equal(outputs_showing(batch, BatchComponent(found, 2)), batch[2:])


def test_the_first_samples_of_nested_inputs_run_as_they_did_among_all():
    model, (x, beside) = Conditioned().eval(), case()
    runner = Runner(model, (x, beside))
    outputs = runner()
    few, kept = first_samples(runner, outputs.numpy(), 3)
    assert torch.equal(few(), outputs[:3])
    assert np.array_equal(kept, outputs[:3].numpy())
    assert first_samples(runner, outputs.numpy(), 4)[0] is runner


def test_one_sample_of_nested_inputs_stands_for_all_where_it_shows_the_lattice():
    model, (x, beside) = Conditioned().eval(), case()
    grid = torch.zeros(16, 16)
    grid[::2] = 0.2
    x = x / 10 + grid
    recording = record(model, x, beside)
    outputs = recording.outputs[0]
    values, span = levels(outputs.of(recording.output), (0.0, 1.0))
    view = OutputView(outputs, span, read_possible(recording, outputs, (4,)), 0.3)
    present = view.lattice(values).present
    assert present
    runner = Runner(model, (x, beside))
    one, shown, there = simplest(runner, present, values, view)
    assert len(one.signal) == len(shown) == 1
    assert {found.view for found in there} == {TOGETHER}
    assert np.allclose(view(one()), shown, rtol=0.0, atol=1e-3)


def test_more_inputs_have_the_nests_that_belong_to_them():
    x, beside = case()
    more, nest = Alike((x, beside))(6)
    assert len(more) == len(nest["codes"][0]) == 6
    assert nest["codes"][0][:, 0].tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.0, 0.1])
    assert len(nest["scale"]) == 7
    maps = Alike((x, {"again": x.clone()}))(6)
    assert torch.equal(maps[1]["again"], maps[0])  # maps are changed like the signal, wherever they lie
