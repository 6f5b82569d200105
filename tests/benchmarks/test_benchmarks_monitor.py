"""The figures of docs/training.md come from the committed results."""

import importlib.util
import json
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def tables(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    spec = importlib.util.spec_from_file_location("monitor_tables", BENCHMARKS / "monitor_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_made_from_the_results(monkeypatch):
    module = tables(monkeypatch)
    text = module.PAGE.read_text()
    assert module.rendered(text) == text


def test_the_cost_is_below_its_target_and_the_machine_is_named():
    found = json.loads((BENCHMARKS / "results" / "monitor.json").read_text())
    for row in found["steps"]:
        share = row["measurement_seconds"] / row["step_seconds"] / found["interval"]
        assert row["share_of_a_step"] <= found["target"], row["network"]
        assert abs(share - row["share_of_a_step"]) < 1e-12
    assert {"date", "processor", "versions"} <= set(found["machine"])
