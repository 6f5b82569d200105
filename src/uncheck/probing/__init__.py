"""The network as a black box: signals in, lattice out, and the layer to blame."""

from __future__ import annotations

from uncheck.probing.inputs import load_input, made_up, probe_signals
from uncheck.probing.inspect import inspect
from uncheck.probing.origin import random_weights
from uncheck.probing.result import Inspection

__all__ = ["Inspection", "inspect", "load_input", "made_up", "probe_signals", "random_weights"]
