"""Which blocks a picture has beside its lattice, and what else may have made them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Lattice, without
from uncheck.measuring.rivals.blocks import explained
from uncheck.measuring.rivals.jpeg import Tables
from uncheck.measuring.seams.blocks import Blocks, find_blocks


def blocks_beside(
    array: NDArray[np.float32], lattice: Lattice, codec: str | None = None, *, tables: Tables | None = None
) -> tuple[tuple[Blocks, ...], str | None]:
    """Return the blocks of a picture, and the rival that explains all of them.

    What is present of the lattice is taken out first; steps of a period that divides one of its are its own.
    Blocks that a rival explains are left out where others are not explained.

    Args:
        array: (H, W, C) grey levels.
        lattice: what was found in it; its threshold and significance hold for blocks as well.
        codec: file format; "JPEG" says where the blocks of coding are.
        tables: quantisation tables of such a file.

    Cost: that of `find_blocks`; that of `explained` where any are found.
    """
    if array.ndim != 3:
        return (), None
    rest = without(array, lattice.present)
    cycles = [component.cycle for component in lattice.present]
    found = [
        one
        for one in find_blocks(rest, threshold=lattice.threshold, significance=lattice.significance)
        if not any(cycle % max(one.period) == 0 for cycle in cycles)
    ]
    if not found:
        return (), None
    names = explained(rest, found, codec, tables=tables)
    left = tuple(one for one, name in zip(found, names, strict=True) if name is None)
    return (left, None) if left else (tuple(found), names[0])
