"""The recording of one forward pass: stages, strided steps, paddings and a ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from uncheck.errors import UncheckError
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.reading.axes import read_outputs
from uncheck.reading.graph import OPAQUE, Graph
from uncheck.reading.leave import as_found
from uncheck.reading.ledger import Ledger, read_ledger
from uncheck.reading.maps import OutputGrid
from uncheck.reading.run import eagerly, forward_error, fresh
from uncheck.reading.stage import Stage
from uncheck.reading.stages import read_stages
from uncheck.reading.steps import Padding, Strided, read_paddings, read_strided
from uncheck.reading.tensors import tensors_in
from uncheck.reading.trace import Tracer

UPSAMPLERS = (nn.Upsample, nn.PixelShuffle, *CONV_TRANSPOSES, nn.MaxUnpool1d, nn.MaxUnpool2d, nn.MaxUnpool3d)


@dataclass(frozen=True)
class Recording:
    """One forward pass of a network, read.

    Attributes:
        stages: its upsampling steps, in forward order.
        strided: its subsampling steps on the signal path, in forward order: what its gradients see as
            upsampling.
        paddings: its paddings on the signal path, in forward order.
        ledger: of every call.
        outputs: every tensor that the model returned, each once.
        output: what the model returned.
        calls: how many torch calls that return tensors it made.
        unused: paths of upsampling layers that were never called.
        forward_seconds: time the forward pass took, watched, in seconds.
        graph: the recorded graph.
        types: class of each module by its path.
    """

    stages: tuple[Stage, ...]
    strided: tuple[Strided, ...]
    paddings: tuple[Padding, ...]
    ledger: Ledger
    outputs: tuple[OutputGrid, ...]
    output: Any = field(repr=False)
    calls: int
    unused: tuple[str, ...]
    forward_seconds: float
    graph: Graph = field(repr=False)
    types: dict[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Show the stages, one to a line, and the ledger."""
        lines = [str(stage) for stage in self.stages] or ["no upsampling"]
        unused = [f"never called: {', '.join(self.unused)}"] if self.unused else []
        return "\n".join([*lines, *unused, str(self.ledger)])


def record(model: nn.Module, *inputs: Any, **kwargs: Any) -> Recording:
    """Run a model once and read its upsampling stages; the model is left as it was found.

    Args:
        model: any module, on any device; on the meta device shapes are read and kernels are None.
        *inputs: what to call it with: tensors, or nests of them.
        **kwargs: likewise, by name.

    Returns:
        The recording. Activations are not kept, apart from the output.

    Raises:
        UncheckError: the model is no module, holds parameters without shape, raises, or returns no tensor.

    Cost: one forward pass without gradients, two where TorchScript or C++ hide calls; a copy of the buffers,
    and a few microseconds per torch call.
    """
    recording = record_written(model, *inputs, **kwargs)
    nodes = recording.graph.nodes
    if any(nodes[index].key.function == OPAQUE for index in recording.graph.path):
        with as_found(model), torch.no_grad(), eagerly():
            recording = _recorded(model, inputs, kwargs, foreign=True)
    return recording


def record_written(model: nn.Module, *inputs: Any, **kwargs: Any) -> Recording:
    """Record as `record` does, but only the calls that Python code makes: those that can be rewritten."""
    if not isinstance(model, nn.Module):
        raise UncheckError(
            f"record needs a torch.nn.Module, not a {type(model).__name__}: pass the model itself"
        )
    state = chain(model.named_parameters(), model.named_buffers())
    lazy = [name for name, tensor in state if is_lazy(tensor)]
    if lazy:
        raise UncheckError(
            f"{lazy[0]} has no shape yet (a lazy layer): run the model once on a real input before reading it"
        )
    with as_found(model), torch.no_grad(), eagerly():
        return _recorded(model, inputs, kwargs)


def _recorded(
    model: nn.Module, inputs: tuple[Any, ...], kwargs: dict[str, Any], foreign: bool = False
) -> Recording:
    inputs, kwargs = fresh((inputs, kwargs))
    tracer = Tracer(model, (inputs, kwargs), foreign)
    torch.manual_seed(0)
    began = time.perf_counter()
    try:
        with tracer:
            output = model(*inputs, **kwargs)
    except Exception as error:
        raise forward_error(model, tracer.reached, error, (inputs, kwargs)) from error
    if torch.cuda.is_available() and any(tensor.is_cuda for tensor in tensors_in(output)):
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    if next(tensors_in(output), None) is None:
        raise UncheckError(
            f"{type(model).__name__} returned no tensor but a {type(output).__name__}: wrap it in a "
            "module whose forward returns the picture"
        )
    graph = tracer.graph(output)
    stages = read_stages(graph)
    ledger = read_ledger(graph)
    ndim = _ndim(stages, (inputs, kwargs))
    return Recording(
        stages=stages,
        strided=read_strided(graph),
        paddings=read_paddings(graph),
        ledger=ledger,
        outputs=read_outputs(graph, stages, tracer.made(output), ndim, not ledger.unsupported),
        output=output,
        calls=tracer.calls,
        unused=_unused(model, tracer.entered),
        forward_seconds=seconds,
        graph=graph,
        types={path: type(module).__name__ for path, module in model.named_modules()},
    )


def _ndim(stages: tuple[Stage, ...], inputs: object) -> int:
    """Return the axes of a map where the graph does not tell: those of the last stage, else of the input."""
    if stages:
        return stages[-1].ndim
    rank = next((tensor.dim() for tensor in tensors_in(inputs)), 4)
    return min(3, rank - 2) if rank > 2 else 2


def _unused(model: nn.Module, entered: set[str]) -> tuple[str, ...]:
    layers = ((path, module) for path, module in model.named_modules() if isinstance(module, UPSAMPLERS))
    still = ((1,), (1, 1), (1, 1, 1))
    return tuple(p for p, module in layers if p not in entered and getattr(module, "stride", 2) not in still)
