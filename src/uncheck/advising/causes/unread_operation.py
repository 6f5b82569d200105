"""An operation that was not understood."""

from __future__ import annotations

from uncheck.advising.cures import fixed, verb
from uncheck.advising.fault import Cause, Cure

UNREAD_OPERATION = Cause(
    name="unread-operation",
    title="Undetermined: an operation was not understood",
    synonyms=("undetermined", "unsupported", "unread", "not understood", "custom operation"),
    meaning="Something between input and output of the network is not known to uncheck, so it does not know "
    "which periods the output can have, and says neither lattice nor clean.",
    signs=("`uncheck inspect` says undetermined and names the operation; the exit code is 3.",),
    cures=(
        Cure(
            "name the periods to test",
            "none",
            True,
            command=verb("inspect", "--periods", "2-16"),
        ),
        Cure(
            "say what the operation does to positions",
            "a line",
            True,
            code=fixed('import uncheck.reading; uncheck.reading.register(operation, effect="pointwise")'),
        ),
    ),
)
