"""Inputs of a network: the user's own, a made-up picture, and the signals to probe with."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError, UncheckWarning
from uncheck.probing.axes import laid_along
from uncheck.reading import load_callable
from uncheck.signals import expand, read_picture
from uncheck.signals.files import load_array
from uncheck.signals.levels import brightness
from uncheck.signals.paths import check_file

#: Pictures taken from a folder: a batch, not an album.
MOST_FROM_FOLDER = 8


def load_input(
    what: str | None,
    shape: tuple[int, ...] | None,
    span: tuple[float, float] = (0.0, 1.0),
    most: int = MOST_FROM_FOLDER,
) -> tuple[Any, ...]:
    """Load the positional inputs that `--input` names.

    Args:
        what: a picture; a folder of pictures (the first `most`, cut to a common size); a .npy; or
            "file.py:name" of a callable that returns the input, or a tuple of inputs.
        shape: of the input; pictures are cut or reduced to its size, and to grey if it has one channel.
            Without `what`, the shape of a made-up input.
        span: the values that black and white shall have in the input, for pictures.
        most: pictures taken from a folder.

    Raises:
        UncheckError: what cannot be read, a callable that fails, or a shape that does not fit.
    """
    if what is None:
        if shape is None:
            raise UncheckError(
                "no input given; name one with --input, or give its --shape, such as 1,3,256,256"
            )
        return (made_up(shape),)
    if ":" in what and not Path(what).exists():
        return _called(what)
    if what.endswith(".npy"):
        return (_array(what, shape),)
    return (_pictures(what, shape, span, most),)


def _called(what: str) -> tuple[Any, ...]:
    function = load_callable(what)
    try:
        value = function()
    except Exception as error:
        raise UncheckError(f"{what} raised {type(error).__name__}: {error}") from error
    values = value if isinstance(value, tuple) else (value,)
    values = tuple(torch.from_numpy(v) if isinstance(v, np.ndarray) else v for v in values)
    if not any(isinstance(v, Tensor) for v in values):
        raise UncheckError(
            f"{what} returned {type(value).__name__}; it must return a tensor, array or tuple of them"
        )
    return values


def _array(what: str, shape: tuple[int, ...] | None) -> Tensor:
    check_file(what)
    values = load_array(what)
    bad = values.size - int(np.isfinite(values).sum())
    if bad or not values.size:
        raise UncheckError(f"{what}: {bad} of {values.size} values are NaN or infinite; give finite numbers")
    tensor = torch.from_numpy(values.astype(np.float32) if values.dtype.kind == "f" else values)
    if shape is None:
        return tensor
    if tensor.numel() != int(np.prod(shape)):
        raise UncheckError(
            f"{what}: shape {tuple(tensor.shape)} does not fit --shape {','.join(map(str, shape))}"
        )
    return tensor.reshape(shape)


def _pictures(what: str, shape: tuple[int, ...] | None, span: tuple[float, float], most: int) -> Tensor:
    channels = shape[1] if shape is not None and len(shape) == 4 else 3
    if shape is not None and (len(shape) != 4 or channels not in (1, 3)):
        raise UncheckError(
            f"--shape {','.join(map(str, shape))} does not fit pictures; give N,1,H,W or N,3,H,W"
        )
    pixels = [_at_most(read_picture(path).pixels, shape) for path in expand([what])[:most]]
    height = min(p.shape[0] for p in pixels)
    width = min(p.shape[1] for p in pixels)
    if shape is not None:
        if height < shape[2] or width < shape[3]:
            raise UncheckError(
                f"{what}: {height} x {width} pixels are too few for --shape {','.join(map(str, shape))}"
            )
        height, width = shape[2], shape[3]
    elif min(height, width) >= 16:
        # Networks that halve their input several times take multiples of 16 without complaint.
        height, width = height // 16 * 16, width // 16 * 16
    if shape is None and (different := len({p.shape[:2] for p in pixels})) > 1:
        warnings.warn(
            f"{what}: the pictures are of {different} sizes, and were cut to {height} x {width} pixels",
            UncheckWarning,
            stacklevel=2,
        )
    batch = np.stack([_cut(p, height, width, channels) for p in pixels])
    low, high = span
    return torch.from_numpy(batch / 255 * (high - low) + low).movedim(-1, 1).contiguous()


def _at_most(
    pixels: np.ndarray[Any, np.dtype[np.float32]], shape: tuple[int, ...] | None
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Cut the middle out of a picture larger than `shape`, so that the rest need not be kept."""
    if shape is None or pixels.shape[0] < shape[2] or pixels.shape[1] < shape[3]:
        return pixels
    return np.array(_cut(pixels, shape[2], shape[3], pixels.shape[-1]))


def _cut(pixels: np.ndarray[Any, np.dtype[np.float32]], height: int, width: int, channels: int) -> Any:
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    cut = pixels[top : top + height, left : left + width]
    if channels == 1 and cut.shape[-1] == 3:
        return brightness(cut)[..., None]
    return np.repeat(cut, channels, axis=-1) if cut.shape[-1] == 1 else cut


def probe_signals(example: Tensor) -> dict[str, Tensor]:
    """Return the probe signals of the example's shape, in its range.

    Args:
        example: (N, C, *spatial) or codes (N, D).

    Returns:
        For maps: "dark", "mean" and "bright", constants at each channel's smallest, mean and largest value;
        "noise", white with each channel's mean and deviation; "ramp", from smallest to largest along the
        last axis. For codes: "mean" and "noise" only, because positions in a code mean nothing.
    """
    generator = torch.Generator().manual_seed(0)
    over = (0, *range(2, example.dim()))
    mean = example.mean(dim=over, keepdim=True)
    deviation = example.std(dim=over, keepdim=True, correction=0)
    noise = torch.randn(example.shape, generator=generator).to(example) * deviation + mean
    if example.dim() < 3:
        return {"mean": mean.expand_as(example).clone(), "noise": noise}
    low, high = example.amin(dim=over, keepdim=True), example.amax(dim=over, keepdim=True)
    slope = torch.linspace(0, 1, example.shape[-1], device=example.device, dtype=example.dtype)
    return {
        "dark": low.expand_as(example).clone(),
        "mean": mean.expand_as(example).clone(),
        "bright": high.expand_as(example).clone(),
        "noise": noise.clamp(low, high),
        "ramp": (low + (high - low) * slope).expand_as(example).clone(),
    }


def is_white(example: Tensor) -> bool:
    """Test whether a map is white noise: neighbours on the last axis are correlated by less than 0.2."""
    if example.dim() < 3 or example.shape[-1] < 8 or not example.is_floating_point():
        return False
    x = example.double() - example.double().mean(dim=-1, keepdim=True)
    power = float(x.square().mean())
    return power > 0 and abs(float((x[..., 1:] * x[..., :-1]).mean())) < 0.2 * power


def like_weights(model: nn.Module, tensor: Tensor) -> Tensor:
    """Return `tensor` in the precision and on the device of the model's weights, if it has any."""
    weights = next((p for p in model.parameters() if p.is_floating_point()), None)
    return tensor if weights is None or not tensor.is_floating_point() else tensor.to(weights)


def made_up(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Make an example input of a given shape.

    Args:
        shape: (N, C, *spatial) with C of 1 or 3 gives pictures in 0..1 with a natural (1/f) spectrum; any
            other shape gives standard normal numbers.
        seed: of the random numbers.

    Returns:
        The tensor; always the same for the same shape and seed.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(shape, generator=generator)
    if len(shape) < 4 or shape[1] not in (1, 3):
        return noise
    axes = tuple(range(2, len(shape)))
    radius = torch.zeros(shape[2:])
    for axis, n in enumerate(shape[2:]):
        radius = radius + laid_along(torch.fft.fftfreq(n), axis, len(axes)) ** 2
    radius = radius.sqrt()
    constant = (0,) * len(axes)
    radius[constant] = 1
    spectrum = torch.fft.fftn(noise, dim=axes) / radius ** (len(axes) / 2)
    spectrum[(..., *constant)] = 0
    picture = torch.fft.ifftn(spectrum, dim=axes).real
    if picture[0, 0].numel() > 1:
        picture = picture / picture.std(dim=axes, keepdim=True).clamp_min(1e-12)
    return torch.clamp(0.5 + 0.2 * picture, 0, 1)
