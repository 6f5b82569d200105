"""The lattice of a batch as a penalty to train with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.training.images import Span
from uncheck.training.strength import counted_powers, norm


def lattice_penalty(
    images: Any,
    *,
    span: Span | None = None,
    periods: Iterable[int] = (2, 4, 8),
    knee: float = 1.0,
    together: bool = True,
) -> Tensor:
    """Penalise the lattice that the images of a batch share; the gradient shrinks with it.

    With a_f the shrunk amplitude of line f in the mean of all images, as in `lattice_strength`,

        S^2 = sum_f a_f^2,   penalty = sqrt(S^2 + k^2) - k,   k = knee.

    Below k it is S^2 / (2 k): its gradient S / k goes to 0 with the lattice, and a small lattice is not
    fought at the cost of the images. Above k it is S - k: its gradient stays at 1, so that the strong lattice
    of an untrained network does not drown the loss, as a plain square would let it.

    Args:
        images: (N, C, *spatial), one to three spatial axes, of any real type, on any device.
        span: the lowest and highest value, which become 0 and 255. None: inferred from each batch; give it
            in training, so that the unit does not jump.
        periods: pixels, from 2; those that do not fit the size are left out.
        knee: k, grey levels, above 0: the strength that may be left, roughly.
        together: False for the mean penalty of the single images, which sees only lattices that stand clear
            of one image's own noise, but also those whose sign differs from image to image.

    Returns:
        A scalar, grey levels, 0 or more; float64 if the images are, else float32, also under autocast.

    Raises:
        UncheckError: as `lattice_strength`; a knee of 0 or less.

    Cost: that of `lattice_strength`.

    Example:
        >>> import torch
        >>> images = torch.zeros(1, 1, 64, 64)
        >>> images[..., ::2, :] = 10.0
        >>> round(lattice_penalty(images, span=(0, 255)).item(), 2)
        4.1
    """
    if not knee > 0:
        raise UncheckError(
            f"knee must be above 0 grey levels, not {knee:g}; lattice_strength is the penalty without"
        )
    return norm(counted_powers(images, periods, span, together), knee).mean()
