"""A check that a changed network has the kernels that were written to it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from uncheck.editing.edits import Candidate, Upsampler
from uncheck.errors import Refusal, UncheckError
from uncheck.phases import PhaseKernel
from uncheck.reading import Inputs, record, run

#: A kernel read back may differ from the one written by so many times the type's eps of its largest entry.
ROUNDING = 16


def check_written(
    model: nn.Module, inputs: Inputs, candidate: Candidate, wanted: Mapping[str, PhaseKernel]
) -> None:
    """Check on the changed network that its stages have the kernels wanted.

    Args:
        model: a copy of the network, to be changed.
        inputs: one call.
        candidate: the changes.
        wanted: by name of the stage; of a replaced layer the outputs are compared instead.

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
