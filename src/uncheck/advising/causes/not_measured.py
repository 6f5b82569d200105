"""An output that could not be measured."""

from __future__ import annotations

from uncheck.advising.cures import fixed, verb
from uncheck.advising.fault import Cause, Cure

NOT_MEASURED = Cause(
    name="not-measured",
    title="Undetermined: not measured",
    synonyms=("constant output", "no output", "not measured"),
    meaning="The output is constant, has no positions, or was not tested for want of time.",
    signs=("`uncheck inspect` says undetermined and gives the reason; the exit code is 3.",),
    cures=(
        Cure("name the periods to test", "none", True, command=verb("inspect", "--periods", "2-16")),
        Cure("give another input", "none", True, code=fixed("uncheck.inspect(model, another_input)")),
    ),
)
