"""The two kinds of discriminator, the mosaics, and verdicts of made-up curves."""

import copy
import sys
from pathlib import Path

import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "gan")]

from gan_training import MOSAIC, discriminator, halving, mosaic, update  # noqa: E402
from gan_verdicts import conclude  # noqa: E402
from lab.config import read  # noqa: E402
from lab.generator import Generator  # noqa: E402

CONFIG = read(EXPERIMENTS / "gan" / "config.toml")


def gradient(kind):
    """Of the sum of one halving, on flat colour, away from borders: by phase of the input, (3, 4)."""
    torch.manual_seed(0)
    layer = torch.nn.Sequential(*halving(kind, 3, 5))
    x = torch.full((1, 3, 16, 16), 0.3, requires_grad=True)
    layer(x).sum().backward()
    inside = x.grad[0, :, 4:-4, 4:-4]
    return torch.stack([inside[:, i::2, j::2].mean((1, 2)) for i in (0, 1) for j in (0, 1)], 1)


def test_pooling_passes_gradients_evenly_and_strides_do_not():
    even, strided = gradient("k3 pooled"), gradient("k4 s2")
    assert (even.std(1) / even.abs().mean(1)).max() < 1e-4
    assert (strided.std(1) / strided.abs().mean(1)).min() > 0.05


@pytest.mark.parametrize("kind", ["k4 s2", "k3 pooled"])
def test_one_step_moves_both_networks(kind):
    torch.manual_seed(0)
    ours, judge = Generator("nearest", "nearest", base=4, width=4), discriminator(kind, 2, 16)
    adam = [torch.optim.Adam(n.parameters(), 1e-3) for n in (ours, judge)]
    before = [copy.deepcopy(list(n.parameters())) for n in (ours, judge)]
    loss = update(ours, judge, adam, torch.zeros(2, 3, 16, 16))
    assert 0 < loss < 10
    for network, was in zip((ours, judge), before, strict=True):
        assert any(not torch.equal(a, b) for a, b in zip(network.parameters(), was, strict=True))
    assert all(p.requires_grad for p in judge.parameters())


def test_the_generators_loss_leaves_nothing_in_the_discriminator():
    torch.manual_seed(0)
    ours, judge = Generator("nearest", "nearest", base=4, width=4), discriminator("k4 s2", 2, 16)
    still = [torch.optim.SGD(n.parameters(), 0.0) for n in (ours, judge)]
    update(ours, judge, still, torch.zeros(2, 3, 16, 16))
    left = [p.grad.clone() for p in judge.parameters()]
    # Recomputed from the discriminator's loss alone, on the same draws.
    torch.manual_seed(0)
    ours, judge = Generator("nearest", "nearest", base=4, width=4), discriminator("k4 s2", 2, 16)
    false = ours(torch.randn(2, 64)).detach()
    error = (1 - judge(torch.zeros(2, 3, 16, 16))).relu().mean() + (1 + judge(false)).relu().mean()
    error.backward()
    for mine, theirs in zip(left, judge.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs.grad, rtol=1e-4, atol=1e-6)


def test_a_mosaic_shows_the_first_pictures_in_rows():
    pictures = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 4, 4)
    rows, columns = MOSAIC
    seen = mosaic(pictures)
    assert seen.shape == (3, 4 * rows, 4 * columns)
    assert seen[0, ::4, ::4].tolist() == [
        [float(r * columns + c) for c in range(columns)] for r in range(rows)
    ]


def made_up(strengths):
    """Rows in which a network of this short name has these strengths after training, at periods 2 and 4."""
    rows = []
    for network in CONFIG["networks"]:
        for seed in (0, 1, 2):
            two, four = strengths.get(network["short"], (0.01, 0.01))
            start = [0.0, 0.0] if network["short"] == "ICNR" else [60.0, 60.0]
            rows.append(
                {
                    **network,
                    "seed": seed,
                    "steps": [0, 10, 100, 1000],
                    "strengths": [*start, 5.0, two + four],
                    **{f"{key}_2": [*start, 5.0, two] for key in ("single", "amplitude")},
                    **{f"{key}_4": [*start, 5.0, four] for key in ("single", "amplitude")},
                    **{f"spread_{part}": [0.87, 0.8, 0.7, 0.6] for part in ("first", "second")},
                }
            )
    return rows


AS_PREDICTED = {
    "two": (8.0, 10.0),
    "two, pooled": (6.0, 9.0),
    "one": (4.0, 0.1),
    "k4": (3.0, 3.0),
    "sub-pixel": (3.0, 3.0),
    "ICNR": (2.0, 2.0),
}


def test_what_was_predicted_is_confirmed():
    outcomes = {k: v["outcome"] for k, v in conclude(made_up(AS_PREDICTED), CONFIG).items()}
    assert set(outcomes.values()) == {"confirmed"}


@pytest.mark.parametrize(
    ("network", "strengths", "claim", "outcome"),
    [
        ("two", (8.0, 0.1), "two", "refuted"),
        ("one", (4.0, 1.0), "one", "refuted"),
        ("none", (0.01, 0.5), "none", "refuted"),
        ("k4", (0.1, 3.0), "k4", "refuted"),
        ("ICNR", (0.1, 0.1), "icnr", "refuted"),
        ("smooth", (0.01, 0.6), "smooth", "depends on the order"),
        ("two, pooled", (1.0, 9.0), "discriminator", "depends on the discriminator"),
    ],
)
def test_what_comes_out_otherwise_is_not(network, strengths, claim, outcome):
    rows = made_up({**AS_PREDICTED, network: strengths})
    assert conclude(rows, CONFIG)[claim]["outcome"] == outcome
