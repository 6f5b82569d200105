"""More spellings of hidden upsampling, each tried against the period of the network's operator."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from reading.zoo_hidden import conv, fn


def raft_last(self: Any, x: Tensor) -> Tensor:
    """Convex upsampling with the mask's channels last and a product of matrices."""
    mask = self.m(x).permute(0, 2, 3, 1)
    n, h, w, _ = mask.shape
    mask = mask.view(n, h, w, 16, 9).softmax(-1)
    up = F.unfold(self.v(x), 3, padding=1).view(n, 2, 9, h, w).permute(0, 3, 4, 2, 1)
    y = torch.matmul(mask, up).view(n, h, w, 4, 4, 2)
    return y.permute(0, 5, 1, 3, 2, 4).reshape(n, 2, 4 * h, 4 * w)


def raft_summed(self: Any, x: Tensor) -> Tensor:
    """Convex upsampling with an einsum of one tensor, which sums the neighbours and moves axes at once."""
    n, _, h, w = x.shape
    mask = self.m(x).view(n, 1, 9, 4, 4, h, w).softmax(2)
    up = F.unfold(self.v(x), 3, padding=1).view(n, 2, 9, 1, 1, h, w)
    return torch.einsum("nckabhw->nchawb", mask * up).reshape(n, 2, 4 * h, 4 * w)


def raft_dots(self: Any, x: Tensor) -> Tensor:
    n, _, h, w = x.shape
    mask = self.m(x).view(n, 1, 9, 4, 4, h, w).softmax(2)
    up = F.unfold(self.v(x), 3, padding=1).view(n, 2, 9, 1, 1, h, w)
    return torch.einsum("...kabhw->...hawb", mask * up).reshape(n, 2, 4 * h, 4 * w)


def carafe(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    weight = F.pixel_shuffle(self.m(x), 2).softmax(1)
    wide = F.unfold(F.interpolate(x, scale_factor=2), 3, dilation=2, padding=2)
    return torch.einsum("nkhw,nckhw->nchw", weight, wide.view(n, c, 9, 2 * h, 2 * w))


def zeros_transposed(self: Any, x: Tensor) -> Tensor:
    one = torch.zeros(4, 1, 2, 2, dtype=x.dtype)
    one[:, :, 0, 0] = 1
    return self.c(F.conv_transpose2d(x, one, stride=2, groups=4))


def zeros_unpooled(self: Any, x: Tensor) -> Tensor:
    y, where = F.max_pool2d(F.interpolate(x, scale_factor=2), 2, return_indices=True)
    return self.c(F.max_unpool2d(y, where, 2))


def zero_channels(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = F.pad(x.view(n, c, 1, h, w), [0, 0, 0, 0, 0, 3]).view(n, 4 * c, h, w)
    return self.c(F.pixel_shuffle(y, 2))


def zero_rows(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return self.c(F.pad(x, [0, w]).reshape(n, c, 2 * h, w))


def zeros_every_third(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = x.new_full((n, c, 3 * h, 3 * w), 0.0)
    y[:, :, 1::3, 1::3] = x
    return self.c(y)


def zeros_added(self: Any, x: Tensor) -> Tensor:
    y = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    y[:, :, ::2, ::2] += x
    return self.c(y)


def zeros_added_in_place(self: Any, x: Tensor) -> Tensor:
    y = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    y[:, :, ::2, ::2].add_(x)
    return self.c(y)


def zeros_put(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    where = (torch.arange(n)[:, None, None, None], torch.arange(c)[:, None, None])
    where = (*where, (2 * torch.arange(h))[:, None], 2 * torch.arange(w))
    return self.c(torch.zeros(n, c, 2 * h, 2 * w, dtype=x.dtype).index_put(where, x))


def zeros_and_a_filter(self: Any, x: Tensor) -> Tensor:
    line = torch.tensor([1.0, 2, 1], dtype=x.dtype)
    y = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    y[..., ::2, ::2] = x
    return self.c(F.conv2d(y, (line[:, None] * line / 4).expand(4, 1, 3, 3), padding=1, groups=4))


def zeros_where(self: Any, x: Tensor) -> Tensor:
    y = F.interpolate(x, scale_factor=2)
    rows, columns = (torch.arange(n) % 2 == 0 for n in y.shape[2:])
    return self.c(torch.where(rows[:, None] & columns, y, torch.zeros((), dtype=x.dtype)))


def zeros_of_a_spectrum(self: Any, x: Tensor) -> Tensor:
    """A spectrum repeated is a signal among zeros."""
    return self.c(torch.fft.ifft2(torch.fft.fft2(x).repeat(1, 1, 2, 2)).real)


def spectrum_padded(self: Any, x: Tensor) -> Tensor:
    h, w = x.shape[2:]
    f = F.pad(torch.fft.fftshift(torch.fft.fft2(x), dim=(-2, -1)), [w // 2, w // 2, h // 2, h // 2])
    return self.c(torch.fft.ifft2(torch.fft.ifftshift(f, dim=(-2, -1))).real)


def haar_cat(self: Any, x: Tensor) -> Tensor:
    a, b, c, d = self.u(x).chunk(4, 1)
    n, k, h, w = a.shape
    top = torch.cat([a.unsqueeze(-1), b.unsqueeze(-1)], -1).reshape(n, k, h, 2 * w)
    low = torch.cat([c.unsqueeze(-1), d.unsqueeze(-1)], -1).reshape(n, k, h, 2 * w)
    return torch.cat([top.unsqueeze(3), low.unsqueeze(3)], 3).reshape(n, k, 2 * h, 2 * w)


def haar_by_axes(self: Any, x: Tensor) -> Tensor:
    a, b, c, d = self.u(x).chunk(4, 1)
    k = a.shape[1]
    one, two = (torch.tensor([0.7, s], dtype=x.dtype) for s in (0.7, -0.7))

    def up(y: Tensor, taps: Tensor, shape: tuple[int, int]) -> Tensor:
        weight = taps.view(1, 1, *shape).repeat(k, 1, 1, 1)
        return F.conv_transpose2d(y, weight, stride=shape, groups=k)

    low, high = (up(y, one, (2, 1)) + up(z, two, (2, 1)) for y, z in ((a, b), (c, d)))
    return up(low, one, (1, 2)) + up(high, two, (1, 2))


def frames_in_a_loop(self: Any, x: Tensor) -> Tensor:
    a, b = self.u(x).chunk(2, 1)
    frames = []
    for i in range(a.shape[2]):
        frames += [a[:, :, i], torch.relu(b[:, :, i])]
    return torch.stack(frames, 2)


def frames_twice_in_a_loop(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    return torch.cat([f for f in y.split(1, dim=2) for _ in range(2)], 2)


def added_in_a_loop(self: Any, x: Tensor) -> Tensor:
    frames = self.u(x)
    n, length, count = frames.shape
    y = torch.zeros(n, 1, 4 * (count - 1) + length, dtype=x.dtype)
    for i in range(count):
        y[:, 0, 4 * i : 4 * i + length] += frames[:, :, i]
    return y


def assigned_in_a_loop(self: Any, x: Tensor) -> Tensor:
    frames = self.u(x)
    n, length, count = frames.shape
    y = frames.new_zeros(n, 1, 4 * (count - 1) + length)
    for i in range(count):
        y[..., 4 * i : 4 * i + length] = y[..., 4 * i : 4 * i + length] + frames[:, :, i].unsqueeze(1)
    return y


def added_as_halves(self: Any, x: Tensor) -> Tensor:
    frames = self.u(x).transpose(1, 2)
    nothing = torch.zeros(len(x), 1, 4, dtype=x.dtype)
    y = torch.cat([frames[..., :4], nothing], 1) + torch.cat([nothing, frames[..., 4:]], 1)
    return y.reshape(len(x), 1, -1)


def vocos(self: Any, x: Tensor) -> Tensor:
    size, phase = self.s(x).chunk(2, 1)
    spectrum = torch.exp(size.clamp(max=1)) * (torch.cos(phase) + 1j * torch.sin(phase))
    frames = torch.fft.irfft(spectrum, 16, dim=1) * torch.hann_window(16, dtype=x.dtype)[None, :, None]
    blocks = {"output_size": (1, 4 * x.shape[-1] + 12), "kernel_size": (1, 16), "stride": (1, 4)}
    y = F.fold(frames, **blocks)[:, 0, :, 6:-6]
    window = torch.hann_window(16, dtype=x.dtype).square().expand(1, x.shape[-1], -1).transpose(1, 2)
    return y / F.fold(window, **blocks)[:, 0, :, 6:-6]


def expand_flatten(self: Any, x: Tensor) -> Tensor:
    y = x.unsqueeze(-1).expand(*x.shape, 2).flatten(-2)
    return self.c(y.unsqueeze(3).expand(-1, -1, -1, 2, -1).flatten(2, 3))


def repeat_view(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return self.c(x.view(n, c, h, 1, w, 1).repeat(1, 1, 1, 2, 1, 2).view(n, c, 2 * h, 2 * w))


def index_repeated(self: Any, x: Tensor) -> Tensor:
    rows, columns = (torch.arange(n).repeat_interleave(2) for n in x.shape[2:])
    return self.c(x[:, :, rows][..., columns])


def matrices(self: Any, x: Tensor) -> Tensor:
    left, right = (torch.eye(n, dtype=x.dtype).repeat_interleave(2, 0) for n in x.shape[2:])
    return self.c(left @ x @ right.T)


def matrices_by_letters(self: Any, x: Tensor) -> Tensor:
    left, right = (torch.eye(n, dtype=x.dtype).repeat_interleave(2, 0) for n in x.shape[2:])
    return self.c(torch.einsum("nchw,ph,qw->ncpq", x, left, right))


def phase_bias(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    bias = torch.arange(4.0, dtype=x.dtype).view(1, 1, 1, 2, 1, 2)
    return self.c((x.view(n, c, h, 1, w, 1) + bias).reshape(n, c, 2 * h, 2 * w))


def coupling(self: Any, x: Tensor) -> Tensor:
    """A step of a flow: squeezed, half of the channels moved by the other half, unsqueezed."""
    n, c, h, w = x.shape
    y = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
    a, b = y.chunk(2, 1)
    scale, shift = self.f(a).chunk(2, 1)
    y = torch.cat([a, (b + shift) * torch.sigmoid(scale)], 1)
    y = y.view(n, c, 2, 2, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3)
    return y.reshape(n, c, h, w)


def shuffle_of_five_axes(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    n, k, h, w = y.shape
    y = y.reshape(n, k // 4, 4, h, w).transpose(2, 3).reshape(n, k // 4, h, 2, 2, w)
    return y.permute(0, 1, 2, 3, 5, 4).reshape(n, k // 4, 2 * h, 2 * w)


def softmax_of_phases(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    n, _, h, w = y.shape
    y = y.view(n, 3, 4, h, w).softmax(2).view(n, 3, 2, 2, h, w)
    return torch.einsum("ncpqhw->nchpwq", y).reshape(n, 3, 2 * h, 2 * w)


def movedim(self: Any, x: Tensor) -> Tensor:
    return self.u(x).unflatten(1, (3, 2, 2)).relu().movedim((2, 3), (3, 5)).flatten(4, 5).flatten(2, 3)


def gelu_between(self: Any, x: Tensor) -> Tensor:
    y = self.u(x).unflatten(1, (2, 2, 3))
    y = F.gelu(F.dropout(y, 0.1, False) + 0.1) * y
    return y.permute(0, 3, 4, 1, 5, 2).flatten(4).flatten(2, 3)


def columns_then_rows(self: Any, x: Tensor) -> Tensor:
    parts = [torch.stack(part.chunk(2, 1), -1).flatten(-2) for part in self.u(x).chunk(2, 1)]
    return torch.stack(parts, -2).flatten(2, 3)


def written_to_six_axes(self: Any, x: Tensor) -> Tensor:
    n, _, h, w = x.shape
    y = torch.empty(n, 3, h, 2, w, 2, dtype=x.dtype)
    for i, part in enumerate(self.u(x).chunk(4, 1)):
        y[:, :, :, i // 2, :, i % 2] = part
    return y.reshape(n, 3, 2 * h, 2 * w)


def twice(self: Any, x: Tensor) -> Tensor:
    for layer in (self.f, self.u):
        y = layer(x)
        n, k, h, w = y.shape
        y = torch.tanh(y.view(n, k // 4, 2, 2, h, w)).permute(0, 1, 4, 2, 5, 3)
        x = y.reshape(n, k // 4, 2 * h, 2 * w)
    return x


def line(a: int, b: int) -> Any:
    return lambda: torch.nn.Conv1d(a, b, 3, padding=1)


def maps(a: int, b: int) -> Any:
    return lambda: conv(a, b)


C, LINE, VIDEO = (1, 4, 8, 12), (1, 4, 24), (1, 2, 6, 4, 5)
MAPS = {"c": maps(4, 3), "u": maps(4, 12)}
_PLAIN = (
    *(zeros_transposed, zeros_unpooled, zero_channels, zeros_added, zeros_added_in_place, zeros_put),
    *(zeros_and_a_filter, zeros_where, zeros_of_a_spectrum, spectrum_padded, haar_cat, haar_by_axes),
    *(expand_flatten, repeat_view, index_repeated, matrices, matrices_by_letters, phase_bias),
    *(shuffle_of_five_axes, softmax_of_phases, movedim, gelu_between, columns_then_rows),
    *(written_to_six_axes, zero_rows, zeros_every_third),
)
_LINES = (added_in_a_loop, assigned_in_a_loop, added_as_halves)
_FRAMES = (frames_in_a_loop, frames_twice_in_a_loop)

#: Name: the network and the shape of its input.
RELATIVES: dict[str, tuple[Any, tuple[int, ...]]] = {
    **{way.__name__: (fn(way, **MAPS), C) for way in _PLAIN},
    **{way.__name__: (fn(way, u=line(4, 8)), LINE) for way in _LINES},
    **{way.__name__: (fn(way, u=lambda: torch.nn.Conv3d(2, 4, 3, padding=1)), VIDEO) for way in _FRAMES},
    "raft_last": (fn(raft_last, m=maps(4, 144), v=maps(4, 2)), C),
    **{way.__name__: (fn(way, m=maps(4, 144), v=maps(4, 2)), C) for way in (raft_summed, raft_dots)},
    "carafe": (fn(carafe, m=maps(4, 36)), C),
    "vocos": (fn(vocos, s=line(4, 18)), LINE),
    "coupling": (fn(coupling, f=maps(8, 16)), C),
    "twice": (fn(twice, f=maps(4, 16), u=maps(4, 12)), C),
}
