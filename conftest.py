"""For all tests: the profile of property tests, a list of dear tests, examples in docstrings.

Tiers: `make test` runs the quick tests, which have no marker. `make test-all` also runs the `integration`
and `slow` tests, and every property test with the many examples of the profile `full`.
"""

import os
from importlib.util import find_spec

# One thread per worker: several would only wait for one another, and their waiting counts as CPU time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

import tiers

settings.load_profile("quick")

pytest_plugins = ["budget"]

#: Modules of the package whose docstrings need an extra: left out where it is not installed.
EXTRAS = {"training/metric.py": "torchmetrics", "training/monitor.py": "lightning"}

collect_ignore = [f"src/uncheck/{file}" for file, extra in EXTRAS.items() if find_spec(extra) is None]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the cases of dear tests before those of other tiers are left out."""
    tiers.sample(items)


@pytest.fixture(scope="session")
def exporter():
    """Export and compile once: what that loads takes seconds, and is no test's own cost."""
    import torch

    line, x = torch.nn.Linear(1, 1), torch.ones(1, 1)
    torch.export.export(line, (x,))
    torch.compile(line, backend="eager")(x)
