"""Lines that stand out, and grids of them, one line at a time."""

import math
from statistics import NormalDist


def naive_prominence(array, axis, reach, stretch, beside, floor):
    """Mean share that the step of a line has of the steps around it; None at borders."""
    rows, columns, channels = array.shape
    length, along = (rows, columns) if axis == 0 else (columns, rows)

    def pixel(at, across, channel):
        place = (at, across) if axis == 0 else (across, at)
        return float(array[(*place, channel)])

    def step(line, first, channel):
        after = before = 0.0
        for across in range(first, first + stretch):
            for by in range(reach):
                after += pixel(line + by, across, channel)
                before += pixel(line - 1 - by, across, channel)
        return abs(after - before) / (reach * stretch) + floor / math.sqrt(stretch)

    out = []
    for line in range(length):
        if line < reach * (1 + beside) or line > length - reach * (1 + beside):
            out.append(None)
            continue
        shares = []
        # Stretches are of eight pixels first, then of several of these.
        whole = along // 8 // (stretch // 8)
        for number in range(whole):
            for channel in range(channels):
                own = step(line, number * stretch, channel)
                others = [
                    step(line + k * reach, number * stretch, channel) for k in range(-beside, beside + 1) if k
                ]
                shares.append(own / (own + sum(others) - max(others)))
        out.append(sum(shares) / len(shares))
    return out


def naive_scores(values):
    """Normal quantiles of the mean ranks; None stays None."""
    known = [v for v in values if v is not None]
    out = []
    for value in values:
        if value is None:
            out.append(None)
            continue
        below = sum(v < value for v in known)
        same = sum(v == value for v in known)
        out.append(NormalDist().inv_cdf((below + (same + 1) / 2 - 0.5) / len(known)))
    return out


def naive_grid(prominence, longest):
    """(p-value, period, offset of both axes) of the least likely grid, by trying every one."""
    scores = [naive_scores(one) for one in prominence]
    known = [[s for s in one if s is not None] for one in scores]

    def sums(axis, period, offset):
        chosen = [s for n, s in enumerate(scores[axis]) if s is not None and n % period == offset]
        m, size = len(chosen), len(known[axis])
        square = sum(s * s for s in known[axis]) / size
        return sum(chosen), square * m * (1 - m / size)

    best = (math.inf, 0, (None, None))
    for period in range(2, longest + 1):
        single = {}
        for axis in (0, 1):
            tried = [(sums(axis, period, o), o) for o in range(period)]
            single[axis] = max(tried, key=lambda one: z_of(*one[0]))
            best = min(best, candidate(single[axis][0], period, {axis: single[axis][1]}, period, longest))
            best = min(best, candidate(tried[0][0], period, {axis: 0}, 1, longest))
        for places, tests in (({a: single[a][1] for a in (0, 1)}, period**2), ({0: 0, 1: 0}, 1)):
            both = [sums(axis, period, o) for axis, o in places.items()]
            added = (both[0][0] + both[1][0], both[0][1] + both[1][1])
            best = min(best, candidate(added, period, places, tests, longest))
    return best


def z_of(total, variance):
    return total / math.sqrt(variance) if variance > 1e-9 else -math.inf


def candidate(sums, period, places, tests, longest):
    p = 0.5 * math.erfc(z_of(*sums) / math.sqrt(2)) * 6 * tests * (longest - 1)
    return p, period, (places.get(0, -1), places.get(1, -1))
