"""The blamed stages whose weights can be written, and candidates made of new kernels for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from uncheck.editing.edits import KINDS, Candidate, Edit
from uncheck.editing.kernels import WeightHandle, check_written, weight_handle
from uncheck.errors import Refusal
from uncheck.phases import PhaseKernel
from uncheck.repairing.case import Case


def handles(case: Case) -> tuple[dict[int, WeightHandle], list[str]]:
    """Return a handle for each blamed stage whose weights can be written, and why the others cannot."""
    found: dict[int, WeightHandle] = {}
    reasons: list[str] = []
    for stage in case.blamed:
        try:
            found[stage.index] = weight_handle(case.model, case.fit[0], case.recording, stage)
        except Refusal as reason:
            reasons.append(str(reason))
    return found, reasons


def candidate(
    case: Case,
    method: str,
    label: str,
    handles: Mapping[int, WeightHandle],
    kernels: Mapping[int, PhaseKernel],
) -> Candidate:
    """Return the candidate that gives these stages (by index) these kernels, checked on a copy.

    Raises:
        Refusal: a layer cannot hold its kernel, or it does not come out of the changed network.
    """
    edits: list[Edit] = []
    tensors: dict[str, Tensor] = {}
    for index, kernel in kernels.items():
        more, values = handles[index].change(kernel)
        edits += [edit for edit in more if edit not in edits]
        tensors |= values
    made = Candidate(method, label, KINDS[1], tuple(edits), tensors)
    check_written(case.copy(), case.fit[0], made, {handles[i].stage.name: k for i, k in kernels.items()})
    return made


def names(handles: Mapping[int, WeightHandle], chosen: Sequence[int]) -> str:
    """Return the stages' names for a label."""
    return ", ".join(handles[index].stage.name for index in chosen)
