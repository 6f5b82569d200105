"""An experiment by the name of its folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from lab.runs import Experiment

HERE = Path(__file__).resolve().parents[1]


def experiment(name: str) -> Experiment:
    """The EXPERIMENT of experiments/NAME/run.py; each run.py becomes a module of its own name."""
    folder = HERE / name
    sys.path.insert(0, str(folder))
    module_name = "experiment_" + name.replace("-", "_")
    spec = importlib.util.spec_from_file_location(module_name, folder / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    found: Experiment = module.EXPERIMENT
    return found
