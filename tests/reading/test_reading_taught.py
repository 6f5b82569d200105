"""Users teach reading what their own operations do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import uncheck
from reading.zoo_networks import Fn
from reading.zoo_outputs import up
from uncheck.errors import UncheckError
from uncheck.reading import record, register, tables, taught

X = torch.randn(1, 4, 8, 8)


@pytest.fixture(autouse=True)
def nothing_is_left_registered() -> Iterator[None]:
    yield
    assert tables.TAUGHT == {}
    assert taught.FUNCTIONS == taught.MODULES == taught.SCRIPTED == {}


def doubled(x: Tensor, *, times: int = 2) -> Tensor:
    """Repeat pixels in NumPy."""
    return torch.from_numpy(x.detach().numpy().repeat(times, -1).repeat(times, -2))


def of_a_closure(times: int) -> Any:
    def repeated(x: Tensor) -> Tensor:
        return doubled(x, times=times)

    return repeated


class Doubling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.from_numpy(np.kron(x.numpy(), np.ones((1, 1, 2, 2), np.float32)))


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.from_numpy(x.numpy() ** 2)


@torch.jit.script
def sampled(x: Tensor) -> Tensor:
    return torch.grid_sampler(x, torch.zeros(x.size(0), x.size(2), x.size(3), 2), 0, 0, False)


library = torch.library.Library("uncheck_taught", "FRAGMENT")
library.define("up(Tensor x) -> Tensor")
library.impl("up", lambda x: x.repeat_interleave(2, -1).repeat_interleave(2, -2), "CompositeExplicitAutograd")


def test_a_python_function_with_a_scale() -> None:
    model = Fn(lambda s, x: s.last(doubled(x)), last=nn.Conv2d(4, 3, 3, padding=1))
    assert record(model, X).ledger.unsupported == {"opaque": 1}
    with register(doubled, scale=2, kind="nearest"):
        found = record(model, X)
        assert found.ledger.unsupported == {}
        assert found.ledger.handled["doubled"] == 1
        (stage,) = found.stages
        assert (stage.name, stage.kind, stage.stride, stage.output_period) == (
            "doubled",
            "nearest",
            (2, 2),
            (2, 2),
        )
        assert found.outputs[0].explained == (16, 16)
    assert record(model, X).ledger.unsupported == {"opaque": 1}


def test_a_function_does_what_it_did_while_registered_and_afterwards() -> None:
    held, source, signature = doubled, inspect.getsource(doubled), inspect.signature(doubled)
    repeated = of_a_closure(3)
    with register(doubled, scale=2), register(repeated, scale=3):
        assert held is doubled
        assert inspect.getsource(doubled) == source
        assert torch.equal(doubled(X, times=3), repeated(X))
        assert torch.equal(held(X), F.interpolate(X, scale_factor=2))
    assert inspect.signature(doubled) == signature
    assert torch.equal(repeated(X), F.interpolate(X, scale_factor=3))


def test_a_stage_of_a_registered_function_is_blamed() -> None:
    def checkered(x: Tensor) -> Tensor:
        y = x.numpy().repeat(2, -1).repeat(2, -2).copy()
        y[:, :, ::2, ::2] += 0.2
        return torch.from_numpy(y)

    model = Fn(lambda s, x: checkered(x).sigmoid())
    with register(checkered, scale=(2, 2)):
        result = uncheck.inspect(model, torch.randn(2, 3, 24, 24) / 9)
    assert result.verdict == "lattice"
    assert result.stages[0].blame.share > 0.9


@pytest.mark.parametrize(
    ("function", "said", "net", "periods"),
    [
        (Squared, {"effect": "pointwise"}, lambda s, x: Squared.apply(s.up(x)), [(2, 2)]),
        (sampled, {"effect": "keeps positions"}, lambda s, x: sampled(s.up(x)), [(2, 2)]),
        (
            torch.cdist,
            {"effect": "keeps positions"},
            lambda s, x: torch.cdist(s.up(x), s.up(x)),
            [(2, 2)] * 2,
        ),
        (
            torch.ops.uncheck_taught.up,
            {"scale": 2},
            lambda s, x: s.up(torch.ops.uncheck_taught.up.default(torch.ops.uncheck_taught.up(x))),
            [(8, 8), (4, 4), (2, 2)],
        ),
        (
            torch.ops.uncheck_taught.up.default,
            {"scale": 2},
            lambda s, x: torch.ops.uncheck_taught.up(x),
            [(2, 2)],
        ),
        (F.avg_pool2d, {"scale": (0.5, 0.5)}, lambda s, x: s.up(F.avg_pool2d(x, 2)), [(2, 2)]),
    ],
    ids=["autograd", "script", "torch", "operator", "overload", "smaller"],
)
def test_functions_of_all_kinds(function: Any, said: Any, net: Any, periods: Any) -> None:
    with register(function, **said):
        found = record(Fn(net, up=up()), X)
    assert found.ledger.unsupported == {}
    assert [stage.output_period for stage in found.stages] == periods


def test_a_class_of_modules() -> None:
    class Mine(Doubling):
        pass

    model = nn.Sequential(nn.Conv2d(4, 4, 1), Mine(), up())
    with register(Doubling, scale=(2, 2), kind="nearest"):
        found = record(model, X)
    assert [(s.name, s.kind, s.output_period) for s in found.stages] == [
        ("1.Doubling", "nearest", (4, 4)),
        ("2", "transposed", (2, 2)),
    ]
    assert found.ledger.unsupported == {}


def test_a_function_like_one_of_torch_has_its_kernel() -> None:
    def mine(x: Tensor, weight: Tensor, bias: Any = None, stride: int = 1) -> Tensor:
        return torch.from_numpy(F.conv_transpose2d(x, weight, bias, stride).numpy())

    layer = nn.ConvTranspose2d(4, 3, 3, 2, bias=False)
    with register(mine, like=F.conv_transpose2d):
        (stage,) = record(Fn(lambda s, x: mine(x, s.up.weight, stride=2), up=layer), X).stages
    expected = record(layer, X).stages[0]
    assert (stage.kernel_size, stage.overlap, stage.output_period) == ((3, 3), "uneven", (2, 2))
    assert torch.equal(stage.kernel.weight, expected.kernel.weight)


def test_a_volume_and_a_sound_take_one_number() -> None:
    def twice(x: Tensor) -> Tensor:
        y = x.numpy()
        for axis in range(2, x.dim()):
            y = y.repeat(2, axis)
        return torch.from_numpy(y)

    with register(twice, scale=2):
        for shape in ((1, 2, 6), (1, 2, 4, 4, 4)):
            (stage,) = record(Fn(lambda s, x: twice(x)), torch.zeros(shape)).stages
            assert stage.stride == (2,) * (len(shape) - 2)


def test_what_was_said_wrongly_is_refused() -> None:
    model = Fn(lambda s, x: doubled(x))
    with (
        register(doubled, effect="pointwise"),
        pytest.raises(
            UncheckError,
            match=r"registered as keeping positions, and made \(1, 4, 16, 16\) of \(1, 4, 8, 8\)",
        ),
    ):
        record(model, X)
    with register(doubled, scale=8), pytest.raises(UncheckError, match="registered with a scale of 8 x 8"):
        record(model, X)


@pytest.mark.parametrize(
    ("function", "said", "message"),
    [
        (doubled, {}, "needs one of like=, effect= and scale="),
        (doubled, {"scale": 2, "effect": "pointwise"}, "needs one of like=, effect= and scale="),
        (doubled, {"effect": "none"}, "no effect 'none': choose 'pointwise' or 'keeps positions'"),
        (
            doubled,
            {"scale": 2, "kind": "mine"},
            "no kind of stage 'mine': choose one of transposed, sub-pixel",
        ),
        (doubled, {"scale": (1, 2, 3, 4)}, "one to three positive numbers"),
        (doubled, {"scale": -1}, "one to three positive numbers"),
        (doubled, {"scale": "two"}, "one to three positive numbers"),
        (doubled, {"like": doubled}, "reading does not know doubled either"),
        (Doubling, {"like": F.interpolate}, "Doubling is a module, whose call has no weights"),
        (len, {"scale": 2}, "len is of type builtin_function_or_method, whose calls cannot be seen"),
        (Doubling(), {"scale": 2}, "Doubling is of type Doubling, whose calls cannot be seen"),
    ],
)
def test_errors(function: Any, said: Any, message: str) -> None:
    with pytest.raises(UncheckError, match=message):
        register(function, **said)


def test_registering_twice_is_refused_and_removing_twice_is_not() -> None:
    first = register(doubled, scale=2)
    with pytest.raises(UncheckError, match="doubled was registered before"):
        register(doubled, effect="pointwise")
    first.remove()
    first.remove()
    with register(doubled, effect="pointwise"):
        pass


def test_a_registered_function_that_raises_leaves_no_trace() -> None:
    def raises(x: Tensor) -> Tensor:
        raise RuntimeError("no")

    with register(raises, effect="pointwise"), register(Doubling, scale=2):
        with pytest.raises(UncheckError, match="no"):
            record(nn.Sequential(Doubling(), Fn(lambda s, x: raises(x))), X)
        assert taught.WATCHING == []
