"""Released networks, repaired on crops of 192 pixels."""

import pytest

import released
from uncheck.judging.acceptance import truth_loss
from uncheck.repairing.repair import repair

pytestmark = pytest.mark.slow


def test_fsrcnn_is_projected():
    inputs = released.ycbcr(released.crops(192)[::2])
    model = released.load("fsrcnn_x2")
    made = repair(model, inputs, method="project", even_if_invisible=True)
    assert made.repaired, made.refused
    assert made.judgement.worst() >= 5
    loss = truth_loss(made.judgement)
    assert loss is not None
    assert loss <= 0.05
    assert made.keys_kept


def test_a_generator_without_a_lattice_is_left_alone():
    model = released.load("cwgan_mnist")
    made = repair(model, released.example_input("cwgan_mnist", 256), even_if_invisible=True)
    assert not made.repaired
    assert made.refused[0].reason.startswith("nothing to repair")
