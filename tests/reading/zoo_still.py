"""Networks that move, pair, window or transform positions and have no upsampling stage of their own."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reading.zoo_hidden import conv, fn


def rotate(self: Any, x: Tensor) -> Tensor:
    """Rotary embedding, pairs next to each other; (N, L, heads, D)."""
    t, d = x.shape[1], x.shape[-1]
    angle = torch.arange(t, dtype=x.dtype)[:, None, None] / torch.arange(1, d + 1)
    re, im = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    return x * angle.cos() + torch.stack([-im, re], -1).flatten(3) * angle.sin()


def rotary_attention(self: Any, x: Tensor, turn: Any = rotate) -> Tensor:
    n, t, c = x.shape
    q, k, v = self.qkv(x).view(n, t, 3, 2, c // 2).unbind(2)
    q, k = turn(self, q), turn(self, k)
    y = F.scaled_dot_product_attention(*(z.transpose(1, 2) for z in (q, k, v)))
    return self.out(y.transpose(1, 2).reshape(n, t, c))


def rotate_strided(self: Any, x: Tensor) -> Tensor:
    y = torch.empty_like(x)
    angle = torch.arange(x.shape[1], dtype=x.dtype)[:, None, None]
    y[..., ::2] = x[..., ::2] * angle.cos() - x[..., 1::2] * angle.sin()
    y[..., 1::2] = x[..., ::2] * angle.sin() + x[..., 1::2] * angle.cos()
    return y


def rotate_halves(self: Any, x: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    angle = torch.arange(x.shape[1], dtype=x.dtype)[:, None, None]
    return x * angle.cos() + torch.cat((-b, a), -1) * angle.sin()


def rotate_complex(self: Any, x: Tensor) -> Tensor:
    angle = torch.arange(x.shape[1], dtype=x.dtype)[:, None, None].expand(-1, 1, x.shape[-1] // 2)
    y = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    return torch.view_as_real(y * torch.polar(torch.ones_like(angle), angle)).flatten(3)


def rotary_strided(self: Any, x: Tensor) -> Tensor:
    return rotary_attention(self, x, rotate_strided)


def rotary_halves(self: Any, x: Tensor) -> Tensor:
    return rotary_attention(self, x, rotate_halves)


def rotary_complex(self: Any, x: Tensor) -> Tensor:
    return rotary_attention(self, x, rotate_complex)


def attention_map(self: Any, x: Tensor) -> Tensor:
    n, _, _ = x.shape
    return (self.q(x) @ self.k(x).transpose(1, 2)).view(n, -1)


def attention_map_activated(self: Any, x: Tensor) -> Tensor:
    return torch.einsum("nic,njc->nij", self.q(x), self.k(x)).softmax(-1).flatten(1)


def heads_grouped(self: Any, x: Tensor) -> Tensor:
    """Keys and values of one head repeated for four."""
    n, t, c = x.shape
    q = self.q(x).view(n, t, 4, c // 4).transpose(1, 2)
    k = self.k(x).view(n, t, 1, c // 4).transpose(1, 2).repeat_interleave(4, dim=1)
    v = self.v(x).view(n, t, 1, c // 4).transpose(1, 2)[:, :, None].expand(n, 1, 4, t, c // 4)
    y = torch.softmax(q @ k.transpose(-1, -2), -1) @ v.reshape(n, 4, t, c // 4)
    return self.out(y.transpose(1, 2).reshape(n, t, c))


def windows(self: Any, x: Tensor) -> Tensor:
    """Swin: windows of four by four, shifted, and back."""
    n, h, w, c = x.shape
    y = torch.roll(self.norm(x), (-2, -2), (1, 2))
    y = y.view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, 16, c)
    q, k, v = self.qkv(y).reshape(-1, 16, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
    y = ((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(1, 2).reshape(-1, 16, c)
    y = self.out(y).view(-1, 4, 4, c)
    y = y.view(n, h // 4, w // 4, 4, 4, -1).permute(0, 1, 3, 2, 4, 5).contiguous().view(n, h, w, -1)
    return x + torch.roll(y, (2, 2), (1, 2))


def windows_of_maps(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = self.u(x).view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 1, 3, 5).reshape(-1, c, 4, 4)
    y = torch.relu(y).view(n, h // 4, w // 4, c, 4, 4).permute(0, 3, 1, 4, 2, 5)
    return y.reshape(n, c, h, w)


def grid_attention(self: Any, x: Tensor) -> Tensor:
    """MaxViT: each window takes every fourth position."""
    n, h, w, c = x.shape
    y = x.view(n, 4, h // 4, 4, w // 4, c).permute(0, 2, 4, 1, 3, 5).reshape(-1, 16, c)
    y = self.out(y).view(n, h // 4, w // 4, 4, 4, c).permute(0, 3, 1, 4, 2, 5)
    return y.reshape(n, h, w, c)


def stripes(self: Any, x: Tensor) -> Tensor:
    n, h, w, c = x.shape
    y = self.out(x.view(n, h, w // 4, 4, c).transpose(1, 2).reshape(-1, h * 4, c))
    return y.view(n, w // 4, h, 4, c).transpose(1, 2).reshape(n, h, w, c)


def axial(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = self.u(x).permute(0, 2, 3, 1).reshape(n * h, w, c)
    y = self.out(y).view(n, h, w, c).permute(0, 2, 1, 3).reshape(n * w, h, c)
    return self.out(y).view(n, w, h, c).permute(0, 3, 2, 1)


def shuffled_channels(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    n, c, h, w = y.shape
    y = y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
    return F.conv2d(y, self.group, padding=1, groups=c)


def split_attention(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    n, c, h, w = y.shape
    y = y.view(n, 2, c // 2, h, w)
    a = y.sum(1).mean((2, 3), keepdim=True).repeat(1, 2, 1, 1).view(n, 2, c // 2, 1, 1).softmax(1)
    return (a * y).sum(1)


def squeeze_and_back(self: Any, x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    y = x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
    y = y.tanh().view(n, c, 2, 2, h // 2, w // 2).permute(0, 1, 4, 2, 5, 3)
    return self.u(y.reshape(n, c, h, w))


def spectral(self: Any, x: Tensor) -> Tensor:
    """A Fourier neural operator: the lowest frequencies are mixed, all others dropped."""
    f = torch.fft.rfft2(self.u(x))
    low = torch.zeros_like(f)
    low[:, :, :3, :3] = torch.einsum("nchw,cd->ndhw", f[:, :, :3, :3], self.mix.to(f.dtype))
    return torch.fft.irfft2(low, s=x.shape[-2:])


def filtered(self: Any, x: Tensor) -> Tensor:
    f = torch.fft.fftshift(torch.fft.fft2(self.u(x), norm="ortho"))
    return torch.fft.ifft2(torch.fft.ifftshift(f * 0.5), norm="ortho").real


def long_convolution(self: Any, x: Tensor) -> Tensor:
    """A convolution as long as the signal, padded to twice its length against wrapping."""
    t = x.shape[-1]
    f = torch.fft.rfft(self.v(x), n=2 * t) * torch.fft.rfft(self.taps, n=2 * t)
    return torch.fft.irfft(f, n=2 * t)[..., :t]


def one_hot_quantiser(self: Any, x: Tensor) -> Tensor:
    """The nearest of a table of vectors, by a one-hot scatter."""
    y = self.u(x).permute(0, 2, 3, 1)
    flat = y.reshape(-1, y.shape[-1])
    index = torch.cdist(flat, self.codes).argmin(1)[:, None]
    hot = torch.zeros(len(index), len(self.codes), dtype=x.dtype)
    hot.scatter_(1, index, 1)
    return (hot @ self.codes).view(y.shape).permute(0, 3, 1, 2)


def position_added(self: Any, x: Tensor) -> Tensor:
    y = self.u(x)
    y[:, :1] *= 2
    return y + self.place


def flattened_for_a_matrix(self: Any, x: Tensor) -> Tensor:
    return self.out(torch.relu(self.v(x).transpose(1, 2).reshape(len(x), -1)))


def recurrent_columns(self: Any, x: Tensor) -> Tensor:
    """A text recogniser: rows and channels become the features of a column."""
    y = self.u(x).permute(0, 3, 1, 2).flatten(2)
    return self.gru(y)[0]


def attention_of_prompts(self: Any, x: Tensor) -> Tensor:
    """A mask decoder's attention with an axis of prompts of its own, heads in channels or beside them."""
    n, _, h, w = x.shape
    y = torch.repeat_interleave(x, 1, dim=0).flatten(2).transpose(1, 2).unsqueeze(1)
    q = self.out(y).reshape(n, h * w, 2, 2).transpose(1, 2)
    y = F.scaled_dot_product_attention(q, q, q).transpose(1, 2).reshape(n, 1, h * w, 4)
    return self.out(y).squeeze(1).transpose(1, 2).view(n, 4, h, w)


def pooled_beside(self: Any, x: Tensor) -> Tensor:
    """The mean of a picture beside each of its pixels."""
    y = F.adaptive_avg_pool2d(self.u(x), 1)
    return x + F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)


def relative_bias(self: Any, x: Tensor) -> Tensor:
    n, t, c = x.shape
    q = self.q(x).view(n, t, 2, c // 2).transpose(1, 2)
    k = self.k(x).view(n, t, 2, c // 2).transpose(1, 2)
    where = torch.arange(t)[:, None] - torch.arange(t) + t - 1
    bias = self.bias[where.view(-1)].view(t, t, -1).permute(2, 0, 1)
    y = (q @ k.transpose(-2, -1) + bias[None]).softmax(-1) @ k
    return y.transpose(1, 2).reshape(n, t, c)


C, TOKENS, LINE, LAST = (1, 4, 8, 12), (1, 16, 8), (1, 4, 24), (1, 8, 12, 4)


def linear(a: int, b: int) -> Any:
    return lambda: nn.Linear(a, b)


ROTARY = {"qkv": linear(8, 24), "out": linear(8, 8)}
MAP = {"u": lambda: conv(4, 4)}

#: Name: the network and the shape of its input.
STILL: dict[str, tuple[Any, tuple[int, ...]]] = {
    **{
        way.__name__: (fn(way), (1, 6, 2, 8))
        for way in (rotate, rotate_strided, rotate_halves, rotate_complex)
    },
    **{
        way.__name__: (fn(way, **ROTARY), TOKENS)
        for way in (rotary_attention, rotary_strided, rotary_halves, rotary_complex)
    },
    "attention_map": (fn(attention_map, q=linear(8, 8), k=linear(8, 8)), TOKENS),
    "attention_map_activated": (fn(attention_map_activated, q=linear(8, 8), k=linear(8, 8)), TOKENS),
    "heads_grouped": (
        fn(heads_grouped, q=linear(8, 8), k=linear(8, 2), v=linear(8, 2), out=linear(8, 8)),
        TOKENS,
    ),
    "windows": (
        fn(windows, norm=lambda: nn.LayerNorm(4), qkv=linear(4, 12), out=linear(4, 4)),
        LAST,
    ),
    "two_pictures_in_windows": (
        fn(windows, norm=lambda: nn.LayerNorm(4), qkv=linear(4, 12), out=linear(4, 4)),
        (2, *LAST[1:]),
    ),
    "windows_of_maps": (fn(windows_of_maps, **MAP), C),
    "grid_attention": (fn(grid_attention, out=linear(4, 4)), LAST),
    "stripes": (fn(stripes, out=linear(4, 4)), LAST),
    "axial": (fn(axial, out=linear(4, 4), **MAP), C),
    "shuffled_channels": (fn(shuffled_channels, group=torch.ones(4, 1, 3, 3), **MAP), C),
    "split_attention": (fn(split_attention, **MAP), C),
    "squeeze_and_back": (fn(squeeze_and_back, **MAP), C),
    "spectral": (fn(spectral, mix=torch.randn(4, 4), **MAP), C),
    "filtered": (fn(filtered, **MAP), C),
    "long_convolution": (
        fn(long_convolution, v=lambda: nn.Conv1d(4, 4, 3, padding=1), taps=torch.randn(4, 24)),
        LINE,
    ),
    "one_hot_quantiser": (fn(one_hot_quantiser, codes=torch.randn(5, 4), **MAP), C),
    "position_added": (fn(position_added, place=torch.randn(4, 8, 12), **MAP), C),
    "flattened_for_a_matrix": (
        fn(flattened_for_a_matrix, v=lambda: nn.Conv1d(4, 4, 3, padding=1), out=linear(96, 3)),
        LINE,
    ),
    "recurrent_columns": (
        fn(recurrent_columns, gru=lambda: nn.GRU(32, 6, batch_first=True), **MAP),
        C,
    ),
    "attention_of_prompts": (fn(attention_of_prompts, out=linear(4, 4)), C),
    "pooled_beside": (fn(pooled_beside, **MAP), C),
    "relative_bias": (
        fn(relative_bias, q=linear(8, 8), k=linear(8, 8), bias=torch.randn(31, 2)),
        TOKENS,
    ),
}
