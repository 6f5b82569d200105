"""The log-contrast of a picture one pixel at a time."""

from itertools import product

import numpy as np


def naive_contrast(array, floor):
    """Mean of log(d^2 + floor^2) over the differences to the next pixel per axis and to all neighbours."""
    grey = array.astype(float).mean(axis=-1)
    axes = [axis for axis, n in enumerate(grey.shape) if n >= 3]
    inner = [range(1, n - 1) if axis in axes else range(n) for axis, n in enumerate(grey.shape)]
    out = []
    for place in product(*inner):
        details, around = [], []
        for axis in axes:
            after, before = list(place), list(place)
            after[axis] += 1
            before[axis] -= 1
            details.append(grey[tuple(after)] - grey[place])
            around += [grey[tuple(after)], grey[tuple(before)]]
        details.append(grey[place] - np.mean(around) if around else 0.0)
        out.append(np.mean([np.log(d**2 + floor**2) for d in details]))
    return np.array(out).reshape([len(r) for r in inner])
