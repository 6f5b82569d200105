"""What the package says of second order, whichever way it says it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def second_order_periods(pixels: NDArray[np.uint8], image: Any) -> list[tuple[int, ...]] | None:
    """Periods of second order that are reported for a picture; None where the package has none.

    `image` is what `uncheck.measure` made of `pixels`.
    """
    reported = getattr(image, "second_order", None)
    if reported is None:
        try:
            from uncheck.measuring.second_order import second_order
        except ImportError:
            return None
        levels = pixels.reshape(*pixels.shape[:2], -1).astype(np.float32)
        reported = second_order(levels, image.found)
    return [c.period for c in getattr(reported, "present", reported)]
