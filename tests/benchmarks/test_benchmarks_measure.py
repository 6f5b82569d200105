"""The costs on docs/measure.md come from the committed results."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import measure_tables


def test_the_table_of_costs_is_made_from_the_results():
    text = measure_tables.PAGE.read_text()
    assert measure_tables.rendered(text) == text


def test_a_cost_changed_by_hand_is_noticed():
    text = measure_tables.PAGE.read_text()
    assert measure_tables.rendered(text.replace("in decodings | 3.0 | ", "in decodings | 3.0 | 9")) == text
    assert "in decodings | 3.0 | " in text
