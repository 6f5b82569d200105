"""Building blocks to train with: upsamplers and strided layers that cannot checker."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Each name is imported when first used, from the file that holds it.
_FILES = {
    "blur": "BlurPool BlurPool1d BlurPool2d BlurPool3d MaxBlurPool MaxBlurPool1d MaxBlurPool2d MaxBlurPool3d",
    "blur_conv": "BlurConv BlurConv1d BlurConv2d BlurConv3d blur_strided",
    "fused": "FusedResizeConv",
    "gains": "EqualGain equal_gain",
    "hold": "Hold Hold1d Hold2d Hold3d fold_hold",
    "icnr": "icnr_",
    "init": "bilinear_ icnr_transpose_",
    "phase_transpose": "PhaseConvTranspose",
    "resize": "ResizeConv ResizeConv1d ResizeConv2d ResizeConv3d",
    "smooth": "SmoothConvTranspose SmoothConvTranspose1d SmoothConvTranspose2d SmoothConvTranspose3d",
    "subpixel": "SubpixelConv SubpixelConv1d SubpixelConv2d SubpixelConv3d",
}
_HOMES = {name: f"uncheck.layers.{file}" for file, names in _FILES.items() for name in names.split()}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'uncheck.layers' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
