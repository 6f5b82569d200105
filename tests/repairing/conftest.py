"""A bug in a method is an error in these tests, and no refusal."""

import pytest

from uncheck.errors import UncheckError
from uncheck.repairing import search


@pytest.fixture(autouse=True)
def loud(monkeypatch):
    monkeypatch.setattr(search, "FAILURES", (UncheckError,))
