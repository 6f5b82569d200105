"""The mathematics of the boundary experiment: reach, rings, and borders against the package's measure."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "boundary")]

from boundary_decoders import as_levels, borders, by_ring, decoder, rings  # noqa: E402
from boundary_sizes import reach  # noqa: E402

from uncheck.probing.edges import edge_of_crop  # noqa: E402

LAYERS = ("zeros k3", "replicate k3", "zeros k5", "circular k3", "deconv k3", "deconv k4")


def test_reach_counts_from_sizes():
    assert [reach("zeros k3", n) for n in (1, 2, 3)] == [1, 3, 7]
    assert [reach("deconv k4", n) for n in (1, 2, 3)] == [1, 3, 7]
    assert [reach("replicate k5", n) for n in (1, 2, 3)] == [2, 6, 14]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("stages", [1, 2])
def test_a_cut_changes_pixels_as_deep_as_reach_says_and_no_deeper(name, stages):
    torch.manual_seed(0)
    model = decoder(name, stages, 8).double()
    x = torch.rand(2, 3, 24, 24, dtype=torch.float64)
    f = 2**stages
    with torch.no_grad():
        whole, part = model(x), model(x[..., 6:18, 6:18])
    changed = (part - whole[..., 6 * f : 18 * f, 6 * f : 18 * f]).abs().amax((0, 1))
    deepest = int(rings(12 * f)[changed > 1e-9].max()) + 1
    assert deepest == reach(name, stages)


def test_strength_is_the_packages_and_the_rings_agree_with_it():
    torch.manual_seed(1)
    model, x = decoder("zeros k3", 2, 8), torch.rand(3, 3, 24, 24)
    found = borders(model, 2, x, 8, 255.0)
    with torch.no_grad():
        whole, part = model(x), model(x[..., 8:16, 8:16])
    edge = edge_of_crop(as_levels(whole, 255.0), as_levels(part, 255.0), (32, 32))
    assert found["cut"] == {"depth": edge.depth, "strength": round(edge.strength, 3)}
    assert max(found["cut_by_ring"]) == pytest.approx(edge.strength, rel=1e-3)
    # Beyond reach nothing changes; one pixel off, everything does.
    assert max(found["cut_by_ring"][3:]) < 1e-3
    wrong = (as_levels(part, 255.0) - as_levels(whole[..., 33:65, 32:64], 255.0)) ** 2
    assert min(by_ring(torch.from_numpy(wrong.mean((0, 3))))) > 0.5


def test_zeros_show_on_flat_colour_and_replication_does_not():
    for name, visible in (("zeros k3", True), ("deconv k4", True), ("replicate k3", False)):
        torch.manual_seed(2)
        found = borders(decoder(name, 2, 8), 2, torch.rand(2, 3, 24, 24), 8, None)
        assert (found["flat"]["strength"] > 0.5) == visible


def test_reflect_and_replicate_k3_are_one_after_nearest_by_two():
    outputs = []
    for name in ("reflect k3", "replicate k3", "reflect k5", "replicate k5"):
        torch.manual_seed(3)
        model = decoder(name, 2, 8).double()
        with torch.no_grad():
            outputs.append(model(torch.rand(1, 3, 8, 8, dtype=torch.float64)))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=1e-12)
    assert float((outputs[2] - outputs[3]).abs().max()) > 1e-3


def test_rings_and_their_means():
    assert rings(4).tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    squares = torch.from_numpy(np.where(rings(6).numpy() == 1, 4.0, 9.0))
    assert by_ring(squares, 3) == [3.0, 2.0, 3.0]
