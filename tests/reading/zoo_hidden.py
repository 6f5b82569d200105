"""Upsampling that no layer is named for: convex, inserted zeros, overlap-add, inverse wavelets, tables."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reading.zoo_networks import Fn


def conv(a: int, b: int, k: int = 3) -> nn.Module:
    return nn.Conv2d(a, b, k, padding=k // 2)


# Phases are axes of their own while values are changed one by one.


def convex(self: Any, x: Tensor) -> Tensor:
    y = self.u(torch.relu(self.d(x)))
    n, _, h, w = y.shape
    r = self.r
    return torch.tanh(y.view(n, 3, r, r, h, w)).permute(0, 1, 4, 2, 5, 3).reshape(n, 3, r * h, r * w)


def raft(self: Any, x: Tensor) -> Tensor:
    """Convex upsampling of optical flow: a softmax over nine neighbours at each fine position."""
    flow, mask = self.flow(x), 0.25 * self.mask(x)
    n, _, h, w = flow.shape
    mask = torch.softmax(mask.view(n, 1, 9, 4, 4, h, w), dim=2)
    up = F.unfold(4 * flow, [3, 3], padding=1).view(n, 2, 9, 1, 1, h, w)
    up = torch.sum(mask * up, dim=2).permute(0, 1, 4, 2, 5, 3)
    return up.reshape(n, 2, 4 * h, 4 * w)


def raft_einsum(self: Any, x: Tensor) -> Tensor:
    flow, mask = self.flow(x), self.mask(x)
    n, _, h, w = flow.shape
    mask = mask.view(n, 9, 4, 4, h, w).softmax(1)
    up = F.unfold(flow, 3, padding=1).view(n, 2, 9, h, w)
    return torch.einsum("nkpqhw,nckhw->nchpwq", mask, up).reshape(n, 2, 4 * h, 4 * w)


def gated_parts(self: Any, x: Tensor) -> Tensor:
    a, b = self.u(x).chunk(2, 1)
    n, c, h, w = a.shape
    y = a.view(n, c // 4, 2, 2, h, w) * torch.sigmoid(b.view(n, c // 4, 2, 2, h, w))
    return y.permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)


def where_between(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    n, c, h, w = y.shape
    y = y.reshape(n, c // 4, 2, 2, h, w)
    y = torch.where(y > 0, y, 0.1 * y).permute(0, 1, 4, 2, 5, 3)
    return y.reshape(n, c // 4, 2 * h, 2 * w)


def normed_between(self: Any, x: Tensor) -> Tensor:
    y = self.u(x).permute(0, 2, 3, 1)
    n, h, w, c = y.shape
    y = F.layer_norm(y.view(n, h, w, 2, 2, c // 4), (c // 4,)).transpose(2, 3)
    return y.reshape(n, 2 * h, 2 * w, c // 4).permute(0, 3, 1, 2)


# Zeros inserted.


def zeros_padded(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return self.c(F.pad(x.reshape(n, c, h, 1, w, 1), [0, 1, 0, 0, 0, 1]).reshape(n, c, 2 * h, 2 * w))


def upfirdn(self: Any, x: Tensor) -> Tensor:
    """As in StyleGAN2 without its own kernels: channels in the batch, the last axis spare."""
    n, c, h, w = x.shape
    y = x.reshape(-1, h, w, 1).view(-1, h, 1, w, 1, 1)
    y = F.pad(y, [0, 0, 0, 1, 0, 0, 0, 1]).view(-1, 2 * h, 2 * w, 1)
    y = F.pad(y, [0, 0, 2, 1, 2, 1])
    y = y[:, 0 : y.shape[1], 0 : y.shape[2], :].permute(0, 3, 1, 2).reshape(-1, 1, 2 * h + 3, 2 * w + 3)
    return F.conv2d(y, self.fir).view(n, c, 2 * h, 2 * w)


def zeros_strided(self: Any, x: Tensor) -> Tensor:
    y = x.new_zeros(x.shape[0], x.shape[1], 2 * x.shape[2], 2 * x.shape[3])
    y[..., ::2, ::2] = x
    return self.c(y)


def zeros_copied(self: Any, x: Tensor) -> Tensor:
    y = torch.zeros(x.shape[0], x.shape[1], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    y[:, :, 1::2, 1::2].copy_(x)
    return self.c(y)


def zeros_six_axes(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, h, 2, w, 2)
    y[:, :, :, 0, :, 0] = x
    return self.c(y.view(n, c, 2 * h, 2 * w))


def zeros_stacked(self: Any, x: Tensor) -> Tensor:
    y = torch.stack([x, torch.zeros_like(x)], -1).flatten(-2)
    return self.c(torch.stack([y, torch.zeros_like(y)], 3).flatten(2, 3))


def zeros_cat(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = torch.cat([x, x * 0], -1).reshape(n, c, 2 * h, w)
    y = torch.cat([y.unsqueeze(-1), torch.zeros_like(y).unsqueeze(-1)], -1)
    return self.c(y.reshape(n, c, 2 * h, 2 * w))


def zeros_kron(self: Any, x: Tensor) -> Tensor:
    return self.c(torch.kron(x, torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=x.dtype)))


def zeros_outer(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return self.c((x[:, :, :, None, :, None] * self.table[:, None, :]).reshape(n, c, 2 * h, 2 * w))


def zeros_einsum(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return self.c(torch.einsum("nchw,pq->nchpwq", x, self.table).reshape(n, c, 2 * h, 2 * w))


def zeros_masked(self: Any, x: Tensor) -> Tensor:
    y = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return self.c(y * self.table.repeat(x.shape[2], x.shape[3]))


def zeros_scattered(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    where = (2 * torch.arange(h)[:, None] * 2 * w + 2 * torch.arange(w)).flatten()
    y = torch.zeros(n, c, 4 * h * w, dtype=x.dtype)
    y = y.scatter(2, where.expand(n, c, -1), x.flatten(2))
    return self.c(y.view(n, c, 2 * h, 2 * w))


def zeros_index_copy(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = torch.zeros(n, c, 2 * h, w, dtype=x.dtype).index_copy(2, torch.arange(0, 2 * h, 2), x)
    y = torch.zeros(n, c, 2 * h, 2 * w, dtype=x.dtype).index_add_(3, torch.arange(1, 2 * w, 2), y)
    return self.c(y)


def zeros_indexed(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = torch.zeros(n, c, 2 * h, 2 * w, dtype=x.dtype)
    y[:, :, (2 * torch.arange(h))[:, None], 2 * torch.arange(w)] = x
    return self.c(y)


def zeros_one_less(self: Any, x: Tensor) -> Tensor:
    y = torch.zeros(x.shape[0], x.shape[1], 2 * x.shape[2] - 1, 2 * x.shape[3] - 1, dtype=x.dtype)
    y[:, :, ::2, ::2] = x
    return self.c(y)


def zeros_shuffled(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = torch.zeros(n, c, 4, h, w, dtype=x.dtype)
    y[:, :, 0] = x
    return self.c(F.pixel_shuffle(y.view(n, 4 * c, h, w), 2))


# Overlapping blocks added.


def folded(self: Any, x: Tensor) -> Tensor:
    y = self.u(x).flatten(2)
    h, w = x.shape[2:]
    return F.fold(y, (2 * h + 2, 2 * w + 2), 4, stride=2)


def folded_line(self: Any, x: Tensor) -> Tensor:
    frames = self.u(x)
    return F.fold(frames, (1, 4 * frames.shape[-1] + 4), (1, 8), stride=(1, 4))[:, :, 0]


def istft(self: Any, x: Tensor) -> Tensor:
    size, phase = self.u(x).chunk(2, 1)
    spectrum = torch.polar(torch.exp(size.clamp(max=1.0)), phase)
    return torch.istft(spectrum, 16, 4, window=self.window)[:, None]


def overlap_and_add(self: Any, x: Tensor) -> Tensor:
    """As in Conv-TasNet: blocks of eight samples every four, added by index."""
    frames = self.u(x).transpose(1, 2)
    n, count, length = frames.shape
    step, sub = 4, 4
    total = (step * (count - 1) + length) // sub
    index = torch.arange(total).unfold(0, length // sub, step // sub).contiguous().view(-1)
    y = frames.new_zeros(n, total, sub)
    y.index_add_(1, index, frames.reshape(n, -1, sub))
    return y.view(n, 1, -1)


# Inverse wavelets, unsqueezing, interleaves.


def haar_written(self: Any, x: Tensor) -> Tensor:
    a, b, c, d = self.u(x).chunk(4, 1)
    n, k, h, w = a.shape
    y = torch.zeros(n, k, 2 * h, 2 * w, dtype=x.dtype)
    y[:, :, 0::2, 0::2] = a - b - c + d
    y[:, :, 1::2, 0::2] = a - b + c - d
    y[:, :, 0::2, 1::2] = a + b - c - d
    y[:, :, 1::2, 1::2] = a + b + c + d
    return y


def haar_empty(self: Any, x: Tensor) -> Tensor:
    a, b = self.u(x)[:, :3] / 2, self.u(x)[:, 3:6] / 2
    y = torch.empty(len(a), 3, a.shape[2], 2 * a.shape[3], dtype=x.dtype)
    y[..., ::2] = a + b
    y[..., 1::2] = a - b
    return y


def haar_transposed(self: Any, x: Tensor) -> Tensor:
    return F.conv_transpose2d(self.u(x), self.haar, stride=2, groups=3)


def haar_stacked(self: Any, x: Tensor) -> Tensor:
    a, b, c, d = self.u(x).chunk(4, 1)
    n, k, h, w = a.shape
    y = torch.stack([a + b, a - b, c + d, c - d], 2).view(n, k, 2, 2, h, w)
    return y.permute(0, 1, 4, 2, 5, 3).reshape(n, k, 2 * h, 2 * w)


def rows_then_columns(self: Any, x: Tensor) -> Tensor:
    a, b, c, d = self.u(x).chunk(4, 1)
    n, k, h, w = a.shape
    even = torch.stack([a, b], -1).view(n, k, h, 2 * w)
    odd = torch.stack([c, d], -1).view(n, k, h, 2 * w)
    return torch.stack([even, odd], 3).view(n, k, 2 * h, 2 * w)


def unsqueezed(self: Any, x: Tensor) -> Tensor:
    """As in Glow, there and back with a convolution at the coarse scale."""
    n, c, h, w = x.shape
    y = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).contiguous()
    y = self.u(y.view(n, 4 * c, h // 2, w // 2))
    y = y.view(n, c, 2, 2, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3).contiguous()
    return y.view(n, c, h, w)


def two_frames(self: Any, x: Tensor) -> Tensor:
    """A video decoder's doubling in time: two halves of the channels take turns."""
    y = self.u(x)
    n, c, t, h, w = y.shape
    y = y.reshape(n, 2, c // 2, t, h, w)
    return torch.stack((y[:, 0], y[:, 1]), 3).reshape(n, c // 2, 2 * t, h, w)


def one_frame_of_many(self: Any, x: Tensor) -> Tensor:
    """A video decoder that keeps what it needs of the past: a frame at a time becomes two."""
    made = []
    for i in range(x.shape[2]):
        y = self.u(x[:, :, i : i + 1])
        n, c, t, h, w = y.shape
        y = y.reshape(n, 2, c // 2, t, h, w)
        made.append(torch.stack((y[:, 0], y[:, 1]), 3).reshape(n, c // 2, 2 * t, h, w))
    return torch.cat([torch.cat(made[:2], 2), torch.cat(made[2:], 2)], 2)


def one_frame_wider(self: Any, x: Tensor) -> Tensor:
    y = self.u(x[:, :, :1])
    return F.interpolate(y, size=(1, 2 * y.shape[3], 2 * y.shape[4]))


def first_frame_apart(self: Any, x: Tensor) -> Tensor:
    first = F.interpolate(x[:, :, 0], scale_factor=2.0)[:, :, None]
    return self.u(torch.cat([first, F.interpolate(x[:, :, 1:], scale_factor=2.0)], 2))


def folded_frames(self: Any, x: Tensor) -> Tensor:
    """Frames in the batch, then a pixel shuffle by hand."""
    y = self.u(x).transpose(1, 2)
    n, t, c, h, w = y.shape
    y = y.reshape(n * t, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n * t, c // 4, 2 * h, 2 * w)
    return y.view(n, t, c // 4, 2 * h, 2 * w).transpose(1, 2)


def interleaved_line(self: Any, x: Tensor) -> Tensor:
    return torch.stack([self.u(x), self.v(x)], -1).flatten(-2)


# Values repeated.


def kron_ones(self: Any, x: Tensor) -> Tensor:
    return self.c(torch.kron(x, torch.ones(1, 1, 2, 2, dtype=x.dtype)))


def stacked_twice_the_same(self: Any, x: Tensor) -> Tensor:
    y = torch.stack([x, x], -1).flatten(-2)
    return self.c(torch.stack([y, y], 3).flatten(2, 3))


def index_nearest(self: Any, x: Tensor) -> Tensor:
    rows, columns = (torch.arange(2 * n) // 2 for n in x.shape[2:])
    return self.c(x[:, :, rows][:, :, :, columns])


def index_both(self: Any, x: Tensor) -> Tensor:
    rows, columns = (torch.arange(2 * n) // 2 for n in x.shape[2:])
    return self.c(x[:, :, rows[:, None], columns])


def index_selected(self: Any, x: Tensor) -> Tensor:
    rows, columns = (torch.arange(3 * n) // 3 for n in x.shape[2:])
    return self.c(x.index_select(2, rows).index_select(-1, columns))


def outer_ones(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    ones = torch.ones(1, 1, 1, 2, 1, 2, dtype=x.dtype)
    return self.c((x.view(n, c, h, 1, w, 1) * ones).view(n, c, 2 * h, 2 * w))


def wider_only(self: Any, x: Tensor) -> Tensor:
    return self.c(x.repeat_interleave(2, 3))


# Values between others.


def grid_sampled(self: Any, x: Tensor) -> Tensor:
    h, w = (2 * n for n in x.shape[2:])
    rows, columns = ((torch.arange(n, dtype=x.dtype) + 0.5) / n * 2 - 1 for n in (h, w))
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
    y = F.grid_sample(x, grid.expand(len(x), -1, -1, -1), align_corners=False)
    return self.c(y)


def affine_grid(self: Any, x: Tensor) -> Tensor:
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=x.dtype)
    grid = F.affine_grid(theta, [1, x.shape[1], 3 * x.shape[2], 3 * x.shape[3]], align_corners=False)
    return self.c(F.grid_sample(x, grid, mode="nearest", align_corners=False))


def fourier(self: Any, x: Tensor) -> Tensor:
    h, w = x.shape[2:]
    return self.c(torch.fft.irfft2(torch.fft.rfft2(x), s=(2 * h, 2 * w)))


def index_of_no_whole_ratio(self: Any, x: Tensor) -> Tensor:
    rows, columns = ((torch.arange(3 * n // 2) * 2) // 3 for n in x.shape[2:])
    return self.c(x[:, :, rows[:, None], columns])


C = (1, 4, 6, 8)
TABLE = torch.tensor([[1.0, 0.0], [0.0, 0.0]])


def fn(forward: Any, **layers: Any) -> Any:
    def make() -> nn.Module:
        tensors = {k: v for k, v in layers.items() if isinstance(v, Tensor | int)}
        model = Fn(forward, **{k: v() for k, v in layers.items() if k not in tensors})
        for name, value in tensors.items():
            setattr(model, name, nn.Parameter(value) if name == "fir" else value)
        return model

    return make


def same(a: int, b: int, k: int = 3) -> Any:
    return lambda: conv(a, b, k)


FIR = (torch.tensor([1.0, 3, 3, 1])[:, None] * torch.tensor([1.0, 3, 3, 1]) / 16)[None, None]
HAAR = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]).view(4, 1, 2, 2) / 2
ZEROS = {"c": same(4, 3)}

#: Name: the network, the shape of its input, and kind, stride and period of each stage.
HIDDEN: dict[str, tuple[Any, tuple[int, ...], list[tuple[str, tuple[int, ...], tuple[int, ...]]]]] = {
    "convex": (
        fn(convex, r=4, d=lambda: nn.Conv2d(3, 16, 4, 4), u=same(16, 48)),
        (1, 3, 24, 32),
        [("sub-pixel", (4, 4), (4, 4))],
    ),
    "raft": (fn(raft, flow=same(4, 2), mask=same(4, 144)), C, [("sub-pixel", (4, 4), (4, 4))]),
    "raft_einsum": (fn(raft_einsum, flow=same(4, 2), mask=same(4, 144)), C, [("sub-pixel", (4, 4), (4, 4))]),
    "gated_parts": (fn(gated_parts, u=same(4, 24)), C, [("sub-pixel", (2, 2), (2, 2))]),
    "where_between": (fn(where_between, u=same(4, 12)), C, [("sub-pixel", (2, 2), (2, 2))]),
    "normed_between": (fn(normed_between, u=same(4, 12)), C, [("sub-pixel", (2, 2), (2, 2))]),
    "upfirdn": (fn(upfirdn, fir=FIR), C, [("transposed", (2, 2), (2, 2))]),
    **{
        way.__name__: (fn(way, **ZEROS), C, [("transposed", (2, 2), (2, 2))])
        for way in (
            *(zeros_padded, zeros_strided, zeros_copied, zeros_six_axes, zeros_stacked, zeros_cat),
            *(zeros_kron, zeros_scattered, zeros_indexed, zeros_one_less),
        )
    },
    **{
        way.__name__: (fn(way, table=TABLE, **ZEROS), C, [("transposed", (2, 2), (2, 2))])
        for way in (zeros_outer, zeros_einsum, zeros_masked)
    },
    "zeros_index_copy": (fn(zeros_index_copy, **ZEROS), C, [("transposed", (2, 2), (2, 2))]),
    "zeros_shuffled": (fn(zeros_shuffled, **ZEROS), C, [("sub-pixel", (2, 2), (2, 2))]),
    "folded": (fn(folded, u=same(4, 48)), C, [("transposed", (2, 2), (2, 2))]),
    "folded_line": (
        fn(folded_line, u=lambda: nn.Conv1d(4, 8, 3, padding=1)),
        (1, 4, 12),
        [("transposed", (4,), (4,))],
    ),
    "istft": (
        fn(istft, u=lambda: nn.Conv1d(4, 18, 3, padding=1), window=torch.hann_window(16)),
        (1, 4, 12),
        [("transposed", (4,), (4,))],
    ),
    "overlap_and_add": (
        fn(overlap_and_add, u=lambda: nn.Conv1d(4, 8, 3, padding=1)),
        (1, 4, 12),
        [("sub-pixel", (4,), (4,))],
    ),
    **{
        way.__name__: (fn(way, u=same(4, 12)), C, [("sub-pixel", (2, 2), (2, 2))])
        for way in (haar_written, haar_stacked, rows_then_columns)
    },
    "haar_empty": (fn(haar_empty, u=same(4, 6)), C, [("sub-pixel", (1, 2), (1, 2))]),
    "haar_transposed": (
        fn(haar_transposed, u=same(4, 12), haar=HAAR.repeat(3, 1, 1, 1)),
        C,
        [("transposed", (2, 2), (2, 2))],
    ),
    "unsqueezed": (fn(unsqueezed, u=same(16, 16)), C, [("sub-pixel", (2, 2), (2, 2))]),
    "two_frames": (
        fn(two_frames, u=lambda: nn.Conv3d(2, 8, 3, padding=1)),
        (1, 2, 4, 5, 6),
        [("sub-pixel", (2, 1, 1), (2, 1, 1))],
    ),
    "folded_frames": (
        fn(folded_frames, u=lambda: nn.Conv3d(2, 12, 3, padding=1)),
        (1, 2, 3, 5, 6),
        [("sub-pixel", (2, 2), (2, 2))],
    ),
    "interleaved_line": (
        fn(
            interleaved_line,
            u=lambda: nn.Conv1d(4, 3, 3, padding=1),
            v=lambda: nn.Conv1d(4, 3, 3, padding=1),
        ),
        (1, 4, 12),
        [("sub-pixel", (2,), (2,))],
    ),
    **{
        way.__name__: (fn(way, **ZEROS), C, [("nearest", (2, 2), (2, 2))])
        for way in (kron_ones, stacked_twice_the_same, index_nearest, index_both, outer_ones)
    },
    "index_selected": (fn(index_selected, **ZEROS), C, [("nearest", (3, 3), (3, 3))]),
    "grid_sampled": (fn(grid_sampled, **ZEROS), C, [("linear", (2, 2), (2, 2))]),
    "affine_grid": (fn(affine_grid, **ZEROS), C, [("nearest", (3, 3), (3, 3))]),
    "fourier": (fn(fourier, **ZEROS), C, [("cubic", (2, 2), (2, 2))]),
    "index_of_no_whole_ratio": (
        fn(index_of_no_whole_ratio, **ZEROS),
        C,
        [("nearest", (1.5, 1.5), (3, 3))],
    ),
    "wider_only": (fn(wider_only, **ZEROS), C, [("nearest", (1, 2), (1, 2))]),
}
