"""The table ResizeConv chooses by: it is what its benchmark makes of the committed measurements."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from uncheck.layers import rule
from uncheck.layers.rule import LayerTraits, choose

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def chosen(width: int, size: int, batch: int = 1, **changes: object) -> str:
    traits = LayerTraits((2, 2), (3, 3), "nearest", width, width, 1)._replace(**changes)
    shape = torch.Size([batch, width, size, size])
    return choose(traits, shape, torch.float32, "cpu", True, False)


def test_the_committed_table_is_made_from_the_committed_measurements(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("resize_rule", BENCHMARKS / "resize_rule.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "resize_rule", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RULE", tmp_path / "rule.json")
    module.table()
    committed = Path(rule.__file__).with_name("rule.json")
    assert (tmp_path / "rule.json").read_text() == committed.read_text()
    machine = json.loads(committed.read_text())["measured_on"]
    assert {"date", "versions", "processor"} <= set(machine)


def test_the_fastest_is_chosen_and_a_near_tie_is_not(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("resize_rule", BENCHMARKS / "resize_rule.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.fastest({"plain": 1.0, "transposed": 0.5, "phases": 0.6}) == "transposed"
    assert module.fastest({"plain": 1.0, "transposed": 0.99, "phases": 2.0}) == "plain"
    assert module.fastest_finished({"plain": 0.1, "transposed": 0.9, "phases": 0.8}) == "phases"


def test_wide_layers_are_fused_and_the_nearest_cell_decides():
    torch.set_num_threads(1)
    assert chosen(128, 64) != "plain"
    assert chosen(120, 60) == chosen(128, 64)


def test_what_was_not_measured():
    assert chosen(128, 64, groups=128) == "plain"
    finished = LayerTraits((2, 2), (3, 3), "nearest", 8, 8, 8, True)
    assert choose(finished, torch.Size([1, 8, 4, 4]), torch.float32, "cpu", False, False) == "transposed"
    assert choose(finished, torch.Size([1, 8, 4, 4]), torch.float32, "cuda", False, False) == "transposed"
    assert choose(finished, torch.Size([1, 8, 4, 4]), torch.float32, "meta", False, False) == "plain"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_other_types_take_the_table_of_their_like(dtype):
    traits = LayerTraits((2, 2), (3, 3), "nearest", 128, 128, 1)
    shape = torch.Size([1, 128, 64, 64])
    like = torch.float32 if dtype == torch.float64 else torch.bfloat16
    assert choose(traits, shape, dtype, "cpu", True, False) == choose(traits, shape, like, "cpu", True, False)


@pytest.mark.parametrize("last", [False, True])
def test_layout_is_read_as_torch_reads_it(last):
    x = torch.randn(2, 3, 4, 5)
    weight = torch.randn(3, 3, 3, 3)
    one = weight.to(memory_format=torch.channels_last) if last else weight
    y = torch.nn.functional.conv2d(x, one)
    assert rule.channels_last(x, one) == y.is_contiguous(memory_format=torch.channels_last) == last
