"""What the resize-convolution is measured on: a cell is a layer, an input, a layout, a type, training or
not."""

from __future__ import annotations

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from uncheck.layers import ResizeConv

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
UPSAMPLE = {"nearest": ("nearest",) * 3, "linear": ("linear", "bilinear", "trilinear")}


@dataclass(frozen=True)
class Cell:
    """One place of the table; widths are the same in and out, sizes the same on all axes."""

    ndim: int
    factor: int
    kernel: int
    mode: str
    layout: str
    dtype: str
    training: bool
    width: int
    size: int
    batch: int

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return asdict(self)

    @property
    def operations(self) -> float:
        """Multiplications of resize and convolution, forward."""
        pixels = self.batch * (self.size * self.factor) ** self.ndim
        return float(pixels * self.width**2 * self.kernel**self.ndim)

    @property
    def output_bytes(self) -> float:
        """Of the output."""
        size = 4 if self.dtype == "float32" else 2
        return float(self.batch * self.width * (self.size * self.factor) ** self.ndim * size)

    def format(self) -> torch.memory_format:
        """The layout as torch names it."""
        if self.layout == "contiguous" or self.ndim == 1:
            return torch.contiguous_format
        return torch.channels_last if self.ndim == 2 else torch.channels_last_3d


def grid(
    ndim: int,
    factors: tuple[int, ...],
    kernels: tuple[int, ...],
    modes: tuple[str, ...],
    widths: tuple[int, ...],
    sizes: tuple[int, ...],
    most_operations: float,
    batches: tuple[int, ...] = (1, 8),
    dtypes: tuple[str, ...] = ("float32", "bfloat16"),
    layouts: tuple[str, ...] = ("contiguous", "channels_last"),
) -> Iterator[Cell]:
    """Every cell, but those that would take more operations, or give more than half a gigabyte."""
    layouts = layouts if ndim > 1 else ("contiguous",)
    for factor, kernel, mode, layout, dtype, training, width, size, batch in itertools.product(
        factors, kernels, modes, layouts, dtypes, (False, True), widths, sizes, batches
    ):
        cell = Cell(ndim, factor, kernel, mode, layout, dtype, training, width, size, batch)
        if cell.operations <= most_operations and cell.output_bytes <= 5.4e8:
            yield cell


def layer_of(cell: Cell, padding_mode: str = "zeros") -> ResizeConv:
    """The layer under test."""
    torch.manual_seed(0)
    layer = ResizeConv(
        cell.width,
        cell.width,
        cell.kernel,
        cell.factor,
        padding_mode=padding_mode,
        mode=cell.mode,
        ndim=cell.ndim,
    )
    return layer.to(dtype=DTYPES[cell.dtype], memory_format=cell.format())


def two_steps(cell: Cell, padding_mode: str = "zeros") -> nn.Module:
    """torch's own upsampling and convolution, with the same weights."""
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[cell.ndim - 1](
        cell.width, cell.width, cell.kernel, padding=cell.kernel // 2, padding_mode=padding_mode
    )
    up = nn.Upsample(scale_factor=cell.factor, mode=UPSAMPLE[cell.mode][cell.ndim - 1])
    model = nn.Sequential(up, conv).to(dtype=DTYPES[cell.dtype], memory_format=cell.format())
    layer = layer_of(cell)
    conv.load_state_dict(layer.state_dict())
    return model


def deconvolution(cell: Cell) -> nn.Module:
    """The transposed convolution it stands in for: k 4, stride 2; for other factors k = 2 s."""
    module = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[cell.ndim - 1](
        cell.width, cell.width, 2 * cell.factor, cell.factor, cell.factor // 2, cell.factor % 2
    )
    return module.to(dtype=DTYPES[cell.dtype], memory_format=cell.format())


def input_of(cell: Cell) -> Tensor:
    """Noise of the cell's shape, type and layout; wants a gradient where the cell trains."""
    x = torch.randn(cell.batch, cell.width, *[cell.size] * cell.ndim)
    x = x.to(dtype=DTYPES[cell.dtype]).contiguous(memory_format=cell.format())
    return x.requires_grad_(cell.training)


def call_of(module: Callable[[Tensor], Tensor], x: Tensor, training: bool) -> Callable[[], object]:
    """One forward pass without gradients, or one forward and backward pass."""
    if not training:

        def forward() -> Tensor:
            with torch.no_grad():
                return module(x)

        return forward
    with torch.no_grad():
        gradient = torch.randn_like(module(x))
    leaves = [x, *(module.parameters() if isinstance(module, nn.Module) else [])]

    def both() -> None:
        torch.autograd.grad(module(x), leaves, gradient)

    return both


def together(
    calls: dict[str, Callable[[], object]], seconds: float, least: int, most: int
) -> dict[str, list[float]]:
    """Milliseconds of each call, taken in turns, so that what else the machine does falls on all of them
    alike."""
    once = 1e9
    for _ in range(5):  # the first calls allocate, and load what they need
        began = time.perf_counter()
        for call in calls.values():
            call()
        once = min(once, time.perf_counter() - began)
        if once > 0.3:
            break
    # short calls are repeated within one reading
    inner = max(1, int(0.0005 / max(once / len(calls), 1e-7)))
    rounds = max(least, min(most, int(seconds / max(once * inner, 1e-9))))
    times: dict[str, list[float]] = {name: [] for name in calls}
    names, order = list(calls), random.Random(0)
    for _ in range(rounds):
        order.shuffle(names)  # what ran just before leaves its mark on caches
        for name in names:
            call = calls[name]
            began = time.perf_counter()
            for _ in range(inner):
                call()
            times[name].append((time.perf_counter() - began) * 1e3 / inner)
    return times


def median(times: list[float]) -> float:
    """Of a list of readings."""
    return statistics.median(times)
