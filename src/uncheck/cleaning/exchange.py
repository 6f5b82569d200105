"""Arrays and tensors in, the same with other values out: one reader of shapes and ranges for both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.arrays import Raw, split
from uncheck.signals.items import as_array
from uncheck.signals.levels import LEVELS
from uncheck.signals.signal import Given, Signal


@dataclass(frozen=True, eq=False)
class Place:
    """One picture inside an array: `raw` views a copy of the array, so what is written to it is in place."""

    raw: Raw
    owner: Held

    def signal(self) -> Signal:
        """Return it in grey levels, without alpha."""
        return self.raw.signal()

    def subtract(self, lattice: NDArray[np.float32], signal: Signal) -> None:
        """Subtract grey levels (*spatial, C), rounded to nearest in whole numbers, within the range.

        Values without a number stay; floats that lay within a usual range stay within it.
        """
        own, (low, high) = self.raw.array, signal.span
        whole, deep = own.dtype.kind in "ui", own.dtype.itemsize > 2
        taken: NDArray[Any] = lattice.astype(np.float64) if deep else lattice
        if (low, high) != (0.0, LEVELS):
            taken = taken * taken.dtype.type((high - low) / LEVELS)
        values: NDArray[Any] = own - taken
        if whole:
            limits = np.iinfo(own.dtype.name)
            np.rint(values, out=values)
            np.clip(values, limits.min, limits.max, out=values)
        elif signal.source == "usual" and _within(own, low, high):
            np.clip(values, low, high, out=values)
        if signal.mask is not None:
            values = np.where(signal.mask[..., None], values, own)
        own[...] = values
        self.owner.changed = True


@dataclass(eq=False)
class Held:
    """One array or tensor as given, a copy of its values, and whether that was changed."""

    given: Any
    values: NDArray[Any]
    changed: bool = False

    def back(self) -> Any:
        """Return what was given itself if nothing changed, else its copy: same type, shape, device."""
        if not self.changed:
            return self.given
        if not hasattr(self.given, "detach"):
            return self.values
        import torch  # what was given is a tensor, so torch is there

        return torch.from_numpy(self.values).to(device=self.given.device, dtype=self.given.dtype)


class Exchange:
    """All pictures that a caller gave, one by one, and the same back once they are cleaned."""

    def __init__(self, images: Any, given: Given) -> None:
        self.given = images
        self.several = isinstance(images, Sequence) and not isinstance(images, str)
        if isinstance(images, str) or hasattr(images, "__fspath__"):
            raise UncheckError(f"{images}: is a path; give an array, as np.asarray(PIL.Image.open(path))")
        listed = list(images) if self.several else [images]
        if not listed:
            raise UncheckError("nothing to clean: the list of images is empty")
        self.held: list[Held] = []
        self.places: list[Place] = []
        for i, item in enumerate(listed):
            values = as_array(item)
            if values.dtype.kind == "b":
                raise UncheckError(f"[{i}]: is an array of booleans; give numbers")
            held = Held(item, np.array(values))
            self.held.append(held)
            name = f"[{i}]" if self.several else "array"
            self.places += [Place(raw, held) for raw in split(held.values, name, given)]

    def __iter__(self) -> Iterator[Place]:
        return iter(self.places)

    def back(self) -> Any:
        """Return the pictures as they were given: the very same object where nothing was changed."""
        if not any(one.changed for one in self.held):
            return self.given
        out = [one.back() for one in self.held]
        if not self.several:
            return out[0]
        return tuple(out) if isinstance(self.given, tuple) else out


def _within(values: NDArray[Any], low: float, high: float) -> bool:
    return bool(np.nanmin(values) >= low and np.nanmax(values) <= high)
