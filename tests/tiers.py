"""What a test runs in which tier: examples of property tests, and cases of parametrized ones.

The profiles of Hypothesis hold for every property test that says nothing else. One whose example is dear,
or whose power needs more, says both numbers: `@examples(5, 100)`.
"""

from __future__ import annotations

from collections.abc import Iterable

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
