"""The network as a black box: signals in, lattice out, and the layer to blame."""

from uncheck.probing.backward import Gradient, StridedBlame, gradient_lattice
from uncheck.probing.blame import PeriodBlame, StageBlame, blame
from uncheck.probing.borders import Boundary, Edge, PaddingBlame
from uncheck.probing.counterfactuals import even_phases, evening
from uncheck.probing.forward import Runner
from uncheck.probing.inputs import load_input, made_up, probe_signals
from uncheck.probing.inspect import inspect
from uncheck.probing.origin import random_weights
from uncheck.probing.result import Inspection, Probe, StageReport

__all__ = [
    "Boundary",
    "Edge",
    "Gradient",
    "Inspection",
    "PaddingBlame",
    "PeriodBlame",
    "Probe",
    "Runner",
    "StageBlame",
    "StageReport",
    "StridedBlame",
    "blame",
    "even_phases",
    "evening",
    "gradient_lattice",
    "inspect",
    "load_input",
    "made_up",
    "probe_signals",
    "random_weights",
]
