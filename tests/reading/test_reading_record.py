"""Recordings: errors, the meta device, strided steps, paddings, unused layers, calls that are no stages."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reading.zoo import CASES, Case, resized
from reading.zoo_networks import Attention2D, Fn
from tiers import every
from uncheck.errors import UncheckError
from uncheck.reading import record

X = torch.randn(1, 4, 8, 8)
UP = {"up": nn.ConvTranspose2d(4, 4, 4, 2, 1)}


def test_a_forward_that_raises_is_named() -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Sequential(nn.Conv2d(5, 1, 1)))
    with pytest.raises(UncheckError) as caught:
        record(model, X)
    message = str(caught.value)
    assert "'1.0'" in message
    assert "(1, 4, 8, 8)" in message
    assert "\n" not in message
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        (nn.ReLU, (X,), "needs a torch.nn.Module, not a type"),
        (Fn(lambda self, x: "text"), (X,), "returned no tensor but a str"),
        (nn.LazyConv2d(3, 3), (X,), "weight has no shape yet"),
        (nn.Sequential(nn.Linear(3, 3)), (), "raised TypeError before any|forward"),
    ],
)
def test_errors(model: Any, inputs: Any, message: str) -> None:
    with pytest.raises(UncheckError, match=message):
        record(model, *inputs)


@pytest.mark.parametrize("case", every(5, CASES), ids=lambda case: case.name)
def test_meta_device_gives_the_same_stages_without_kernels(case: Case) -> None:
    if case.name == "dynamic":
        pytest.skip("its forward looks at the data")
    real = record(case.model(), case.input())
    meta = record(case.model().to("meta"), case.input().to("meta"))
    plain = [(s.name, s.kind, s.stride, s.kernel_size, s.output_period, s.even_key) for s in real.stages]
    assert [
        (s.name, s.kind, s.stride, s.kernel_size, s.output_period, s.even_key) for s in meta.stages
    ] == plain
    assert all(stage.kernel is None or stage.kind == "nearest" for stage in meta.stages)


def test_strided_steps() -> None:
    model = nn.Sequential(
        *(nn.Conv2d(4, 4, 3, 2, 1), nn.MaxPool2d(3, 2, 1), nn.Upsample(scale_factor=8), nn.AvgPool2d(2)),
        *(
            Fn(lambda self, x: x[..., ::2]),
            nn.Upsample(scale_factor=0.5, mode="bilinear"),
            nn.PixelUnshuffle(2),
        ),
        *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 3, 1)),
    )
    found = [(s.name, s.kind, s.stride, s.kernel_size, s.padding) for s in record(model, X * 1.0).strided]
    assert (
        found
        == [
            ("0", "convolution", (2, 2), (3, 3), (1, 1)),
            ("1", "max pooling", (2, 2), (3, 3), (1, 1)),
            ("3", "average pooling", (2, 2), (2, 2), (0, 0)),
            ("4.__getitem__", "slicing", (1, 2), (1, 1), (0, 0)),
            ("5", "resize", (2, 2), (2, 2), (0, 0)),
            ("6", "pixel unshuffle", (2, 2), (2, 2), (0, 0)),
        ]
        or found[-1][1] == "pixel unshuffle"
    )


@pytest.mark.filterwarnings("ignore:Using padding")
def test_paddings() -> None:
    model = nn.Sequential(
        *(
            nn.Conv2d(4, 4, 3, padding=1),
            nn.ReflectionPad2d((1, 2, 3, 0)),
            nn.Conv2d(4, 4, 4, padding="same"),
        ),
        *(nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), nn.ConstantPad2d(1, 0.5), nn.ZeroPad2d(1)),
        *(nn.ReplicationPad2d(1), nn.ConvTranspose2d(4, 4, 4, 2, 1)),
    )
    assert [(p.name, p.mode, p.amount) for p in record(model, X).paddings] == [
        ("0", "zero", ((1, 1), (1, 1))),
        ("1", "reflect", ((3, 0), (1, 2))),
        ("2", "zero", ((1, 2), (1, 2))),
        ("3", "circular", ((1, 1), (1, 1))),
        ("4", "constant", ((1, 1), (1, 1))),
        ("5", "zero", ((1, 1), (1, 1))),
        ("6", "replicate", ((1, 1), (1, 1))),
    ]


def test_layers_never_called_are_listed() -> None:
    model = Fn(
        lambda self, x: self.used(x), used=nn.Upsample(scale_factor=2), head=nn.Sequential(*UP.values())
    )
    recording = record(model, X)
    assert recording.unused == ("head.0",)
    assert [stage.name for stage in recording.stages] == ["used"]


def test_repeated_layers_are_counted() -> None:
    model = Fn(lambda self, x: self.up(self.up(x)), **UP)
    stages = record(model, X).stages
    assert [(s.name, s.call, s.key.occurrence) for s in stages] == [("up", 0, 0), ("up", 1, 1)]


def test_a_subclass_counts_as_the_layer() -> None:
    class Up(nn.ConvTranspose2d):
        def forward(self, x: Tensor, output_size: Any = None) -> Tensor:
            return F.conv_transpose2d(x, self.weight * 2, self.bias, self.stride, self.padding)

    stage = record(nn.Sequential(Up(4, 3, 4, 2, 1)), X).stages[0]
    assert stage.name == "0"
    assert stage.key.function == "conv_transpose2d"


def test_stride_one_is_no_stage() -> None:
    assert record(nn.ConvTranspose2d(4, 3, 5), X).stages == ()
    assert record(nn.Upsample(scale_factor=1), X).stages == ()
    assert record(nn.PixelShuffle(1), X).stages == ()


@dataclass
class Output:
    image: Tensor
    extra: dict[str, list[Tensor]]


def test_outputs_inside_dataclasses_and_inputs_by_name() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = UP["up"]

        def forward(self, parts: Any, *, scale: Tensor) -> Output:
            y = self.up(parts["x"][0]) * scale
            return Output(y, {"low": [F.avg_pool2d(y, 2)]})

    recording = record(Net(), {"x": [X]}, scale=torch.ones(1))
    assert isinstance(recording.output, Output)
    assert recording.stages[0].output_period == (2, 2)


def test_activations_are_not_kept_alive() -> None:
    held: list[weakref.ref[Tensor]] = []

    def forward(self: Any, x: Tensor) -> Tensor:
        y = self.up(x)
        held.append(weakref.ref(y))
        return y.mean()

    recording = record(Fn(forward, **UP), X)
    gc.collect()
    assert held[0]() is None
    assert recording.calls == 2


def attention_heads(self: Any, x: Tensor) -> Tensor:
    q = self.proj(x).view(2, 16, 4, 2).transpose(1, 2)
    k = q.repeat_interleave(2, 1)[:, ::2]
    return F.scaled_dot_product_attention(q, k, k).transpose(1, 2).reshape(2, 16, 8)


def windows(self: Any, x: Tensor) -> Tensor:
    y = x.permute(0, 2, 3, 1).view(1, 2, 4, 2, 4, 4).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, 4)
    y = self.mix(y).view(1, 2, 2, 4, 4, 4).permute(0, 1, 3, 2, 4, 5).reshape(1, 8, 8, 4)
    return y.permute(0, 3, 1, 2)


def shuffled_channels(self: Any, x: Tensor) -> Tensor:
    return self.conv(x).view(1, 2, 2, 8, 8).transpose(1, 2).reshape(1, 4, 8, 8)


LOOKALIKES = {
    "attention heads": (Fn(attention_heads, proj=nn.Linear(8, 8)), torch.randn(2, 16, 8)),
    "attention layer": (nn.TransformerEncoderLayer(8, 2, 8, batch_first=True), torch.randn(2, 16, 8)),
    "attention over pixels": (Attention2D(4), X),
    "windows": (Fn(windows, mix=nn.Linear(4, 4)), X),
    "channel shuffle": (Fn(shuffled_channels, conv=nn.Conv2d(4, 4, 1)), X),
    "flatten": (nn.Sequential(nn.Conv2d(4, 4, 1), nn.Flatten(), nn.Linear(256, 3)), X),
    "flatten tokens": (nn.Sequential(nn.Linear(8, 4), nn.Flatten(), nn.Linear(64, 3)), torch.randn(2, 16, 8)),
    "space to depth": (
        Fn(lambda s, x: x.view(1, 4, 4, 2, 4, 2).permute(0, 1, 3, 5, 2, 4).reshape(1, 16, 4, 4)),
        X,
    ),
    "tiling": (Fn(lambda s, x: x.repeat(1, 1, 2, 2)), X),
    "code to map": (
        nn.Sequential(nn.Linear(8, 64), nn.Unflatten(1, (4, 4, 4)), nn.Conv2d(4, 1, 3)),
        torch.randn(1, 8),
    ),
    "lstm": (Fn(lambda s, x: s.lstm(x)[0], lstm=nn.LSTM(8, 8, batch_first=True)), torch.randn(1, 16, 8)),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_lookalikes_are_no_stages(name: str) -> None:
    recording = record(*LOOKALIKES[name])
    assert recording.stages == ()
    assert recording.ledger.unsupported == {}


def test_a_window_attention_keeps_the_period() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return windows(self, F.avg_pool2d(self.up(self.up(x)), 4)) + windows(
            self, self.up(x)[:, :, 4:12, 4:12]
        )

    model = Fn(forward, up=nn.ConvTranspose2d(4, 4, 4, 2, 1), mix=nn.Linear(4, 4))
    stages = record(model, X).stages
    assert [stage.output_period for stage in stages] == [(1, 1), (1, 1), (2, 2)]  # 4 and 2 pixels pooled by 4


def test_sizes_tell_where_the_graph_does_not() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return F.interpolate(torch.fft.irfft2(torch.fft.rfft2(self.up(x))), scale_factor=2)

    stages = record(Fn(forward, **UP), X).stages
    assert stages[0].output_period == (4, 4)


def test_a_resize_read_twice_is_evened_itself() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = F.interpolate(x, scale_factor=2)
        return self.conv(y) + y

    stage = record(Fn(forward, conv=nn.Conv2d(4, 4, 3, padding=1)), X).stages[0]
    assert stage.even_key == stage.key
    assert stage.kernel_size == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "kind", "stride", "known"),
    [
        ({"size": (16, 24)}, "nearest", (2, 3), True),
        ({"size": (16, 16), "mode": "area"}, "nearest", (2, 2), True),
        ({"scale_factor": 2, "mode": "nearest-exact"}, "nearest", (2, 2), True),
        ({"scale_factor": (1, 4), "mode": "bilinear"}, "linear", (1, 4), True),
        ({"scale_factor": 2, "mode": "bilinear", "align_corners": True}, "linear", (2, 2), False),
        ({"size": (12, 20), "mode": "bilinear"}, "linear", (1.5, 2.5), False),
        ({"scale_factor": 2, "mode": "bicubic"}, "cubic", (2, 2), False),
    ],
)
def test_resizes(arguments: dict[str, Any], kind: str, stride: tuple[float, ...], known: bool) -> None:
    model = Fn(lambda self, x: self.conv(F.interpolate(x, **arguments)), conv=nn.Conv2d(4, 4, 3))
    stage = record(model, X).stages[0]
    assert (stage.kind, stage.stride, stage.kernel is not None) == (kind, stride, known)
    assert stage.kernel_size == (3, 3)


def test_expectations_of_the_zoo_are_checked() -> None:
    """A wrong expectation is seen: the zoo compares values, not only counts."""
    case = next(case for case in CASES if case.name == "pad_relu_conv")
    stage = record(case.model(), case.input()).stages[0]
    wrong = resized("up", 4)
    assert (stage.stride, stage.output_period) != (wrong.stride, wrong.period)


def test_values_held_inside_a_sub_pixel_block_have_no_kernel() -> None:
    """Phases taken partly from the channels, partly repeated."""
    model = Fn(lambda s, x: x.flatten(1).repeat_interleave(2, dim=1))
    assert all(stage.kernel is None for stage in record(model, torch.zeros(2, 2, 2)).stages)
    model = Fn(lambda s, x: s.conv(x).flatten(1, 2).repeat_interleave(2, dim=1), conv=nn.Conv1d(2, 2, 1))
    assert record(model, torch.zeros(2, 2, 2)).stages == ()


def test_a_recording_renders_itself() -> None:
    text = str(record(Fn(lambda self, x: self.up(self.up(x)), never=nn.PixelShuffle(2), **UP), X))
    assert text.splitlines() == [
        "up: transposed x2, kernel 4, even overlap, period 4",
        "up (call 1): transposed x2, kernel 4, even overlap, period 2",
        "never called: never",
        "2 calls handled, 0 ignored on purpose, none unsupported",
    ]
    assert str(record(nn.ReLU(), X)).startswith("no upsampling\n")
