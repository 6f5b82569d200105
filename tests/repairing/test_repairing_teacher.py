"""Targets: ripples of a lattice and not of content, cleaned outputs, spun cut-outs, contrast."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from judging.zoo import case_of, photographs
from oracles.teacher_naive import ripple_naive, spun_naive
from tiers import cases
from uncheck.phases.kernel import tile_phases
from uncheck.repairing.inputs import cut, room
from uncheck.repairing.methods.distill import teacher
from uncheck.repairing.methods.distill.teacher import (
    EDGE,
    MOST_GAIN,
    cleaned_lessons,
    contrast_gains,
    notched,
    part,
    ripple,
    spun_lessons,
    with_contrast,
)

SIZES = {1: (96,), 2: (40, 46), 3: (20, 18, 22)}


def lattice(period, ndim, seed=0):
    """A pattern (C, *(P,) * ndim) of mean zero."""
    made = torch.randn(2, *[period] * ndim, generator=torch.Generator().manual_seed(seed))
    return made - made.flatten(1).mean(1).reshape(-1, *[1] * ndim)


def slope(size):
    axes = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) / 20 for n in size), indexing="ij")
    return sum((a + 1) * axis for a, axis in enumerate(axes))


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("period", [2, 3, 4])
def test_a_lattice_on_a_slope_is_found_exactly(ndim, period):
    pattern = lattice(period, ndim)
    size = SIZES[ndim] if period < 4 or ndim < 3 else (24, 24, 24)
    picture = tile_phases(pattern, size) + slope(size)
    found = ripple(picture[None], period, ndim)
    # a window that is no whole number of its own periods long weighs phases a little unequally
    whole = [(n - 2 * period) // period * period for n in size]
    assert found.shape == (1, 2, *[period] * ndim)
    # the first pixel that counts is `period` from the start: phases keep their names
    torch.testing.assert_close(found[0], pattern, rtol=0, atol=0.03 if min(whole) < 20 else 1e-3)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("period", [2, 3])
def test_ripples_are_those_of_loops(ndim, period):
    torch.manual_seed(0)
    picture = torch.rand(1, 1, *{1: (37,), 2: (15, 18), 3: (11, 12, 10)}[ndim], dtype=torch.float64)
    slow = ripple_naive(picture[0, 0].numpy(), period)
    np.testing.assert_allclose(ripple(picture, period, ndim)[0, 0].numpy(), slow, rtol=0, atol=1e-12)
    # the loops tell one phase from the next
    late = ripple(picture.roll(1, 2), period, ndim)[0, 0].numpy()
    assert np.abs(late - slow).max() > 1e-3


def test_smooth_content_has_no_ripple():
    t = torch.arange(120, dtype=torch.float64)
    smooth = (torch.sin(t / 13)[:, None] * torch.cos(t / 17)[None] * 100)[None, None]
    assert float(ripple(smooth, 2, 2).abs().max()) < 1e-3
    assert float(ripple(smooth, 4, 2).abs().max()) < 0.02
    # a step in the content is not smooth, but is no lattice either
    step = torch.zeros(1, 1, 120, 121)
    step[..., 60:] = 100
    assert float(ripple(step, 2, 2).abs().max()) < 2


def test_planted_defects_of_ripples_are_caught(monkeypatch):
    size = (47, 46)
    ramp = 50 * slope(size)[None, None].double()
    truth = float(ripple(ramp, 4, 2).abs().max())

    def box(x, period):  # the mean under a box is not centred on the pixel where the period is even
        return part(nn.functional.avg_pool2d(x, period, 1), (0, 0), [n - 2 * period + 2 for n in size])

    def nothing(x, period):
        return torch.zeros_like(part(x, (0, 0), [n - 2 * period + 2 for n in size]))

    picture = (tile_phases(lattice(4, 2).double(), size)[:1] + 50 * slope(size))[None]
    slow = ripple_naive(picture[0, 0].numpy(), 4)
    np.testing.assert_allclose(ripple(picture, 4, 2)[0, 0].numpy(), slow, atol=1e-9)
    content = torch.rand(1, 1, *size, dtype=torch.float64)
    wanted = ripple_naive(content[0, 0].numpy(), 4)
    for wrong in (box, nothing):
        with monkeypatch.context() as patch:
            patch.setattr(teacher, "_under_triangle", wrong)
            assert np.abs(ripple(content, 4, 2)[0, 0].numpy() - wanted).max() > 1e-4
            if wrong is nothing:
                assert float(ripple(ramp, 4, 2).abs().max()) > 10 * truth
    # phases counted from the next pixel
    off = ripple(part(picture, (1, 1), (45, 44)), 4, 2)[0, 0].numpy()
    assert np.abs(off - slow).max() > 0.1


@pytest.mark.parametrize("ndim", cases([1, 2], [3]))
@pytest.mark.parametrize("period", [2, 4])
def test_a_cleaned_output_loses_the_lattice_and_keeps_the_rest(ndim, period):
    size = {1: (400,), 2: (160, 168), 3: (112, 112, 112)}[ndim]
    axes = [torch.sin(torch.arange(n, dtype=torch.float32) / 9 + 1) for n in size]
    smooth = 0.5 + 0.3 * torch.stack(torch.meshgrid(*axes, indexing="ij")).prod(0)[None, None]
    pattern = 0.05 * lattice(period, ndim)[:1]
    made = notched(smooth + tile_phases(pattern, size)[None], period)
    edge = [2 * EDGE] * ndim
    inner = [n - 4 * EDGE for n in size]
    left = part(made - smooth, edge, inner)
    assert float(part(smooth - notched(smooth, period), edge, inner).abs().max()) < 0.002
    assert float(left.abs().max()) < 0.05 * float(pattern.abs().max()) + 0.002


def test_detail_between_the_lines_is_kept():
    t = torch.arange(256, dtype=torch.float32)
    fine = torch.cos(2 * torch.pi * 0.35 * t)[:, None] * torch.ones(256)
    made = notched(fine[None, None], 2)[0, 0]
    assert float((made - fine)[32:-32, 32:-32].abs().max()) < 0.01


class Local(nn.Module):
    """A network of one resolution with a lattice of its own that depends on the content."""

    def __init__(self, ndim, period):
        super().__init__()
        self.ndim, self.period = ndim, period
        self.pattern = lattice(period, ndim)[:1]

    def forward(self, x):
        grain = tile_phases(self.pattern, x.shape[2:]).to(x)
        return x.square() + grain * (1 + x)


@pytest.mark.parametrize(("ndim", "period"), [(1, 2), (1, 4), (2, 2), (2, 3), (3, 2)])
def test_spun_targets_are_those_of_loops(ndim, period):
    torch.manual_seed(0)
    net = Local(ndim, period)
    whole = {1: (50,), 2: (26, 30), 3: (16, 17, 18)}[ndim]
    picture = torch.rand(1, 1, *whole)
    size = tuple(n - 2 * period for n in whole)
    place = tuple(period + a % 2 for a in range(ndim))
    case = case_of(net, [picture, picture], ndim=ndim, scale=(1.0,) * ndim, periods=(period,))
    count = min(3, period**ndim)
    lessons, plain = spun_lessons(case, (picture,), place, size, period, count, seed=1)
    edges = [min(EDGE, n // 8) for n in size]

    def network(x):
        return net(torch.from_numpy(x)[None, None])[0, 0].numpy()

    slow = spun_naive(network, picture[0, 0].numpy(), place, size, period, edges)
    assert len(lessons) == count
    for lesson in lessons:
        np.testing.assert_allclose(lesson.target[0, 0].numpy(), slow, rtol=0, atol=1e-5)
        # the input of each lesson shows the same place of the picture
        made = part(net(*lesson.inputs), lesson.start, lesson.target.shape[2:])
        assert float((made - lesson.target).abs().mean()) < 3 * float(net.pattern.abs().max())
        shift = [s - e for s, e in zip(lesson.start, edges, strict=True)]
        there = cut((picture,), [p - t for p, t in zip(place, shift, strict=True)], size)[0]
        assert torch.equal(lesson.inputs[0], there)
    assert torch.equal(plain, part(net(*lessons[0].inputs), lessons[0].start, plain.shape[2:]))
    assert len({lesson.start for lesson in lessons}) == count
    # without the lattice, every shift is the target
    wrong = spun_naive(network, np.roll(picture[0, 0].numpy(), 1, 0), place, size, period, edges)
    assert np.abs(wrong - slow).max() > 0.01


def test_the_choice_of_shifts_is_that_of_the_seed():
    case = case_of(Local(2, 4), [torch.rand(1, 1, 40, 40)] * 2)
    call = (torch.rand(1, 1, 40, 40),)

    def starts(seed):
        return {x.start for x in spun_lessons(case, call, (4, 4), (32, 32), 4, 4, seed)[0]}

    assert starts(1) == starts(1)
    assert len({tuple(sorted(starts(seed))) for seed in range(5)}) > 1
    assert all((4, 4) in starts(seed) for seed in range(5))  # the unshifted one


def test_codes_lose_what_all_outputs_share():
    pattern = 0.05 * lattice(2, 2)

    class Drawn(nn.Module):
        def forward(self, z):
            y = z[:, :2, None, None] * torch.linspace(0, 1, 32) * torch.ones(32, 1)
            return y + tile_phases(pattern, (32, 32))

    case = case_of(Drawn(), [torch.randn(8, 4)], scale=None)
    calls = [(torch.randn(6, 4),), (torch.randn(5, 4),)]
    lessons = cleaned_lessons(case, calls, 2)
    for (codes,), lesson in zip(calls, lessons, strict=True):
        assert lesson.start == (0, 0)
        assert torch.equal(lesson.inputs[0], codes)
        clean = Drawn()(codes) - tile_phases(pattern, (32, 32))
        torch.testing.assert_close(lesson.target, clean, rtol=0, atol=1e-3)


def test_enlarging_networks_lose_the_lattice_of_each_output():
    class Twice(nn.Module):
        def forward(self, x):
            y = nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
            return y + 0.02 * tile_phases(lattice(2, 2)[:1], y.shape[2:])

    t = torch.arange(96) / 12
    pictures = [(0.5 + 0.2 * torch.sin(t + n)[:, None] * torch.cos(t)[None])[None, None] for n in range(2)]
    case = case_of(Twice(), pictures, scale=(2.0, 2.0))
    for lesson, picture in zip(cleaned_lessons(case, [(x,) for x in pictures], 2), pictures, strict=True):
        clean = nn.functional.interpolate(picture, scale_factor=2, mode="bilinear")
        clean = part(clean, lesson.start, lesson.target.shape[2:])
        assert min(lesson.start) == 2 * EDGE
        assert float((lesson.target - clean).abs().max()) < 0.003


def blurred(pictures, response):
    f = torch.stack(torch.meshgrid(*(torch.fft.fftfreq(n) for n in pictures.shape[2:]), indexing="ij"))
    radius = f.square().sum(0).sqrt()
    axes = tuple(range(2, pictures.dim()))
    return torch.fft.ifftn(torch.fft.fftn(pictures, dim=axes) * response(radius), dim=axes).real


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_known_blur_is_undone(ndim):
    """Contrast falls over low frequencies and is whole at high ones, as cycle spinning leaves it."""
    size = {1: (4096,), 2: (128, 128), 3: (48, 48, 48)}[ndim]
    noise = torch.randn(6, 1, *size, generator=torch.Generator().manual_seed(0))
    pictures = blurred(noise, lambda r: 1 / (r + 0.02))
    flat = blurred(pictures, lambda r: torch.where(r <= 0.25, 1 / 1.25, 1.0))
    gains = contrast_gains(list(pictures.split(1)), list(flat.split(1)), 2)
    assert [f for f, _ in gains] == sorted(f for f, _ in gains)
    # Hann's window spreads each frequency over its neighbours; octaves at the edges mix
    middle = [g for f, g in gains if 1 / 16 < f < 1 / 5]
    assert middle
    assert middle[0] == pytest.approx(1.25, rel=0.02)
    again = with_contrast(flat, gains)
    band = [
        blurred(x, lambda r: ((r > 0.04) & (r < 0.17)).float()).square().mean() for x in (again, pictures)
    ]
    assert float(band[0] / band[1]) == pytest.approx(1, rel=0.05)
    assert float(again.mean()) == pytest.approx(float(flat.mean()), abs=1e-4)


def test_gains_are_neither_below_one_nor_above_the_most():
    pictures = photographs(3, 64)
    plain = list(pictures.split(1))
    assert all(g == 1 for _, g in contrast_gains([x * 0.5 for x in plain], plain, 2))
    assert all(g == MOST_GAIN for _, g in contrast_gains([x * 5 for x in plain], plain, 2))
    torch.testing.assert_close(with_contrast(pictures, [(0.1, 1.0)]), pictures, rtol=0, atol=1e-5)
    assert with_contrast(pictures, []) is pictures


def test_the_lattice_gives_no_contrast():
    pictures = photographs(3, 64)
    grain = 0.2 * tile_phases(lattice(4, 2), (64, 64))[:1]
    gains = contrast_gains([x + grain for x in pictures.split(1)], list(pictures.split(1)), 4)
    assert all(g < 1.02 for _, g in gains)
    told = contrast_gains([x + grain for x in pictures.split(1)], list(pictures.split(1)), 1)
    assert max(g for _, g in told) > 1.1  # taken for contrast where nobody says that it is a lattice


def test_cut_outs():
    x, y, code = torch.rand(1, 3, 20, 24), torch.rand(1, 1, 20, 24), torch.rand(1, 7)
    a, b, c, d = cut((x, y, code, 3), (2, 5), (8, 16))
    assert torch.equal(a, x[..., 2:10, 5:21])
    assert torch.equal(b, y[..., 2:10, 5:21])
    assert c is code
    assert d == 3
    for whole, spare in product(range(18, 70, 7), (0, 2, 4)):
        (side,) = room((whole,), 48, spare)
        fits = min(48, whole - spare)
        assert side == (fits if fits < 16 else fits // 16 * 16)
    assert room((9, 40), 256, 2) == (7, 32)
