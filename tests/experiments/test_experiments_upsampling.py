"""The page on upsamplings says what the committed results say, and the measures do what they are said to."""

import re
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "experiments" / "upsampling"
sys.path.insert(0, str(FOLDER))

from candidates import CANDIDATES, PLAIN, kernel_of  # noqa: E402
from phase_statistics import on_noise, split, spread  # noqa: E402
from upsampling_tables import PAGE, TABLES, rendered, results  # noqa: E402

from uncheck.phases import matrix  # noqa: E402


def test_the_tables_of_the_page_are_made_from_the_results():
    text = PAGE.read_text()
    assert rendered(text, results()) == text


def test_a_number_changed_by_hand_is_noticed():
    text = PAGE.read_text()
    changed = re.sub(r"(\| transposed k3 s2 \| )0", r"\g<1>1", text, count=1)
    assert changed != text
    assert rendered(changed, results()) == text


def test_a_page_without_the_markers_of_a_table_is_refused():
    name = next(iter(TABLES))
    with pytest.raises(SystemExit, match=f"no markers for the table {name}; add <!-- {name} -->"):
        rendered("# Which\n", results())


@pytest.mark.parametrize("part", ["layers", "training", "cost"])
def test_results_say_what_they_were_made_with_and_name_no_host(part):
    machine = results()[part]["machine"]
    assert {"date", "versions", "processor", "python"} <= set(machine)
    assert "uncheck" in machine["versions"]


def test_every_candidate_was_measured_everywhere():
    measured = results()
    names = {c.name for c in CANDIDATES}
    assert {r["candidate"] for r in measured["layers"]["rows"]} == names
    losses = measured["training"]["settings"]["losses"]
    trained = [(r["candidate"], r["loss"], r["seed"]) for r in measured["training"]["rows"]]
    seeds = {seed for _, _, seed in trained}
    assert len(seeds) >= 2
    assert sorted(trained) == sorted((n, x, s) for n in names for x in losses for s in seeds)
    timed = {c.timed or c.name for c in (*CANDIDATES, *PLAIN)}
    assert {r["candidate"] for r in measured["cost"]["rows"]} == timed


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda c: c.name)
def test_the_kernel_of_a_candidate_is_its_layer_away_from_borders(candidate):
    torch.manual_seed(0)
    layer = candidate.make(2, 3).double()
    kernel = kernel_of(layer).double()
    x = torch.randn(1, 2, 12, 12, dtype=torch.float64)
    y = layer(x).detach()
    dense = matrix(kernel, (12, 12)) @ x.flatten()
    bias = kernel.phase_bias().repeat(1, 12, 12)
    torch.testing.assert_close(
        (dense.reshape(3, 24, 24) + bias)[:, 4:-4, 4:-4], y[0, :, 4:-4, 4:-4], atol=1e-6, rtol=0
    )


def test_phases_are_split_by_row_and_column():
    y = torch.zeros(1, 1, 12, 12)
    y[..., 1::2, 0::2] = 5
    assert split(y).mean(1).tolist() == [[0, 0, 5, 0]]


def test_the_spread_is_none_for_equal_phases_and_one_for_opposite():
    assert spread(torch.ones(3, 4)) == 0
    assert spread(torch.tensor([[1.0, -1.0, 1.0, -1.0]])) == 1
    assert spread(torch.zeros(3, 4)) == 0


def test_on_noise_a_k3_s2_layer_has_the_variances_its_taps_say():
    torch.manual_seed(0)
    found = on_noise(CANDIDATES[0].make(64, 64), 0)
    taps = torch.tensor([[1.0, 2, 2, 4]])
    assert found["variance_spread"] == pytest.approx(spread(taps), abs=0.03)
    assert found["ripple_after_relu"] == pytest.approx(spread(taps.sqrt()), abs=0.03)
