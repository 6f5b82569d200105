"""Nearly every layer is exported and compiled."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def exporting(exporter):
    """Load once what exports and compilations need."""
