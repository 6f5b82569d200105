"""How many examples a property test runs: few in `make test`, many in the other tiers.

The profiles of Hypothesis hold for every property test that says nothing else. One whose example is dear,
or whose power needs more, says both numbers: `@examples(5, 100)`.
"""

from __future__ import annotations

from hypothesis import settings

QUICK, FULL = 25, 200

settings.register_profile("quick", max_examples=QUICK, deadline=None)
settings.register_profile("full", max_examples=FULL, deadline=None)


def examples(few: int, many: int, **options: bool) -> settings:
    """Return settings of a property test: `few` examples in the quick profile, `many` otherwise."""
    quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=few if quick else many, **options)
