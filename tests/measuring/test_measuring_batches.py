"""Inspection, repair and training give one answer about the lattice of one batch."""

import numpy as np
import pytest
import torch

from uncheck.measuring.batches import amplitude_of, batch_lattice, interior
from uncheck.measuring.brought import certain_periods
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.observed import CERTAIN, TOGETHER, BatchComponent, observe
from uncheck.measuring.sets import VISIBLE_IN_SETS
from uncheck.training.sums import batch_sums

PERIODS = (2, 3, 4)


def pattern(count, size, amplitude, period=2, seed=0):
    """Pictures of smooth noise with a checkerboard of their common grid."""
    drawn = np.random.default_rng(seed).normal(0, 1, (count, size, size, 1))
    smooth = sum(np.roll(drawn, (i, j), (1, 2)) for i in range(4) for j in range(4)) * 10 + 128
    wave = np.cos(2 * np.pi * np.arange(size) / period)
    return (smooth + amplitude * wave[:, None, None] * wave[:, None]).astype(np.float32)


def answers(batch):
    """Periods by inspection, by the search for faults, and by the training monitor."""
    seen = {one.component.cycle for one in batch_lattice(batch, PERIODS).present}
    sums = batch_sums(torch.from_numpy(np.moveaxis(batch, -1, 1).copy()), PERIODS, (0.0, 255.0))
    strengths = sums.measured(VISIBLE_IN_SETS, SIGNIFICANCE).strengths
    return (
        seen,
        set(certain_periods(batch, None, PERIODS)),
        {p for p in PERIODS if strengths[p] > 0},
    )


@pytest.mark.parametrize("count", [1, 3, 12])
@pytest.mark.parametrize(("amplitude", "period"), [(0.0, 2), (3.0, 2), (3.0, 3)])
def test_inspection_repair_and_training_agree(amplitude, period, count):
    batch = pattern(count, 64, amplitude, period)
    assert answers(batch) == ({period} if amplitude else set(),) * 3


def test_all_agree_on_one_output_that_is_not_beyond_doubt():
    # Planted: repair once asked p < 1e-6 of any single output, and found nothing where inspection did.
    noise, doubtful = np.random.default_rng(5).normal(0, 8, (1, 64, 64, 1)), 0
    for amplitude in np.geomspace(0.5, 3, 16):
        one = (pattern(1, 64, amplitude) + noise).astype(np.float32)
        found = [found.component for found in batch_lattice(one, PERIODS).everything]
        if found and CERTAIN < found[0].p_value < SIGNIFICANCE:
            assert found[0].amplitude >= VISIBLE
            doubtful += 1
            assert answers(one) == ({2},) * 3
    assert doubtful >= 2


def test_one_output_has_one_lattice_with_all_its_lines():
    # Planted: the judge once knew the line with p < CERTAIN alone, and not the other one that is visible.
    turn = np.cos(np.pi * np.arange(64))
    grid = 2.5 * np.multiply.outer(turn, turn) + 1.2 * turn[:, None]
    one = pattern(1, 64, 0.0) + np.random.default_rng(0).normal(0, 8, (1, 64, 64, 1))
    one = (one + grid[:, :, None]).astype(np.float32)
    (seen,) = batch_lattice(one, PERIODS).present
    certain = observe(interior(one), PERIODS).where(2)[0]
    assert len(certain.lines) == 2
    assert lines_of(certain) == lines_of(seen.component)
    assert certain.amplitude == pytest.approx(seen.component.amplitude, rel=1e-6)


def lines_of(component):
    return {line.frequency for line in component.lines}


def test_what_one_output_of_several_shows_is_seen_and_certain():
    batch = pattern(5, 64, 0.0)
    batch[2] += pattern(1, 64, 2.0)[0] - pattern(1, 64, 0.0)[0]
    (found,) = batch_lattice(batch, PERIODS).present
    assert (found.component.cycle, found.view) == (2, 2)
    assert certain_periods(batch, None, PERIODS) == (2,)
    assert observe(interior(batch), PERIODS).where(2).keys() >= {2}


def test_a_faint_lattice_of_one_output_needs_a_small_p_value():
    # Planted: contents of photographs reach 1e-4 now and then; a trace of a single output is no fault yet.
    noise, seen = np.random.default_rng(5).normal(0, 1, (1, 64, 64, 1)), set()
    for amplitude in np.geomspace(0.05, 0.6, 25):
        one = (pattern(1, 64, amplitude) + noise).astype(np.float32)
        alone = find_lattice(interior(one)[0], periods=(2,)).everything
        size, p = (alone[0].amplitude, alone[0].p_value) if alone else (0.0, 1.0)
        certain = p < CERTAIN or (size >= VISIBLE and p < SIGNIFICANCE)
        assert bool(batch_lattice(one, (2,)).everything) == certain
        assert bool(certain_periods(one, None, (2,))) == certain
        seen.add((bool(alone), certain))
    assert seen == {(False, False), (True, False), (True, True)}


@pytest.mark.parametrize("view", [TOGETHER, 1])
def test_amplitude_of_a_component_in_another_batch(view):
    batch = pattern(5, 64, 4.0)
    (found,) = batch_lattice(batch, PERIODS).present
    other = pattern(5, 64, 1.0, seed=1)
    assert amplitude_of(other, BatchComponent(found.component, view)) == pytest.approx(1, abs=0.4)


def test_outputs_too_small_for_any_period_have_no_fault():
    assert certain_periods(pattern(4, 16, 3.0), None, (5,)) == ()


def test_faint_lattices_of_a_set_are_found_and_nothing_else():
    assert certain_periods(pattern(16, 64, 0.0), None, (2, 3, 4)) == ()
    assert certain_periods(pattern(16, 64, 0.1), None, (2, 3, 4)) == (2,)
    assert certain_periods(pattern(16, 64, 1.0, 3), None, PERIODS) == (3,)


def test_what_the_input_brings_is_no_fault():
    brought = pattern(9, 64, 3.0)
    assert certain_periods(brought, brought / 255, (2,)) == ()
    assert certain_periods(brought, pattern(9, 64, 0.0) / 255, (2,)) == (2,)
    # enlarged: period 2 of the input is period 4 of the output, and period 2 there is its own
    larger = brought.repeat(2, 1).repeat(2, 2)
    own = larger + pattern(9, 128, 3.0) - pattern(9, 128, 0.0)
    assert certain_periods(larger, brought / 255, (4,)) == ()
    assert certain_periods(own, brought / 255, (2, 4)) == (2,)
