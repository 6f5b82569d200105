"""A model becomes stages: record a forward pass, find the upsampling, count what is not understood."""

from __future__ import annotations

from uncheck.reading.leave import as_found
from uncheck.reading.ledger import Ledger
from uncheck.reading.maps import OutputGrid
from uncheck.reading.outputs import picture_of, spatial_output
from uncheck.reading.possible import PossiblePeriods, possible_periods, read_possible
from uncheck.reading.record import Recording, record
from uncheck.reading.registration import Registration, register
from uncheck.reading.run import Inputs, call, copied, copy_modes, eagerly, forward_error, fresh, run
from uncheck.reading.stage import Stage
from uncheck.reading.steps import Strided
from uncheck.reading.target import load_callable, load_target
from uncheck.reading.watch import CallKey, CallWatcher
from uncheck.reading.weights import LoadedWeights, load_weights, watch_loading

__all__ = [
    "CallKey",
    "CallWatcher",
    "Inputs",
    "Ledger",
    "LoadedWeights",
    "OutputGrid",
    "PossiblePeriods",
    "Recording",
    "Registration",
    "Stage",
    "Strided",
    "as_found",
    "call",
    "copied",
    "copy_modes",
    "eagerly",
    "forward_error",
    "fresh",
    "load_callable",
    "load_target",
    "load_weights",
    "picture_of",
    "possible_periods",
    "read_possible",
    "record",
    "register",
    "run",
    "spatial_output",
    "watch_loading",
]
