"""Every call is handled, ignored for a stated reason, or shown as unsupported."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reading.zoo import CASES
from reading.zoo_networks import Fn
from uncheck.reading import Ledger, record
from uncheck.reading.tables import GROUPS, canonical, group_of, is_in_place

X = torch.randn(1, 4, 8, 8)


class ThroughNumpy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.from_numpy(x.numpy() ** 2)


def warped(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    return F.grid_sample(y, y[:, :2].permute(0, 2, 3, 1), align_corners=False)


def masked_positions(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    y[:, :, ::2] = 0
    return y


def picked_by_content(self: Any, x: Tensor) -> Tensor:
    return self.conv(x)[:, :, x[0, 0].argmax(0)]


UNSUPPORTED = {
    "grid_sample": warped,
    "setitem with a step": masked_positions,
    "opaque": lambda self, x: self.conv(ThroughNumpy.apply(x)),
    "getitem with an index": picked_by_content,
    "gather": lambda self, x: self.conv(x).gather(2, x.argmax(2, keepdim=True).expand(1, 4, 16, 8)),
    "scatter": lambda self, x: torch.zeros(1, 4, 8, 8).scatter(
        2, torch.zeros(1, 4, 8, 8, dtype=torch.long), x
    ),
}


def ledger(forward: Any, x: Tensor = X, **layers: nn.Module) -> Ledger:
    return record(Fn(forward, conv=nn.Conv2d(4, 4, 1), **layers), x).ledger


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported_calls_are_shown(name: str) -> None:
    found = ledger(UNSUPPORTED[name])
    assert list(found.unsupported) == [name]
    assert found.where[name] == ("",)
    assert name in str(found)


def test_unsupported_calls_off_the_path_do_not_count() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        torch.sort(x)  # leads nowhere
        return self.conv(x) * torch.argsort(torch.ones(8)).float().sum()  # owes nothing to the input

    found = ledger(forward)
    assert found.unsupported == {}
    assert found.ignored["off the signal path"] == 2


def test_where_names_the_module() -> None:
    found = record(nn.Sequential(nn.Conv2d(4, 4, 1), Fn(picked_by_content, conv=nn.Identity())), X).ledger
    assert found.unsupported == {"getitem with an index": 1}
    assert found.where == {"getitem with an index": ("1",)}


def test_a_visible_custom_function_is_not_opaque() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * x

    assert ledger(lambda self, x: self.conv(Square.apply(x))).unsupported == {}


def test_constants_wherever_they_are_kept_are_not_opaque() -> None:
    kernel = torch.ones(4, 1, 3, 3)

    def forward(self: Any, x: Tensor) -> Tensor:
        return F.conv2d(x, kernel, groups=4) * torch.tensor(2.0) + self.bag["shift"]

    model = Fn(forward)
    model.bag = {"shift": torch.ones(1)}
    assert record(model, X).ledger.unsupported == {}


@pytest.mark.parametrize(
    "some",
    [slice(0, None, 12), pytest.param(slice(None), marks=pytest.mark.integration)],
    ids=["some", "all"],
)
def test_ignored_calls_have_a_criterion(some: slice) -> None:
    for case in CASES[some]:
        found = record(case.model(), case.input()).ledger
        assert set(found.criteria) == set(found.ignored), case.name
        assert all(found.criteria.values())
        assert found.to_dict() == {
            "handled": dict(found.handled),
            "ignored": dict(found.ignored),
            "unsupported": {},
        }


def test_in_place_calls_and_slices_stay_on_the_path() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = self.up(x).relu_().add_(1)
        y[:, :1] *= 2
        out = torch.zeros(1, 4, 20, 20)
        out[:, :, 2:18, 2:18] = y
        return out

    recording = record(Fn(forward, up=nn.ConvTranspose2d(4, 4, 4, 2, 1)), X)
    assert recording.stages[0].output_period == (2, 2)
    assert recording.ledger.unsupported == {}


def test_every_name_is_in_one_group() -> None:
    seen: dict[str, str] = {}
    for group in GROUPS:
        assert group.criterion
        for name in group.names:
            assert canonical(name) == name
            assert seen.setdefault(name, group.name) == group.name, name


@pytest.mark.parametrize(
    ("spelling", "name", "writes"),
    [
        ("__add__", "add", False),
        ("__radd__", "add", False),
        ("__iadd__", "add", True),
        ("relu_", "relu", True),
        ("__rpow__", "pow", False),
        ("__invert__", "invert", False),
        ("__getitem__", "getitem", False),
        ("_weight_norm", "_weight_norm", False),
    ],
)
def test_spellings(spelling: str, name: str, writes: bool) -> None:
    assert canonical(spelling) == name
    assert is_in_place(spelling) is writes
    assert group_of(spelling) is not None
