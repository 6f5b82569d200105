"""The profile of property tests, and the plugin that holds quick tests to one CPU-second.

Tiers: `make test` runs the quick tests, which have no marker. `make test-all` also runs the `integration`
and `slow` tests, and every property test with the many examples of the profile `full`.
"""

import os

# One thread per worker: several would only wait for one another, and their waiting counts as CPU time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

import profiles  # noqa: F401

settings.load_profile("quick")

pytest_plugins = ["budget"]
