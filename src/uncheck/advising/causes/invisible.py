"""Nothing found, or nothing that can be seen."""

from __future__ import annotations

from uncheck.advising.fault import Cause

INVISIBLE = Cause(
    name="invisible",
    title="Clean, or too weak to see: nothing to do",
    synonyms=("clean", "nothing", "trace", "nothing to do", "visibility", "visible"),
    meaning="No lattice was found, or one below the threshold of the eye. Every clean verdict says the "
    "strongest lattice that could have been missed.",
    signs=("`uncheck inspect` says clean, or invisible.",),
    cures=(),
)
