"""Building blocks to train with: upsamplers and strided layers that cannot checker."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Each name is imported when first used, from the file that holds it.
_HOMES: dict[str, str] = {
    "BlurConv": "uncheck.layers.blur_conv",
    "BlurConv1d": "uncheck.layers.blur_conv",
    "BlurConv2d": "uncheck.layers.blur_conv",
    "BlurConv3d": "uncheck.layers.blur_conv",
    "BlurPool": "uncheck.layers.blur",
    "BlurPool1d": "uncheck.layers.blur",
    "BlurPool2d": "uncheck.layers.blur",
    "BlurPool3d": "uncheck.layers.blur",
    "EqualGain": "uncheck.layers.gains",
    "FusedResizeConv": "uncheck.layers.fused",
    "Hold": "uncheck.layers.hold",
    "Hold1d": "uncheck.layers.hold",
    "Hold2d": "uncheck.layers.hold",
    "Hold3d": "uncheck.layers.hold",
    "MaxBlurPool": "uncheck.layers.blur_max",
    "MaxBlurPool1d": "uncheck.layers.blur_max",
    "MaxBlurPool2d": "uncheck.layers.blur_max",
    "MaxBlurPool3d": "uncheck.layers.blur_max",
    "PhaseConvTranspose": "uncheck.layers.phase_transpose",
    "ResizeConv": "uncheck.layers.resize",
    "ResizeConv1d": "uncheck.layers.resize",
    "ResizeConv2d": "uncheck.layers.resize",
    "ResizeConv3d": "uncheck.layers.resize",
    "SmoothConvTranspose": "uncheck.layers.smooth",
    "SmoothConvTranspose1d": "uncheck.layers.smooth",
    "SmoothConvTranspose2d": "uncheck.layers.smooth",
    "SmoothConvTranspose3d": "uncheck.layers.smooth",
    "SubpixelConv": "uncheck.layers.subpixel",
    "SubpixelConv1d": "uncheck.layers.subpixel",
    "SubpixelConv2d": "uncheck.layers.subpixel",
    "SubpixelConv3d": "uncheck.layers.subpixel",
    "bilinear_": "uncheck.layers.init",
    "blur_strided": "uncheck.layers.blur_conv",
    "equal_gain": "uncheck.layers.gains",
    "fold_hold": "uncheck.layers.hold_fold",
    "icnr_": "uncheck.layers.icnr",
    "icnr_transpose_": "uncheck.layers.init",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'uncheck.layers' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
