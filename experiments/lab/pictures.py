"""Pictures kept in results as PNG text, so that figures need nothing but the JSON."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor


def kept(picture: Tensor, span: tuple[float, float]) -> str:
    """(3, H, W) or (1, H, W) as base64 of a PNG; `span` becomes 0..255."""
    low, high = span
    levels = ((picture.detach() - low) * (255 / (high - low))).round().clamp(0, 255).byte()
    pixels = levels.permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def shown(text: str) -> Any:
    """The pixels of a kept picture, (H, W, 3) or (H, W), uint8."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def show(axis: Any, text: str, title: str = "") -> None:
    """A kept picture on an axis, without interpolation."""
    axis.imshow(shown(text), interpolation="nearest", cmap="gray", vmin=0, vmax=255)
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(False)
