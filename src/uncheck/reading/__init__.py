"""A model becomes stages: record a forward pass, find the upsampling, count what is not understood."""

from uncheck.reading.leave import as_found
from uncheck.reading.ledger import Ledger
from uncheck.reading.padding import Padding
from uncheck.reading.record import Recording, eagerly, forward_error, record
from uncheck.reading.stage import Stage
from uncheck.reading.strided import Strided
from uncheck.reading.target import load_callable, load_target
from uncheck.reading.watch import CallKey, CallWatcher
from uncheck.reading.weights import load_weights

__all__ = [
    "CallKey",
    "CallWatcher",
    "Ledger",
    "Padding",
    "Recording",
    "Stage",
    "Strided",
    "as_found",
    "eagerly",
    "forward_error",
    "load_callable",
    "load_target",
    "load_weights",
    "record",
]
