"""Choice of the fastest form, from the measured table `rule.json` beside this file.

The table is made by `benchmarks/resize_rule.py` from benchmarks/results/resize_conv_rule.json. It
holds, for each measured kind of layer (axes, factor, kernel, mode, layout, type, training or not, threads),
the fastest form over widths and pixels; the nearest measured cell on logarithmic scales decides. Exporters,
transforms and watchers of torch calls get the two plain steps.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import torch
from torch import Tensor

_MODES = getattr(torch._C, "_len_torch_function_stack", None)
_TRANSFORMS = getattr(torch._C, "_are_functorch_transforms_active", None)


class LayerTraits(NamedTuple):
    """Properties of a layer that the choice depends on."""

    scale_factor: tuple[int, ...]
    kernel_size: tuple[int, ...]
    mode: str
    in_channels: int
    out_channels: int
    groups: int
    finished: bool = False
    """Whether only the fused weight is kept, so that the form "plain" is impossible."""


def channels_last(x: Tensor, weight: Tensor) -> bool:
    """Test whether torch's convolution gives a channels_last output: input or weight lies so in memory."""
    if x.ndim < 4:
        return False
    layout = torch.channels_last if x.ndim == 4 else torch.channels_last_3d
    return (x.is_contiguous(memory_format=layout) and not x.is_contiguous()) or (
        weight.is_contiguous(memory_format=layout) and not weight.is_contiguous()
    )


def choose(
    traits: LayerTraits, shape: torch.Size, dtype: torch.dtype, device: str, last: bool, training: bool
) -> str:
    """Return the form for such an input, `last` if channels_last: "plain", "transposed" or "phases".

    On anything but a CPU "transposed", which is not a measured choice.

    Cost: about a microsecond once a shape was seen.
    """
    if device != "cpu":
        return "plain" if device == "meta" else "transposed"
    return _choice(traits, shape, dtype, last, training, torch.get_num_threads())


@lru_cache(maxsize=4096)
def _choice(
    traits: LayerTraits, shape: torch.Size, dtype: torch.dtype, last: bool, training: bool, threads: int
) -> str:
    table = _table(traits, dtype, last, training, threads)
    if table is None:
        return "transposed" if traits.finished else "plain"
    width = math.sqrt(traits.in_channels * traits.out_channels) / traits.groups
    row = _nearest(table["widths"], width)
    column = _nearest(table["pixels"], math.prod(shape[2:]))
    layer = _nearest(table["batches"], shape[0])
    found = table["finished" if traits.finished else "forms"][row][column][layer]
    return {"p": "plain", "t": "transposed", "f": "phases"}[found]


def _nearest(values: list[int], value: float) -> int:
    distances = [abs(math.log(one / max(value, 1e-9))) for one in values]
    return distances.index(min(distances))


def _table(
    traits: LayerTraits, dtype: torch.dtype, last: bool, training: bool, threads: int
) -> dict[str, Any] | None:
    if traits.groups != 1:
        return None
    ndim = len(traits.kernel_size)
    wanted = {
        "ndim": ndim,
        "mode": traits.mode,
        "layout": "channels_last" if last else "contiguous",
        "dtype": "bfloat16" if dtype in (torch.bfloat16, torch.float16) else "float32",
        "training": training,
    }
    numbers = {
        "factor": math.prod(traits.scale_factor) ** (1 / ndim),
        "kernel": math.prod(traits.kernel_size) ** (1 / ndim),
        "threads": threads,
    }
    tables: list[dict[str, Any]] = _rule()["tables"]
    fitting = [t for t in tables if all(t[word] == value for word, value in wanted.items())]
    if not fitting:
        return None
    return min(fitting, key=lambda t: sum(abs(math.log(t[word] / value)) for word, value in numbers.items()))


def choose_compiled(traits: LayerTraits) -> str:
    """Return the form under torch.compile, where only the width decides: sizes may be symbols there."""
    width = math.sqrt(traits.in_channels * traits.out_channels) / traits.groups
    return "transposed" if width >= _rule()["compiled_width"] and traits.groups == 1 else "plain"


@lru_cache(maxsize=1)
def _rule() -> dict[str, Any]:
    path = files("uncheck.layers") / "rule.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def exporting() -> bool:
    """Test whether a graph is being exported (torch.export, torch.onnx), not compiled for running now."""
    found = getattr(torch.compiler, "is_exporting", None)
    return bool(found()) if found is not None else False


def watched() -> bool:
    """Test whether a function mode watches the torch calls, or a transform such as vmap runs them.

    A watcher, such as `uncheck.inspect`, shall see a resize and a convolution; a transform needs calls it has
    rules for. Both questions are answered by private functions of torch: where one is gone, the answer is no.
    """
    return (_MODES is not None and _MODES() > 0) or (_TRANSFORMS is not None and _TRANSFORMS())


def tracing() -> bool:
    """Test whether torch.jit.trace, or an export through it, records the calls."""
    return torch._C._get_tracing_state() is not None
