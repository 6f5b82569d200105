"""Verification on released networks: what is known of their lattices comes out."""

import numpy as np
import pytest
import torch

import released
from uncheck.judging.verifier import Verifier
from uncheck.repairing.prepare import prepare
from uncheck.repairing.truth import self_truth


@pytest.mark.integration
def test_super_resolution_is_judged_by_its_own_truth():
    case = prepare(released.load("espcn_x3"), released.luma(released.crops(192)))
    verifier = Verifier(case, truth=self_truth(case))
    (shown,) = verifier.before.lattice
    assert shown.period == (3, 3)
    assert 0.03 < shown.amplitude < 0.3
    # equal gains and biases of the phases: constant colours come out constant
    repaired = case.copy()
    conv = repaired.conv3.conv
    gains = conv.weight.sum((2, 3), keepdim=True)
    conv.weight += (gains.mean(0, keepdim=True) - gains) / 9
    conv.bias[:] = conv.bias.mean()
    judged = verifier.judge(repaired)
    assert max(judged.after.colours.values()) < 1e-3 < min(judged.before.colours.values())
    assert judged.worst() > 1
    assert abs(judged.fidelity.psnr_to_truth - judged.fidelity.psnr_to_truth_before) < 0.05
    assert abs(judged.sharpness_change) < 0.01


@pytest.mark.parametrize("name", [pytest.param("cwgan_mnist", marks=pytest.mark.integration), "cvae_sketch"])
def test_clean_generators_show_nothing(name):
    before = Verifier(prepare(released.load(name), released.example_input(name, 512))).before
    assert before.lattice == ()
    assert before.second_order == ()


@pytest.mark.integration
def test_generator_shows_its_lattice_over_many_outputs():
    before = Verifier(prepare(released.load("dcgan_svhn"), released.example_input("dcgan_svhn", 512))).before
    found = {np.lcm.reduce(s.period): s.amplitude for s in before.lattice}
    assert 0.1 < found[4] < 0.3
    assert 0.03 < found[2] < 0.15


@pytest.mark.slow
def test_spinning_takes_the_lattice_of_a_style_network():
    case = prepare(released.load("style_rain_princess"), released.kodak(256)[:6] * 255)

    class Spun(torch.nn.Module):
        def forward(self, x):
            turned = [
                case.model(x.roll((a, b), (2, 3))).roll((-a, -b), (2, 3)) for a in range(4) for b in range(4)
            ]
            return torch.stack(turned).mean(0)

    judged = Verifier(case).judge(Spun())
    assert judged.before.strength > 8
    assert judged.worst() > 30
    assert not any(s.significant for s in judged.after.lattice)
