"""The network as a black box: signals in, lattice out, and the layer to blame."""

from uncheck.probing.backward import Gradient, StridedBlame, gradient_lattice
from uncheck.probing.blame import PeriodBlame, StageBlame, blame
from uncheck.probing.boundary import Boundary, Edge, PaddingBlame
from uncheck.probing.even import even_phases, evening
from uncheck.probing.forward import Runner
from uncheck.probing.inputs import load_input
from uncheck.probing.inspect import inspect
from uncheck.probing.randomise import random_weights
from uncheck.probing.result import Inspection, Probe, StageReport
from uncheck.probing.signals import made_up, probe_signals

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
