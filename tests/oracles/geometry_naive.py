"""Path counts the slow way: one pixel, one tap at a time, over N-D index tuples."""

from collections import Counter
from itertools import product

from uncheck.geometry import Layer


def naive_map(layers: list[Layer], input_size: tuple[int, ...]) -> dict[tuple[int, ...], int]:
    """Follow every path forward; return {output pixel: number of paths} with all pixels listed."""
    counts = Counter(dict.fromkeys(product(*(range(size) for size in input_size)), 1))
    size = input_size
    for one in layers:
        size = tuple(_size(one, axis, size[axis]) for axis in range(len(size)))
        reached: Counter[tuple[int, ...]] = Counter(dict.fromkeys(product(*map(range, size)), 0))
        for pixel in reached:
            for tap in product(*map(range, one.kernel_size)):
                source = _source(one, pixel, tap)
                if source is not None:
                    reached[pixel] += counts.get(source, 0)
        counts = reached
    return dict(counts)


def naive_phase_taps(k: int, s: int, padding: int, dilation: int) -> list[int]:
    """Count for each phase of one axis the taps t with an integer input position."""
    return [sum((p + padding - dilation * t) % s == 0 for t in range(k)) for p in range(s)]


def _source(one: Layer, pixel: tuple[int, ...], tap: tuple[int, ...]) -> tuple[int, ...] | None:
    source = []
    for n, t, s, p, d in zip(pixel, tap, one.stride, one.padding, one.dilation, strict=True):
        if one.transposed:
            position = n + p - d * t
            if position % s:
                return None
            source.append(position // s)
        else:
            source.append(n * s + d * t - p)
    return tuple(source)


def _size(one: Layer, axis: int, size: int) -> int:
    """Count output pixels by listing them, not by a formula."""
    k, s, p, d = (sizes[axis] for sizes in (one.kernel_size, one.stride, one.padding, one.dilation))
    if one.transposed:
        reached = {s * m + d * t for m in range(size) for t in range(k)}
        return max(reached) + 1 - 2 * p + one.output_padding[axis]
    starts = [j for j in range(-p, size + p, s) if j + d * (k - 1) < size + p]
    return len(starts)
