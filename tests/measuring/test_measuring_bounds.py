"""The bound of what all outputs may hold covers it, also where the strength of a lattice varies."""

import numpy as np
import pytest

from uncheck.measuring import bounds
from uncheck.measuring.batches import Outputs
from uncheck.measuring.bounds import upper_ends
from uncheck.measuring.frequencies import plan
from uncheck.measuring.sets import add, set_sums

SIZE, TRUE, DRAWS = 256, 0.2, 80


def outputs_of_varying_strength(count, seed):
    """Noise with a stripe of period 2 whose amplitude is 0.2 levels in the mean and varies by 0.8."""
    rng = np.random.default_rng(seed)
    strength = TRUE + rng.gamma(1.0, 0.8, count) - 0.8
    stripe = np.cos(np.pi * np.arange(SIZE))
    noise = rng.normal(0, 1, (count, SIZE, 1))
    return (128 + noise + (strength[:, None] * stripe)[..., None]).astype(np.float32)


def covered(count):
    scheme, ends = plan((SIZE,), (2, 4)), []
    for seed in range(DRAWS):
        ends.append(upper_ends(set_sums(outputs_of_varying_strength(count, seed), scheme), scheme)[2])
    return np.mean([end.amplitude >= TRUE for end in ends])


@pytest.mark.parametrize("count", [8, 32])
def test_the_bound_covers_the_mean_of_all_outputs(count):
    assert covered(count) >= 0.95


def test_without_the_standard_error_it_does_not(monkeypatch):
    # Planted: the amplitude of the mean at hand alone, whose t is 0.
    monkeypatch.setattr(bounds, "CONFIDENCE", 0.5)
    assert covered(32) < 0.9


def test_it_is_what_single_outputs_tell():
    scheme, batch = plan((SIZE,), (2,)), outputs_of_varying_strength(8, 0)
    known = np.nan_to_num(scheme.sums)[0]

    def power_of(spectra):
        # Of one line, what the other directions of the K coefficients hold is chance.
        mu = (spectra * known).sum() / (known**2).sum()
        rest = np.abs(spectra - mu * known) ** 2
        return abs(mu) ** 2 - rest.sum() / (len(known) - 1) / (known**2).sum()

    singles = [set_sums(one[None], scheme).plain_mean[0, 0] for one in batch]
    power = power_of(np.mean(singles, axis=0))
    error = (np.mean([power_of(one) for one in singles]) - power) / 7
    got = upper_ends(set_sums(batch, scheme), scheme)[2]
    assert got.period == (2,)
    # t of 7 degrees, 97.5 %
    assert got.amplitude == pytest.approx(max(power, 0) ** 0.5 + 2.36462 * error**0.5, rel=1e-4)
    halves = add(set_sums(batch[:3], scheme), set_sums(batch[3:], scheme))
    assert upper_ends(halves, scheme)[2].amplitude == pytest.approx(got.amplitude, rel=1e-6)


def test_one_output_has_no_bound():
    scheme = plan((SIZE,), (2,))
    assert upper_ends(set_sums(outputs_of_varying_strength(1, 0), scheme), scheme) == {}


def test_limits_of_all_outputs_are_at_least_those_of_the_ones_at_hand_and_name_traces():
    outputs = Outputs((2, 4))
    outputs.add(outputs_of_varying_strength(32, 3))
    hand = {one.period: one.amplitude for one in outputs.lattice(9.0).limits}
    every = {one.period: one.amplitude for one in outputs.lattice(9.0, population=True).limits}
    assert set(every) == {(2,), (4,)}
    assert all(every[period] >= amplitude for period, amplitude in hand.items())
    seen = outputs.lattice(9.0)
    for trace in seen.traces:
        assert every[trace.component.period] >= trace.component.amplitude
    # What reaches the threshold makes a verdict, and traces beside it need no limit.
    shown = outputs.lattice(1e-3, population=True)
    assert not {one.component.period for one in shown.present} & {one.period for one in shown.limits}
