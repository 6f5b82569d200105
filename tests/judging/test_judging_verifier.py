"""Verification finds the lattice that was planted, its growth and its end, and nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from judging.zoo import Planted, case_of, photographs
from oracles.repair_naive import strength_naive
from uncheck.errors import UncheckError
from uncheck.judging.colours import projected_strength
from uncheck.judging.verifier import Verifier, compared
from uncheck.measuring.batches import interior
from uncheck.measuring.observed import TOGETHER, WEIGHTED, observe

HELD = photographs().split(1)


def amplitudes(look):
    return {s.period: s.amplitude for s in look.lattice if s.significant}


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("amplitude", [1.0, 4.0])
def test_planted_lattice_is_found_with_its_amplitude(amplitude, period):
    found = amplitudes(Verifier(case_of(Planted(amplitude, period), HELD)).before)
    assert list(found) == [(period, period)]
    assert found[(period, period)] == pytest.approx(amplitude, abs=0.3)


def test_nothing_is_found_where_nothing_is():
    verifier = Verifier(case_of(Planted(), HELD))
    assert verifier.before.lattice == ()
    assert verifier.before.second_order == ()
    judged = verifier.judge(Planted(noise=0.5))
    assert judged.after.lattice == ()


def test_removed_lattice_is_listed_with_what_contents_leave_open():
    verifier = Verifier(case_of(Planted(5.0, 4), HELD))
    judged = verifier.judge(Planted())
    (left,) = judged.after.lattice
    assert left.period == (4, 4)
    assert not left.significant
    assert 0 < left.amplitude < 0.3
    assert judged.worst() > 15


def test_halved_lattice_is_half_as_strong():
    judged = Verifier(case_of(Planted(5.0, 4), HELD)).judge(Planted(2.5, 4))
    assert judged.worst() == pytest.approx(2, rel=0.05)


def test_new_lattice_is_listed_and_counts():
    judged = Verifier(case_of(Planted(5.0, 4), HELD)).judge(Planted(1.0, 2))
    assert amplitudes(judged.after) == {(2, 2): pytest.approx(1.0, abs=0.1)}
    assert judged.worst() == 0


def test_new_period_counts_only_if_the_difference_has_it():
    def seen(held):
        return observe(np.moveaxis(held.numpy(), 1, -1) * 255, (2, 4))

    pictures = photographs(2, seed=3)
    stripes = torch.cos(torch.arange(128) * torch.pi / 2) * 0.02
    change = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(2)) / 255
    before, after = seen(pictures), seen(pictures + stripes)
    assert after.periods == {4}
    # the network brought the stripes
    (new,) = compared(before, after, seen(change + stripes))
    assert new.period == (1, 4)
    assert new.amplitude == pytest.approx(5.1, rel=0.05)
    # the same stripes, but the outputs do not differ by them: contents
    assert compared(before, after, seen(change)) == ()
    # they were as strong before, only not told from the rest
    hidden = seen(pictures + 1.01 * stripes)
    for view in hidden.views.values():
        view.found.clear()
    assert compared(hidden, after, seen(change + stripes)) == ()
    # fainter than what counts as present in a set
    assert compared(before, after, seen(change / 100 + stripes / 200)) == ()


def test_second_order_is_told_from_the_first():
    before = Verifier(case_of(Planted(contrast=1.0), HELD)).before
    assert before.lattice == ()
    assert [s.period for s in before.second_order] == [(2, 2)]
    assert before.second_order[0].amplitude > 0.5


def test_set_of_many_small_outputs_shows_what_none_shows():
    codes = torch.randn(512, 3, 24, 24, generator=torch.Generator().manual_seed(0)) * 0.05 + 0.5
    verifier = Verifier(case_of(Planted(1.5, 4), [codes], scale=None))
    found = amplitudes(verifier.before)
    assert found[(4, 4)] == pytest.approx(1.5, abs=0.2)
    assert verifier._first.where(4).keys() == {TOGETHER, WEIGHTED}


def test_outputs_of_several_sizes_are_cut_to_the_smallest():
    held = [*photographs(1, 128).split(1), *photographs(1, 100).split(1)]
    verifier = Verifier(case_of(Planted(3.0, 4), held))
    assert verifier._original.shape == (2, 100, 100, 3)
    assert amplitudes(verifier.before) == {(4, 4): pytest.approx(3.0, abs=0.6)}


@given(st.integers(8, 200), st.integers(2, 12))
def test_interior_keeps_the_phase(n, step):
    values = np.arange(n, dtype=np.float32)[None, :, None]
    inner = interior(values, step)[0, :, 0]
    # Where a whole period is more than an eighth of the side, the border is kept out all the same.
    assert inner[0] % step == 0 or step * -(-(n // 16) // step) > n // 8
    assert n // 16 <= inner[0] <= max(n // 16, n // 8)
    assert len(inner) >= n // 2


@given(
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.integers(0, 2**32 - 1),
)
def test_colours_equal_the_sum_over_sinusoids(sizes, seed):
    period = int(np.lcm(*sizes))
    tile = np.random.default_rng(seed).normal(size=sizes)
    whole = np.tile(tile, (4 * period // sizes[0], 4 * period // sizes[1])).astype(np.float32)
    found = projected_strength(whole[None, ..., None], (max(2, period),))
    expected = strength_naive(np.tile(tile, (period // sizes[0], period // sizes[1])), (period,))
    assert found == pytest.approx(expected if period > 1 else 0, rel=1e-4, abs=1e-6)


def test_colours_see_uneven_gains():
    up = nn.ConvTranspose2d(1, 1, 3, 2, 1, 1, bias=False)
    with torch.no_grad():
        up.weight.fill_(0.25)
    looked = Verifier(case_of(up, photographs(2, 64, 1).split(1), periods=(2,), scale=(2.0, 2.0))).before
    # phases 1/4, 1/2, 1/2, 1 of the colour: sinusoids of 3/16, 3/16 and 1/16 about 9/16
    bright = float(photographs(2, 64, 1)[0].max()) * 255
    assert looked.colours["bright"] == pytest.approx(bright * np.sqrt(19) / 16, rel=1e-4)


def test_sound_is_judged_too():
    time = torch.arange(8192) / 8192
    held = [(torch.sin(2 * torch.pi * 37 * time)[None, None] * (1 + i),) for i in range(2)]

    class Hum(nn.Module):
        def forward(self, x):
            return x + 0.02 * torch.cos(2 * torch.pi * torch.arange(x.shape[2]) / 4)

    judged = Verifier(case_of(Hum(), held, ndim=1, scale=(1.0,), span=(-2.0, 2.0))).judge(nn.Identity())
    assert amplitudes(judged.before) == {(4,): pytest.approx(0.02 * 255 / 4, rel=0.05)}
    assert judged.worst() > 20
    assert judged.pictures["original"].shape == (8192, 1)


def test_volumes_are_judged_too():
    held = torch.rand(2, 1, 24, 24, 24, generator=torch.Generator().manual_seed(0)).split(1)

    class Layers(nn.Module):
        def forward(self, x):
            return x + 0.1 * torch.cos(torch.pi * torch.arange(x.shape[4]))

    judged = Verifier(case_of(Layers(), held, ndim=3, periods=(2,), scale=(1.0, 1.0, 1.0))).judge(
        nn.Identity()
    )
    assert amplitudes(judged.before) == {(1, 1, 2): pytest.approx(25.5, rel=0.1)}
    assert judged.pictures["original"].shape == (24, 24, 1)


def test_spun_and_truth_are_compared_when_there():
    truth = [((x,), x) for x in HELD]
    spun = list(HELD)
    fidelity = (
        Verifier(case_of(Planted(5.0, 4), HELD), truth=truth, spun=spun).judge(Planted(0.5, 4)).fidelity
    )
    # a cosine of amplitude a has rms a / sqrt 2
    expected = [20 * np.log10(255 / (a / np.sqrt(2))) for a in (5.0, 0.5, 4.5)]
    assert fidelity.psnr_to_truth_before == pytest.approx(expected[0], abs=0.05)
    assert fidelity.psnr_to_spun_before == pytest.approx(expected[0], abs=0.05)
    assert fidelity.psnr_to_truth == pytest.approx(expected[1], abs=0.05)
    assert fidelity.psnr_to_spun == pytest.approx(expected[1], abs=0.05)
    assert fidelity.psnr_to_original == pytest.approx(expected[2], abs=0.05)
    assert fidelity.ssim_to_truth is not None


def test_pictures_show_the_output_with_most_lattice():
    class Second(nn.Module):
        def forward(self, x):
            return Planted(8.0 if x.mean() > 0.55 else 1.0, 4)(x)

    held = [HELD[0] - HELD[0].mean() + 0.4, HELD[1] - HELD[1].mean() + 0.6]
    pictures = Verifier(case_of(Second(), held)).judge(Planted()).pictures
    expected = np.moveaxis(held[1][0].numpy(), 0, -1) * 255
    assert np.abs(pictures["repaired"] - expected).max() < 1e-3
    assert set(pictures) == {"input", "original", "repaired", "original spectrum", "repaired spectrum"}


class Bad(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, x):
        return {"nan": x / 0 * 0, "half": x[:, :, ::2], "grey": x[:, :1]}[self.what]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nan", "output values are NaN or infinite; check the weights and the input range"),
        ("half", r"outputs have shape \(64, 128, 3\), those of the original \(128, 128, 3\)"),
        ("grey", r"outputs have shape \(128, 128, 1\), those of the original \(128, 128, 3\)"),
    ],
)
def test_bad_candidates_are_named(what, message):
    verifier = Verifier(case_of(Planted(5.0, 4), HELD))
    with pytest.raises(UncheckError, match=message):
        verifier.judge(Bad(what))


def test_bad_cases_are_named():
    with pytest.raises(UncheckError, match="NaN or infinite"):
        Verifier(case_of(Bad("nan"), HELD))
    with pytest.raises(UncheckError, match="no inputs to judge on"):
        Verifier(case_of(Planted(), []))
    with pytest.raises(UncheckError, match="give truth of the size of the output"):
        Verifier(case_of(Planted(), HELD), truth=[((HELD[0],), HELD[0][..., :64])])
