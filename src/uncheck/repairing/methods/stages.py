"""The blamed stages whose weights can be written, and candidates made of new kernels for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from uncheck.editing.edits import KINDS, Candidate, Edit
from uncheck.editing.kernels import WeightHandle, check_written, weight_handle
from uncheck.errors import Refusal
from uncheck.phases import PhaseKernel
from uncheck.repairing.case import Case


class WritableStages:
    """The blamed stages of a case whose weights can be written, for one method.

    Attributes:
        handles: of the stages, by their index.
        reasons: why the others cannot be written; methods add why their trials failed.
    """

    def __init__(self, case: Case, method: str) -> None:
        self.case, self.method = case, method
        self.handles: dict[int, WeightHandle] = {}
        self.reasons: list[str] = []
        for stage in case.blamed:
            try:
                self.handles[stage.index] = weight_handle(case.model, case.fit[0], case.recording, stage)
            except Refusal as reason:
                self.reasons.append(str(reason))

    def names(self, chosen: Iterable[int]) -> str:
        """Return the stages' names for a label."""
        return ", ".join(self.handles[index].stage.name for index in chosen)

    def candidate(self, label: str, kernels: Mapping[int, PhaseKernel]) -> Candidate:
        """Return the candidate that gives these stages (by index) these kernels, checked on a copy.

        Raises:
            Refusal: a layer cannot hold its kernel, or it does not come out of the changed network.
        """
        edits: list[Edit] = []
        tensors: dict[str, Tensor] = {}
        for index, kernel in kernels.items():
            more, values = self.handles[index].change(kernel)
            edits += [edit for edit in more if edit not in edits]
            tensors |= values
        made = Candidate(self.method, label, KINDS[1], tuple(edits), tensors)
        wanted = {self.handles[index].stage.name: kernel for index, kernel in kernels.items()}
        check_written(self.case.copy(), self.case.fit[0], made, wanted)
        return made

    def network(self, kernels: Mapping[int, PhaseKernel]) -> nn.Module:
        """Return a copy of the network with these kernels; Refusal as for `candidate`."""
        return self.candidate("", kernels).done_to(self.case.copy())

    def refusal(self) -> Refusal:
        """Return the reason why there is no candidate."""
        return Refusal(
            "; ".join(dict.fromkeys(self.reasons)) or "no upsampling stage leaves the periods found"
        )
