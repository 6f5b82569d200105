"""Cycle spinning: exact for what is locked to the lattice, whatever goes in and comes out."""

import copy
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import released
from cases import make_case
from uncheck.editing.cycle_spin import CycleSpin, few_shifts, full_shifts
from uncheck.editing.edits import KINDS, Spun, edits_from_json, edits_to_json
from uncheck.errors import Refusal, UncheckError
from uncheck.repairing.methods.spin import found_in, spin, spin_period, spun_target

Pair = namedtuple("Pair", "picture score")


@dataclass
class Out:
    picture: Tensor
    extra: dict[str, Tensor]
    name: str = "out"


class Planted(nn.Module):
    """A pointwise map and a lattice: added, or multiplied by the content."""

    def __init__(self, period, modulated, dtype=torch.float64, ndim=2):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.5, dtype=dtype))
        lattice = torch.randn(period, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        self.register_buffer("lattice", (lattice - lattice.mean()).to(dtype))
        self.modulated = modulated

    def clean(self, x):
        return torch.tanh(self.gain * x)

    def forward(self, x):
        tile = self.lattice
        for axis, n in enumerate(x.shape[2:]):
            tile = tile.index_select(axis, torch.arange(n) % tile.shape[axis])
        return self.clean(x) + (tile * x.square() if self.modulated else tile)


def left_by(period, shifts):
    """Return what a mean over shifts leaves of each lattice frequency (a / s, b / s), 0 to 1."""
    where = np.zeros(period)
    for t in shifts:
        where[tuple(n % s for n, s in zip(t, period, strict=True))] += 1
    return np.abs(np.fft.fftn(where)) / len(shifts)


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("period", [(4,), (2, 2), (4, 4), (3, 5), (2, 2, 2)])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_planted_lattice_goes_exactly(period, modulated, batch):
    net = Planted(period, modulated).requires_grad_(False)
    x = noise(2, 3, *[4 * s + 1 for s in period])
    spun = CycleSpin(net, full_shifts(period), batch)(x)
    assert float((spun - net.clean(x)).detach().abs().max()) < 1e-12
    # and the network itself, or a mean that leaves one shift out, does show it
    assert float((net(x) - net.clean(x)).abs().max()) > 0.1
    part = CycleSpin(net, full_shifts(period)[1:], batch, period)(x)
    assert float((part - net.clean(x)).abs().max()) > 1e-3


class Strided(nn.Module):
    """Down and up again: equivariant only to shifts by its stride."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, 2, 1)
        self.up = nn.ConvTranspose2d(4, 3, 3, 2, 1, 1)

    def forward(self, x):
        return self.up(F.relu(self.down(x)))


def test_the_spun_network_commutes_with_shifts_of_one_pixel():
    torch.manual_seed(0)
    net = Strided().double()
    x = noise(1, 3, 24, 24)
    spun = CycleSpin(net, full_shifts((2, 2)))
    moved = torch.roll(x, (1, 1), (2, 3))
    inner = (slice(None), slice(None), slice(6, 18), slice(6, 18))

    def miss(model):
        return float((torch.roll(model(moved), (-1, -1), (2, 3)) - model(x))[inner].detach().abs().max())

    assert miss(spun) < 1e-12 < 1e-2 < miss(net)


def test_slow_oracle_with_explicit_padding():
    torch.manual_seed(0)
    net, x, shifts = Strided().double(), noise(2, 3, 11, 14), full_shifts((4, 4))
    expected = torch.zeros(2, 3, 11, 14, dtype=torch.float64)
    for a, b in shifts:
        y = net(F.pad(x, (b, 4 - b, a, 4 - a), mode="reflect"))
        expected += y[:, :, a : a + 11 + 1, b : b + 14][:, :, :11] / 16
    net_out = CycleSpin(net, shifts)(x)
    assert net_out.shape == net(x).shape == (2, 3, 12, 14)
    assert float((net_out[:, :, :11] - expected).abs().max()) < 1e-12


def test_short_sides_repeat_their_border():
    net = nn.Identity()
    for size in ((1, 1), (2, 3), (1, 7)):
        x = noise(1, 2, *size)
        assert torch.allclose(CycleSpin(net, full_shifts((4, 4)))(x), x, rtol=0, atol=1e-15)


def test_a_margin_beyond_the_period():
    x = noise(1, 1, 16, 16)
    seen = []
    net = Planted((2, 2), False).requires_grad_(False)
    net.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape[2:])))
    spun = CycleSpin(net, full_shifts((2, 2)), margin=(8, 4))(x)
    assert set(seen) == {(24, 20)}
    assert float((spun - net.clean(x)).abs().max()) < 1e-12


class Nest(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x, mask=None, context=None):
        y = x * mask if mask is not None else x
        y = y + context.mean() if context is not None else y
        score = y.mean(dim=(1, 2, 3))
        label = torch.full((len(y),), 7)
        return {
            "tensor": lambda: y,
            "tuple": lambda: (y, score, "text"),
            "list": lambda: [y, None, score],
            "dict": lambda: {"a": y, "b": {"label": label}},
            "named": lambda: Pair(y, score),
            "dataclass": lambda: Out(y, {"score": score}),
        }[self.kind]()


def picture(output):
    while not isinstance(output, Tensor):
        output = output["a"] if isinstance(output, dict) else getattr(output, "picture", None) or output[0]
    return output


@pytest.mark.parametrize("kind", ["tensor", "tuple", "list", "dict", "named", "dataclass"])
@pytest.mark.parametrize("batch", [1, 4])
def test_nests_keep_their_structure(kind, batch):
    x, mask, context = noise(2, 3, 8, 8), noise(2, 1, 8, 8, seed=1), noise(2, 5, seed=2)
    net = Nest(kind)
    out = CycleSpin(net, full_shifts((2, 2)), batch)(x, mask=mask, context=context)
    plain = net(x, mask, context)
    assert type(out) is type(plain)
    got, want = (o.picture if kind == "dataclass" else o for o in (out, plain))
    if isinstance(got, Tensor):
        assert torch.allclose(got, want, rtol=0, atol=1e-12)
    elif kind == "dict":
        assert torch.allclose(got["a"], want["a"], rtol=0, atol=1e-12)
        assert torch.equal(got["b"]["label"], want["b"]["label"])
    else:
        assert torch.allclose(got[0], want[0], rtol=0, atol=1e-12)
    if kind == "tuple":
        assert (out[1].shape, out[2]) == ((2,), "text")


def test_maps_with_channels_last_and_without_a_batch():
    for shape in ((1, 12, 12, 3), (3, 12, 12)):
        x = noise(*shape)
        assert torch.allclose(CycleSpin(nn.Identity(), full_shifts((2, 2)), 4)(x), x, rtol=0, atol=1e-15)


def test_bytes_are_rounded():
    x = torch.randint(0, 256, (1, 3, 9, 9), dtype=torch.uint8)
    out = CycleSpin(nn.Identity(), full_shifts((3, 3)))(x)
    assert out.dtype == torch.uint8
    assert torch.equal(out, x)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float16, 2e-2), (torch.bfloat16, 1e-1)])
def test_half_precision(dtype, most):
    net = Planted((4, 4), True, dtype)
    x = noise(1, 2, 12, 12).to(dtype)
    out = CycleSpin(net, full_shifts((4, 4)))(x)
    assert out.dtype == dtype
    assert float((out.double() - net.clean(x).double()).detach().abs().max()) < most


def test_gradients_keys_copies_and_modes():
    net = Planted((2, 2), True)
    spun = CycleSpin(net.eval(), full_shifts((2, 2)), 2)
    assert list(spun.state_dict()) == ["network.gain", "network.lattice"]
    assert not spun.training
    x = noise(1, 1, 6, 6).requires_grad_()
    assert torch.autograd.gradcheck(spun, (x,), eps=1e-6, atol=1e-6)
    spun(x).sum().backward()
    assert net.gain.grad is not None
    assert torch.equal(copy.deepcopy(spun)(x), spun(x))
    mixed = nn.Sequential(nn.BatchNorm2d(1), nn.Identity()).train()
    mixed[0].eval()
    CycleSpin(mixed, ((0, 0),))
    assert not mixed[0].training


@pytest.mark.integration
def test_export_and_onnx():
    torch.manual_seed(0)
    x = noise(1, 3, 8, 12, dtype=torch.float32)
    spun = CycleSpin(Strided().eval(), full_shifts((2, 2)), 2).eval()
    program = torch.export.export(spun, (x,))
    torch.testing.assert_close(program.module()(x), spun(x), rtol=0, atol=1e-6)
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    made = torch.onnx.export(spun, (x,), dynamo=True, verbose=False)
    session = runtime.InferenceSession(made.model_proto.SerializeToString())
    (result,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(result), spun(x).detach(), rtol=0, atol=1e-5)


def test_what_cycle_spin_refuses():
    with pytest.raises(UncheckError, match="takes shifts of 0 or more pixels"):
        CycleSpin(nn.Identity(), ())
    with pytest.raises(UncheckError, match="takes shifts of 0 or more pixels"):
        CycleSpin(nn.Identity(), ((0, -1),))
    with pytest.raises(UncheckError, match="has no room for shifts by"):
        CycleSpin(nn.Identity(), ((0, 3),), margin=(2, 2))
    with pytest.raises(UncheckError, match="needs an input with 2 spatial axes"):
        CycleSpin(nn.Identity(), ((0, 0),))(torch.zeros(4, 10))


# shifts


@given(
    st.sampled_from([(2,), (5,), (2, 2), (3, 3), (4, 4), (2, 3), (2, 2, 2)]), st.integers(0, 99), st.data()
)
def test_left_by_is_what_a_mean_leaves_of_a_wave(period, seed, data):
    count = data.draw(st.integers(1, int(np.prod(period))))
    strength = np.random.default_rng(seed).random(period)
    shifts = few_shifts(period, count, strength)
    assert len(set(shifts)) == len(shifts) == count
    left = left_by(period, shifts)
    f = np.unravel_index(data.draw(st.integers(0, int(np.prod(period)) - 1)), period)
    waves = [
        np.exp(2j * np.pi * sum(a * t / s for a, t, s in zip(f, one, period, strict=True))) for one in shifts
    ]
    assert left[f] == pytest.approx(abs(np.mean(waves)), abs=1e-12)
    assert (left**2).sum() == pytest.approx(np.prod(period) / count)


def test_all_shifts_leave_nothing():
    for period in ((4,), (4, 4), (3, 2), (2, 2, 2)):
        left = left_by(period, full_shifts(period))
        assert np.abs(left.ravel() - np.eye(left.size)[0]).max() < 1e-15


def brute_force(period, count, strength):
    from itertools import combinations

    weight = strength.copy()
    weight.flat[0] = 0
    return min(
        float(((weight * left_by(period, one)) ** 2).sum())
        for one in combinations(full_shifts(period), count)
        if one[0] == (0, 0)
    )


@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_shifts_against_all_subsets(count):
    for seed in range(4):
        strength = np.random.default_rng(seed).random((4, 4)) ** 4
        strength = np.sqrt(strength * np.roll(strength[::-1, ::-1], (1, 1), (0, 1)))  # as of real pictures
        best = brute_force((4, 4), count, strength)
        shifts = few_shifts((4, 4), count, strength)
        strength.flat[0] = 0
        assert float(((strength * left_by((4, 4), shifts)) ** 2).sum()) == pytest.approx(best, abs=1e-9)


def test_exchange_where_there_are_too_many_sets():
    strength = np.zeros((8, 8))
    for a, b in ((0, 4), (4, 0), (2, 3), (6, 5), (1, 7), (7, 1)):
        strength[a, b] = 1.0
    left = left_by((8, 8), few_shifts((8, 8), 8, strength))
    assert (strength * left).max() < 1e-12
    assert (strength * left_by((8, 8), full_shifts((8, 8))[:8])).max() == pytest.approx(1)


def test_four_of_sixteen_kill_every_line_along_an_axis():
    left = left_by((4, 4), few_shifts((4, 4), 4))
    assert max(left[0, 1:].max(), left[1:, 0].max()) < 1e-12
    assert sorted(left.ravel().round(6))[-4:] == [1, 1, 1, 1]  # its own dual lattice stays
    aimed = np.full((4, 4), 0.01)
    aimed[1, 3] = aimed[3, 1] = aimed[2, 2] = 1.0
    assert left_by((4, 4), few_shifts((4, 4), 4, aimed))[[1, 3, 2], [3, 1, 2]].max() < 1e-12


def test_few_shifts_refuses():
    with pytest.raises(UncheckError, match=r"has 1 to 4 shifts, not 5"):
        few_shifts((2, 2), 5)
    with pytest.raises(UncheckError, match=r"strength must have shape \(2, 2\)"):
        few_shifts((2, 2), 2, np.ones(3))


# the method


class Painted(nn.Module):
    """A picture in grey levels with a lattice of period 2 or 4 of some strength."""

    def __init__(self, axis_only=False):
        super().__init__()
        tile = torch.tensor([[1.0, -1.0], [1.0, -1.0]] if axis_only else [[3.0, -1.0], [-1.0, -1.0]])
        self.register_buffer("tile", 2 * tile)
        self.conv = nn.Conv2d(1, 1, 1)
        with torch.no_grad():
            self.conv.weight.fill_(1.0), self.conv.bias.fill_(0.0)

    def forward(self, x):
        return self.conv(x) + self.tile.repeat(x.shape[2] // 2, x.shape[3] // 2)


class Halves(nn.Module):
    """Takes multiples of 16 only, as deep U-Nets do."""

    def __init__(self):
        super().__init__()
        self.net = Painted()

    def forward(self, x):
        if x.shape[-1] % 16:
            raise RuntimeError("sizes must be multiples of 16")
        return self.net(x)


class Fixed(Halves):
    def forward(self, x):
        if x.shape[-1] != 64:
            raise RuntimeError("takes 64 pixels")
        return self.net(x)


def case_of(net, faulty=(2,), scale=(1.0, 1.0), ndim=2):
    maps = [100 + 40 * F.avg_pool2d(noise(1, 1, 68, 68, seed=i).float(), 5, 1) for i in range(3)]
    more = {"held": maps[2:], "periods": (2, 4), "span": (0.0, 255.0)}
    return make_case(net, *maps[:2], faulty=faulty, scale=scale, ndim=ndim, **more)


def quiet(text):
    assert text


def test_spin_offers_fewer_shifts_only_where_they_leave_little():
    case = case_of(Painted(axis_only=True))
    few, full = spin(case, quiet)
    assert (few.method, few.label, full.label) == ("spin", "2 of 4 shifts", "all 4 shifts")
    assert {few.kind, full.kind} == {KINDS[1]}
    assert full.edits == (Spun(full_shifts((2, 2)), 1, (2, 2)),)
    assert edits_from_json(edits_to_json(few.edits)) == few.edits
    x = case.held[0]
    for candidate in (few, full):
        done = case.run(candidate.done_to(case.copy()), x)
        assert float((done - x[0]).abs().max()) < 1e-4
    (only,) = spin(case_of(Painted()), quiet)  # two shifts would leave one of its three lines
    assert only.label == "all 4 shifts"


def test_spin_finds_the_margin_a_network_needs():
    candidates = list(spin(case_of(Halves()), quiet))
    assert candidates[-1].edits[0].margin == (16, 16)
    with pytest.raises(Refusal, match="does not take an input a few pixels larger"):
        next(spin(case_of(Fixed()), quiet))


def test_spun_target_is_the_spun_network():
    case = case_of(Halves())
    said = []
    target = spun_target(case, case.fit[0], (2, 2), said.append)
    assert (target.dtype, target.requires_grad, len(said)) == (torch.float32, False, 4)
    expected = CycleSpin(case.model, full_shifts((2, 2)), 1, (16, 16))(*case.fit[0])
    torch.testing.assert_close(target, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": None}, "a shift of the code is no shift of the picture"),
        ({"scale": (2.0, 2.0)}, "one input pixel is 2 output pixels"),
        ({"faulty": ()}, "nothing to spin away"),
        ({"faulty": (2, 9)}, "repeats every 18 pixels.* 324 runs of the network"),
    ],
)
def test_spin_refuses(change, message):
    case = case_of(Painted(), **change)
    with pytest.raises(Refusal, match=message):
        next(spin(case, quiet))


def test_the_period_is_the_least_common_multiple():
    assert spin_period(case_of(Painted(), faulty=(2, 4))) == (4, 4)
    assert spin_period(case_of(Painted(), faulty=(2, 3))) == (6, 6)


@pytest.mark.slow
def test_a_released_style_network():
    net = released.load("style_rain_princess")
    photos = [released.others().photo(f"kodim{n:02d}.png") * 255 for n in (1, 3, 5, 7, 8, 19, 20, 23)]
    more = {"periods": (2, 4), "faulty": (4,), "scale": (1.0, 1.0)}
    case, held = (make_case(net, *part, **more) for part in (photos[:5], photos[5:]))

    def strength(model):
        return sum(c.amplitude**2 for c in found_in(held, model, (4, 4), quiet).values()) ** 0.5

    before = strength(net)
    few, full = spin(case, quiet)
    assert few.label == "4 of 16 shifts"
    assert before > 5
    for candidate in (few, full):
        assert strength(candidate.done_to(case.copy())) < before / 30
