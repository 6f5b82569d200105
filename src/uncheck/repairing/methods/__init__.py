"""The methods of repair, one file each, cheapest first for whoever runs the repaired network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uncheck.editing.edits import Candidate
    from uncheck.repairing.case import Case
    from uncheck.repairing.clock import Clock


@dataclass(frozen=True)
class Method:
    """One method, whose module `methods.NAME` holds a function NAME that makes candidates.

    Attributes:
        name: as the user gives it.
        label: the words for a sentence: "repaired by ..., `label`".
        share: of the time given, for the method: where the network can be spun, and where not. A method that
            is tried alone gets all of it.
        last_resort: whether the repaired network costs so much more that it is tried only if no other
            method gave anything; it then gets its share whatever was spent.
        takes: arguments of the function beside the case and the clock: "seconds", "seed", "checkpoint". A
            method that takes "seconds" keeps to them itself.
    """

    name: str
    label: str
    share: tuple[float, float] = (1.0, 1.0)
    last_resort: bool = False
    takes: tuple[str, ...] = ()

    def candidates(self, case: Case, clock: Clock, **given: Any) -> Iterator[Candidate]:
        """Return an iterator over the method's candidates, made while it is iterated over.

        The module is imported here: the names of the methods are known without torch.
        """
        make = getattr(import_module(f"uncheck.repairing.methods.{self.name}"), self.name)
        made: Iterator[Candidate] = make(case, clock, **{name: given[name] for name in self.takes})
        return made


METHODS = (
    Method("project", "making the gains of its output phases equal", (0.06, 0.25)),
    Method("match", "making the means and variances of its output phases equal", (0.08, 0.25)),
    Method("distill", "training a copy without the fault", takes=("seconds", "seed", "checkpoint")),
    Method("spin", "averaging over shifts of the input", (0.3, 0.3), last_resort=True),
)
