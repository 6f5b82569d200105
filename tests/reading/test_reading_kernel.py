"""A stage's kernel does what the calls it stands for did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reading.zoo import CASES
from tiers import every
from uncheck.reading import CallKey, CallWatcher, as_found, record
from uncheck.reading.chains import read_chains
from uncheck.reading.graph import Slot
from uncheck.reading.neighbours import before


class Keeper(CallWatcher):
    """Keep a copy of the first input and of the output of every call."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.inputs: dict[CallKey, Tensor] = {}
        self.outputs: dict[CallKey, Tensor] = {}

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        if args and isinstance(args[0], Tensor):
            self.inputs[key] = args[0].clone()
        if isinstance(out, Tensor):
            self.outputs[key] = out.clone()
        return out


BORDERED = {"pad_relu_conv", "swapped", "bilinear_conv"}
WITH_KERNEL = [case for case in CASES if any(e.has_kernel for e in case.stages)]


@pytest.mark.parametrize("case", every(4, WITH_KERNEL), ids=lambda case: case.name)
def test_kernel_equals_the_calls(case: Any) -> None:
    model, x = case.model(), case.input()
    recording = record(model, x)
    graph = recording.graph
    with as_found(model), torch.no_grad(), Keeper(model) as keeper:
        model(x)
    chains = {chain.node.key: chain for chain in read_chains(graph)}
    for stage in recording.stages:
        assert stage.kernel is not None
        node = next(node for node in graph.nodes if node.key == stage.key)
        source = keeper.inputs[stage.key]
        chain = chains.get(stage.key)
        if stage.kind in ("sub-pixel", "un-patchify"):
            feeder = before(graph, node)[0] if chain is None else chain.source
            assert feeder is not None
            source = keeper.inputs[feeder.key]
        elif chain is not None:
            parent = graph.nodes[chain.source.index]
            source = x if parent.func is None else keeper.outputs[parent.key]
        if stage.kind == "un-patchify":
            grid = [n // s for n, s in zip(stage.output_size, stage.stride, strict=True)]
            source = source[:, -int(torch.tensor(grid).prod()) :].transpose(1, 2)
            source = source.reshape(len(source), -1, *(int(n) for n in grid))
        target = keeper.outputs[stage.even_key]
        if case.name == "pad_relu_conv":
            source = source.relu()
        rest = [axis for axis in range(target.ndim) if axis not in stage.even_axes]
        target = target.permute(*rest, *stage.even_axes)
        result = stage.kernel.apply(source)
        assert result.shape == target.shape
        inner = slice(3, -3) if case.name == "pad_relu_conv" else slice(None)  # replicated border
        gap = (
            (result - target)[..., inner, inner].abs().max()
            if target.ndim > 3
            else (result - target).abs().max()
        )
        assert gap < 1e-5 * target.abs().max(), stage.name


def test_the_weight_of_the_call_counts() -> None:
    """Weight norm, spectral norm and parametrisations change the weight between the module and the call."""
    for name in ("parametrized", "spectral_norm", "hifigan_old_weight_norm"):
        case = next(case for case in CASES if case.name == name)
        model = case.model()
        for module in model.modules():
            if hasattr(module, "weight_g"):
                module.weight_g.data *= 3
        stage = record(model, case.input()).stages[0]
        assert isinstance(stage.kernel.weight, Tensor)
        layer = model.get_submodule(stage.name)
        with torch.no_grad():
            for hook in layer._forward_pre_hooks.values():
                hook(layer, ())
        assert torch.allclose(stage.kernel.weight, layer.weight.transpose(0, 1), atol=1e-6)
        assert not isinstance(layer.weight, Slot)
