"""What a test runs in which tier: examples of property tests, and cases of parametrized ones.

The profiles of Hypothesis hold for every property test that says nothing else. One whose example is dear,
or whose power needs more, says both numbers: `@examples(5, 100)`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("full", max_examples=200, deadline=None)


def examples(few: int, many: int, **options: bool) -> settings:
    """Return settings of a property test: `few` examples in the quick profile, `many` otherwise."""
    quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=few if quick else many, **options)


def cases(quick: Iterable[object], integration: Iterable[object]) -> list[object]:
    """Return values of `pytest.mark.parametrize`: some for the quick tier, the others for integration."""
    later = (value if isinstance(value, tuple) else (value,) for value in integration)
    return [*quick, *(pytest.param(*value, marks=pytest.mark.integration) for value in later)]


def every(step: int, values: Iterable[object]) -> list[object]:
    """Return values of `pytest.mark.parametrize`: every so many for the quick tier, all for integration."""
    values = list(values)
    return cases(values[::step], [value for i, value in enumerate(values) if i % step])


#: Parametrized tests of which every so many cases are quick, and all integration tests. A folder, file or
#: function; the longest that fits counts.
SAMPLED = {
    "tests/editing/test_editing_weights.py": 4,
    "tests/fusing/test_fusing_peers.py": 5,
    "tests/fusing/test_fusing_released.py": 3,
    "tests/fusing/test_fusing_ways.py": 3,
    "tests/fusing/test_fusing_zoo.py": 3,
    "tests/fusing/test_fusing_errors.py": 2,
    "tests/measuring": 3,
    "tests/measuring/test_measuring_cases.py": 3,
    "tests/measuring/test_measuring_long_periods.py": 3,
    "tests/measuring/test_measuring_rivals.py": 3,
    "tests/measuring/test_measuring_rivals_content.py": 4,
    "tests/measuring/test_measuring_rivals_jpeg.py": 3,
    "tests/measuring/test_measuring_sets.py": 3,
    "tests/measuring/test_measuring_together.py": 3,
    "tests/probing": 2,
    "tests/probing/test_probing_answers.py": 4,
    "tests/reading": 3,
    "tests/reading/test_reading_leave.py": 3,
    "tests/reading/test_reading_ledger.py": 3,
    "tests/reading/test_reading_period.py": 3,
    "tests/reading/test_reading_released.py": 3,
    "tests/repairing": 4,
    "tests/swapping": 3,
    "tests/training/test_training_gains.py": 3,
    "tests/training/test_training_tracker.py": 3,
    "tests/cli": 3,
    "tests/layers": 3,
    "tests/layers/test_layers_resize.py": 3,
}

#: Dear tests that are integration tests: above 0.4 CPU-seconds when `--cpu-report` was last looked through.
LATER = frozenset(Path(__file__).with_name("later.txt").read_text(encoding="utf-8").split())


def sample(items: Iterable[pytest.Item]) -> None:
    """Mark the tests in LATER, and the cases that SAMPLED leaves out of the quick tier."""
    seen: Counter[str] = Counter()
    for item in items:
        name, _, case = item.nodeid.partition("[")
        if name in LATER:
            item.add_marker(pytest.mark.integration)
            continue
        fitting = [place for place in SAMPLED if name.startswith(place)]
        if not case or not fitting or item.get_closest_marker("integration"):
            continue
        if seen[name] % SAMPLED[max(fitting, key=len)]:
            item.add_marker(pytest.mark.integration)
        seen[name] += 1
