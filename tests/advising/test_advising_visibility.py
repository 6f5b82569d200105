"""The words of visibility follow from the contrast sensitivity of the eye."""

import numpy as np
import pytest

from uncheck.advising.visibility import (
    pixels_per_degree,
    sensitivity,
    threshold,
    times_threshold,
    visibility,
)


def naive(period):
    """Barten's threshold in grey levels, by a search: the least amplitude whose modulation is seen."""
    degree = 2 * 500 * np.tan(np.pi / 360) / (25.4 / 96)  # pixels that one degree covers at 50 cm
    u, field = degree / period, 100.0

    def luminance(level):
        v = level / 255
        return 80 * (((v + 0.055) / 1.055) ** 2.4 if v > 0.04045 else v / 12.92)

    mean = luminance(127.5)
    s = 5200 * np.exp(-0.0016 * u**2 * (1 + 100 / mean) ** 0.08)
    s /= np.sqrt((1 + 144 / field + 0.64 * u**2) * (63 / mean**0.83 + 1 / (1 - np.exp(-0.02 * u**2))))
    for amplitude in np.arange(0.001, 20, 0.001):
        high, low = luminance(127.5 + amplitude), luminance(127.5 - amplitude)
        if (high - low) / (high + low) >= 1 / s:
            return amplitude
    raise AssertionError("never seen")


@pytest.mark.parametrize("period", [2, 3, 4, 8, 16])
def test_thresholds_agree_with_a_search_over_amplitudes(period):
    assert threshold([period, period]) == pytest.approx(naive(period), rel=0.02)


def test_the_search_sees_a_wrong_threshold():
    assert threshold([2, 2]) != pytest.approx(naive(4), rel=0.02)


def test_the_eye_is_most_sensitive_at_a_few_cycles_per_degree():
    # Barten 1999, figure 3.6: the maximum lies at 2 to 5 cycles per degree at 10 to 100 cd/m^2.
    frequencies = np.geomspace(0.5, 30, 200)
    for luminance in (10.0, 100.0):
        best = frequencies[np.argmax([sensitivity(u, luminance) for u in frequencies])]
        assert 1.5 < best < 5
    assert 32 < pixels_per_degree() < 34


def test_words():
    at = threshold([4, 4])
    for times, word in ((0.9, "invisible"), (1.1, "barely visible"), (3, "visible"), (11, "strong")):
        assert visibility([{"period": [4, 4], "amplitude": times * at}]) == word
    assert visibility([]) == "invisible"
    assert times_threshold([4, 4], at) == pytest.approx(1)


def test_the_most_visible_period_decides_and_a_long_one_is_seen_best():
    faint = {"period": [2, 2], "amplitude": 0.4}
    assert visibility([faint]) == "invisible"
    assert visibility([faint, {"period": [8, 8], "amplitude": 0.4}]) == "visible"
    assert threshold([2, 1]) == threshold([2, 2]) > threshold([4, 4]) > threshold([8, 8])
