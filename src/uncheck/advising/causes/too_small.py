"""An output too small for the periods it can have."""

from __future__ import annotations

from uncheck.advising.cures import verb
from uncheck.advising.fault import Cause, Cure

TOO_SMALL = Cause(
    name="too-small",
    title="Undetermined: the output is too small",
    synonyms=("small", "not tested", "larger input"),
    meaning="A period can be tested only where the output holds enough of its cells.",
    signs=("`uncheck inspect` lists periods that were not tested.",),
    cures=(Cure("give a larger input", "none", True, command=verb("inspect", "--shape", "1,3,256,256")),),
)
