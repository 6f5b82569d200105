"""Upsampling written by hand with view, permute, expand and reshape."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def bare_unpatchify(self: Any, tokens: Tensor) -> Tensor:
    y = self.head(tokens).view(len(tokens), 4, 6, 2, 2, 3)
    return y.permute(0, 5, 1, 3, 2, 4).contiguous().view(len(tokens), 3, 8, 12)


def video_unpatchify(self: Any, tokens: Tensor) -> Tensor:
    y = self.head(tokens).view(len(tokens), 3, 2, 4, 1, 2, 2, 3)
    return y.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def shuffle_1d(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    b, c, t = y.shape
    return y.view(b, c // 3, 3, t).transpose(2, 3).reshape(b, c // 3, t * 3)


def shuffle_3d(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    b, c, t, h, w = y.shape
    y = y.view(b, c // 8, 2, 2, 2, t, h, w).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return y.reshape(b, c // 8, 2 * t, 2 * h, 2 * w)


def depth_to_space(self: Any, x: Tensor) -> Tensor:
    """TensorFlow's order: the phases are the outer part of the channels."""
    y = self.conv(x)
    b, c, h, w = y.shape
    y = y.view(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2)
    return y.reshape(b, c // 4, 2 * h, 2 * w)


def swapped_shuffle(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    b, c, h, w = y.shape
    return y.view(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 3, 5, 2).reshape(b, c // 4, 2 * h, 2 * w)


def channels_last_shuffle(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x).permute(0, 2, 3, 1)
    b, h, w, c = y.shape
    y = y.reshape(b, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)
    return y.permute(0, 3, 1, 2)


def expand_nearest(self: Any, x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    y = x[:, :, :, None, :, None].expand(b, c, h, 2, w, 2).reshape(b, c, 2 * h, 2 * w)
    return self.conv(y)


def repeat_nearest(self: Any, x: Tensor) -> Tensor:
    return self.conv(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))
