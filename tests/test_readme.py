"""The README shows what was measured."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "pictures" / "repaired.json"

pytestmark = pytest.mark.skipif(not STORED.exists(), reason="the pages are not part of this copy")


def test_the_numbers_of_the_picture_are_those_of_the_committed_result():
    stored = json.loads(STORED.read_text(encoding="utf-8"))["measured"]
    caption = re.search(r"!\[(.*?)\]", (ROOT / "README.md").read_text(encoding="utf-8"))[1]
    before, after = stored["a network's output"], stored["repaired"]
    assert f"a grid of {before['strength']:.1f} grey levels" in caption
    assert (before["verdict"], after["verdict"], after["strength"]) == ("lattice", "clean", 0.0)
    assert caption.endswith("no grid found.")


def test_the_readme_is_short_and_names_both_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    assert "    make demo " in text
    assert "    make test " in text
