"""From a stage's kernel to the network's own weights, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.editing.edits import Candidate, Edit, Unparametrised, Upsampler
from uncheck.errors import Refusal, UncheckError
from uncheck.layers.phase_transpose import phase_conv_transpose
from uncheck.phases import PhaseKernel
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.reading import Inputs, Recording, Stage, copied, record, run
from uncheck.reading.calls import arguments
from uncheck.reading.graph import Node, Slot
from uncheck.reading.provenance import Entries, kernel_entries, source_of

#: A kernel read back may differ from the one written by so many times the type's eps of its largest entry.
ROUNDING_EPS = 16


@dataclass(frozen=True, eq=False)
class WeightEntries:
    """Where the entries of a kernel, or of its bias, stand in a tensor of the network.

    Attributes:
        keys: of the state_dict; several where the tensor is tied.
        value: the tensor as it is.
        where: its own entries, as positions in its storage from 1; shape of `value`.
        index: the kernel's entries, likewise; 0 where the kernel has a zero by construction.
    """

    keys: tuple[str, ...]
    value: Tensor
    where: Tensor
    index: Tensor

    def written(self, entries: Tensor) -> dict[str, Tensor]:
        """Return new values of the tensor that give the kernel these entries; Refusal where none do."""
        there = self.index > 0
        if entries.shape != self.index.shape or bool((entries[~there] != 0).any()):
            raise Refusal(f"{self.keys[0]} has no place for entries that the changed kernel needs")
        table = torch.zeros(int(max(self.where.max(), self.index.max())) + 1, dtype=torch.float64)
        table[self.where] = self.value.detach().cpu().double()
        table[self.index[there]] = entries[there].detach().cpu().double()
        new = table[self.where].to(self.value)
        return dict.fromkeys(self.keys, new)


@dataclass(frozen=True, eq=False)
class WeightHandle:
    """A stage's kernel as parameters of the network.

    Attributes:
        edits: to make first, so that the weight is a plain parameter.
        weight: the places of its taps.
        bias: of its bias; None where the layer has none.
        uses: indices of all stages that share these weights, itself included.
        layer: path of the torch.nn transposed convolution that makes the call; None for other code.
    """

    stage: Stage
    kernel: PhaseKernel
    edits: tuple[Edit, ...]
    weight: WeightEntries
    bias: WeightEntries | None
    uses: tuple[int, ...]
    layer: str | None

    def tensors(self, kernel: PhaseKernel) -> dict[str, Tensor]:
        """Return the changed values by state_dict key, every key kept.

        Args:
            kernel: of the stage's shape and geometry; another bias, also one per phase, where the layer's own
                can say so.

        Raises:
            Refusal: the layer cannot hold it: taps or a bias where it has none, a bias per phase.
        """
        for name in ("stride", "kernel_size", "offset", "margin"):
            if getattr(kernel, name) != getattr(self.kernel, name):
                raise Refusal(f"{self.stage.name} cannot change its {name}")
        old, new = self.kernel.phase_bias().cpu().double(), kernel.phase_bias().cpu().double()
        out = self.weight.written(kernel.weight)
        if torch.equal(old, new):
            return out
        if self.bias is None:
            raise Refusal(f"{self.stage.name} has no bias to change")
        if self.bias.index.ndim == 1:
            flat = new.flatten(1)
            if float((flat - flat[:, :1]).abs().max()) > 1e-12 * float(flat.abs().max()):
                raise Refusal(f"{self.stage.name} has one bias per channel, not one per phase")
            new = flat[:, 0]
        return out | self.bias.written(new)

    def change(self, kernel: PhaseKernel) -> tuple[tuple[Edit, ...], dict[str, Tensor]]:
        """Return edits and tensors that make this the kernel; a new layer only where the old cannot hold it.

        Raises:
            Refusal: neither the old layer nor a PhaseConvTranspose in its place can.
        """
        try:
            return self.edits, self.tensors(kernel)
        except Refusal:
            if not self.layer:
                raise
        layer = phase_conv_transpose(kernel, self.stage.groups)
        tensors = {f"{self.layer}.weight": layer.weight.detach()}
        if layer.bias is not None:
            tensors[f"{self.layer}.bias"] = layer.bias.detach()
        return (Upsampler.of(self.layer, layer),), tensors


def weight_handle(model: nn.Module, inputs: Inputs, recording: Recording, stage: Stage) -> WeightHandle:
    """Find the parameters that make a stage's kernel.

    Entries that are sums of weights, as of a resize and a convolution, are refused.

    Raises:
        Refusal: no kernel, a resize, weights that are computed or shared with calls that differ.

    Cost: that of `kernel_entries`; one forward pass more where the weight is parametrised.
    """
    if stage.kernel is None or not stage.exact:
        raise Refusal(f"the kernel of {stage.name} ({stage.kind}) cannot be read as one linear step")
    if stage.kind not in ("transposed", "sub-pixel", "un-patchify"):
        raise Refusal(f"{stage.name} is a {stage.kind} resize: its kernel has no weights of its own")
    source = source_of(recording.graph, stage)
    if source is None:
        raise Refusal(f"no convolution or linear layer was found that makes {stage.name}")
    edits: tuple[Edit, ...] = ()
    state = model.state_dict()
    if not _keys(state, _value(source, "weight")):
        edits = (Unparametrised(source.key.module),)
        model = copied(model, "repair")
        try:
            edits[0].do(model)
        except (UncheckError, AttributeError) as error:
            raise Refusal(f"the weight of {stage.name} is computed anew in every call") from error
        recording = record(model, *inputs)
        stage, state = recording.stages[stage.index], model.state_dict()
        source = source_of(recording.graph, stage)
        if source is None or stage.kernel is None or not _keys(state, _value(source, "weight")):
            raise Refusal(f"the weight of {stage.name} is computed anew in every call")
    entries, of_bias = kernel_entries(recording.graph, [stage]).get(stage.index, (None, None))
    assert stage.kernel is not None
    biased = stage.kernel.bias is not None and bool(_keys(state, _value(source, "bias")))
    if entries is None or (biased and of_bias is None):
        raise _sums(stage)
    weight = _entries(state, stage, entries)
    bias = _entries(state, stage, of_bias) if biased and of_bias is not None else None
    uses = _uses(recording, source, stage)
    layer = source.layer
    if layer and not (stage.kind == "transposed" and type(model.get_submodule(layer)) in CONV_TRANSPOSES):
        layer = None
    return WeightHandle(stage, stage.kernel, edits, weight, bias, uses, layer or None)


def _value(node: Node, name: str) -> Tensor | None:
    slot = arguments(node).get(name)
    return slot.value if isinstance(slot, Slot) else None


def _keys(state: Mapping[str, Any], value: Tensor | None) -> tuple[str, ...]:
    """Keys of the state that hold a tensor's memory."""
    if value is None:
        return ()
    return tuple(key for key, held in state.items() if isinstance(held, Tensor) and _holds(held, value))


def _holds(held: Tensor, value: Tensor) -> bool:
    if held.device != value.device or held.dtype != value.dtype or not held.numel():
        return False
    return held.untyped_storage().data_ptr() == value.untyped_storage().data_ptr() and (
        held.storage_offset() <= value.storage_offset() and _end(value) <= _end(held)
    )


def _end(tensor: Tensor) -> int:
    """One beyond the last entry in its storage."""
    spans = ((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return int(tensor.storage_offset() + sum(spans) + 1)


def _entries(state: Mapping[str, Any], stage: Stage, entries: Entries) -> WeightEntries:
    keys = _keys(state, entries.value)
    held, value = state[keys[0]], entries.value
    span = torch.arange(1, max(_end(held), _end(value)) + 1)
    where = span.as_strided(held.shape, held.stride(), held.storage_offset())
    place = span.as_strided(value.shape, value.stride(), value.storage_offset()).flatten()
    index = torch.cat([torch.zeros(1, dtype=torch.int64), place])[entries.index.cpu()]
    if len(torch.unique(index[index > 0])) != int((index > 0).sum()):
        raise _sums(stage)
    return WeightEntries(keys, held, where, index)


def _sums(stage: Stage) -> Refusal:
    return Refusal(f"entries of the kernel of {stage.name} are sums of weights, so it cannot be written back")


def _uses(recording: Recording, source: Node, stage: Stage) -> tuple[int, ...]:
    """Return the stages that share the weight; Refusal where another call uses it, or for another kernel."""
    graph = recording.graph
    value = _value(source, "weight")
    assert value is not None and stage.kernel is not None  # noqa: PT018
    stages = {found.index: s for s in recording.stages if (found := source_of(graph, s)) is not None}
    uses = []
    for node in graph.nodes:
        slots = [slot for slot in (*node.args, *node.kwargs.values()) if isinstance(slot, Slot)]
        if not any(slot.value is not None and _overlap(slot.value, value) for slot in slots):
            continue
        other = stages.get(node.index)
        if other is None or other.kernel is None or not _alike(other.kernel, stage.kernel):
            raise Refusal(
                f"{node.key.module or 'another call'} uses the weight of {stage.name} in another way"
            )
        uses.append(other.index)
    return tuple(uses)


def _overlap(one: Tensor, other: Tensor) -> bool:
    """Test whether two tensors share memory."""
    same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    return same and one.storage_offset() < _end(other) and other.storage_offset() < _end(one)


def _alike(one: PhaseKernel, other: PhaseKernel) -> bool:
    geometry = (one.stride, one.offset, one.margin) == (other.stride, other.offset, other.margin)
    return geometry and torch.equal(one.weight, other.weight)


def check_written(
    model: nn.Module, inputs: Inputs, candidate: Candidate, wanted: Mapping[str, PhaseKernel]
) -> None:
    """Check on the changed network that its stages have the kernels wanted.

    `model` is a copy, to be changed; `wanted` is by name of the stage. Of a replaced layer the outputs are
    compared instead.

    Raises:
        Refusal: one has not, by more than `ROUNDING_EPS` eps of its largest entry (1e3 eps of the largest
            output of a replaced layer); or the network does not run.
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
    return _near(one.weight, other.weight, ROUNDING_EPS) and _near(
        one.phase_bias(), other.phase_bias(), ROUNDING_EPS
    )


def _near(one: Tensor, other: Tensor, times: float) -> bool:
    if one.shape != other.shape:
        return False
    apart = float((one.double() - other.double()).abs().max())
    return apart <= times * torch.finfo(one.dtype).eps * max(float(other.abs().max()), 1e-30)
