"""Changed kernels written into a network as a candidate, and read back; which stages there are to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm

import torch
from torch import Tensor, nn

from uncheck.editing.edits import KINDS, Candidate, Edit, Upsampler
from uncheck.editing.weights import WeightHandle, weight_handle
from uncheck.errors import UncheckError
from uncheck.phases import PhaseKernel
from uncheck.reading import Inputs, Stage, record, run
from uncheck.repairing.case import Case, Refusal

#: A kernel read back may differ from the one written by so many times the type's eps of its largest entry.
ROUNDING = 16


def blamed(case: Case) -> tuple[Stage, ...]:
    """The stages that can leave a faulty period, as their own or as a harmonic, in forward order."""
    return tuple(
        stage
        for stage in case.recording.stages
        if stage.output_period is not None
        and any(lcm(*stage.output_period) % period == 0 for period in case.faulty)
    )


def handles(case: Case) -> tuple[dict[int, WeightHandle], list[str]]:
    """A handle for each blamed stage whose weights can be written, and why the others cannot."""
    found: dict[int, WeightHandle] = {}
    reasons: list[str] = []
    for stage in blamed(case):
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
    """The candidate that gives these stages (by index) these kernels, checked on a copy of the network.

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
    verify(case.copy(), case.fit[0], made, {handles[i].stage.name: k for i, k in kernels.items()})
    return made


def names(handles: Mapping[int, WeightHandle], chosen: Sequence[int]) -> str:
    """The stages' names for a label."""
    return ", ".join(handles[index].stage.name for index in chosen)


def verify(model: nn.Module, inputs: Inputs, candidate: Candidate, wanted: Mapping[str, PhaseKernel]) -> None:
    """Check on the changed network that its stages have the kernels wanted.

    Args:
        model: a copy of the network, to be changed.
        inputs: one call.
        candidate: what to do to it.
        wanted: by name of the stage; for a replaced layer what it makes of its input is compared instead.

    Raises:
        Refusal: one has not, by more than `ROUNDING` eps of its largest entry (1e3 eps of the largest output
            of a replaced layer); or the network does not run.
    """
    made = candidate.done_to(model)
    try:
        recording = record(made, *inputs)
        swapped = {edit.path for edit in candidate.edits if isinstance(edit, Upsampler)}
        seen = {path: _call(made, path, inputs) for path in swapped}
    except UncheckError as error:
        raise Refusal(f"the changed network does not run: {error}") from error
    for name, kernel in wanted.items():
        path = next((path for path in swapped if name == path or name.startswith(path + ".")), None)
        if path is not None:
            x, y = seen[path]
            expected = kernel.to(x.dtype).apply(x)
            close = _near(y, expected, 1000)
        else:
            found = [stage.kernel for stage in recording.stages if stage.name == name]
            close = bool(found) and all(k is not None and _same(k, kernel) for k in found)
        if not close:
            raise Refusal(f"the kernel written to {name} does not come out of the changed network")


def _call(model: nn.Module, path: str, inputs: Inputs) -> tuple[Tensor, Tensor]:
    calls: list[tuple[Tensor, Tensor]] = []
    hook = model.get_submodule(path).register_forward_hook(lambda _, x, y: calls.append((x[0], y)))
    try:
        run(model, inputs)
    finally:
        hook.remove()
    return calls[0]


def _same(one: PhaseKernel, other: PhaseKernel) -> bool:
    return _near(one.weight, other.weight, ROUNDING) and _near(one.phase_bias(), other.phase_bias(), ROUNDING)


def _near(one: Tensor, other: Tensor, times: float) -> bool:
    if one.shape != other.shape:
        return False
    apart = float((one.double() - other.double()).abs().max())
    return apart <= times * torch.finfo(one.dtype).eps * max(float(other.abs().max()), 1e-30)
