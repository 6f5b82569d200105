"""Numbers in the docs come from committed results."""

import importlib.util
from pathlib import Path

PAGE = Path(__file__).parents[2] / "benchmarks" / "resize_tables.py"


def tables():
    spec = importlib.util.spec_from_file_location("resize_tables", PAGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_made_from_the_results():
    module = tables()
    text = module.PAGE.read_text()
    assert module.rendered(text) == text


def test_a_number_changed_by_hand_is_noticed():
    module = tables()
    text = module.PAGE.read_text()
    assert module.rendered(text.replace("geometric mean | >= 2.0 | ", "geometric mean | >= 2.0 | 9")) == text
