"""Cures that several causes share, and how their commands and code are written."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from uncheck.advising.fault import Cure, Fault, Report

#: Samples that a repair gets of made-up codes and maps: enough to fit on some and judge on others.
CODES, MAPS = 24, 12

#: The folder that commands write to.
FOLDER = "repaired"


def repair_command(fault: Fault) -> str | None:
    """Return `uncheck repair` on the network asked about; None where no target was named."""
    asked = fault.request
    if asked.target is None:
        return None
    shape = asked.shape
    if asked.input is None and shape is not None:
        first, *rest = shape.replace("x", ",").split(",")
        shape = ",".join([str(max(int(first), CODES if len(rest) < 2 else MAPS)), *rest])
    return asked.command("repair", "-o", FOLDER, shape=shape)


def repair_code(fault: Fault) -> str | None:
    """Return `uncheck.repair(...)`, where the network came from Python."""
    if fault.request.target is not None or fault.stage is None:
        return None
    return "repaired = uncheck.repair(model, inputs).model"


def swap_code(to: str, order: int = 1) -> Callable[[Fault], str | None]:
    """Return a writer of `uncheck.swap(...)`, for transposed convolutions large enough for the order."""
    words = f'to="{to}"' + (f", order={order}" if order != 1 else "")

    def write(fault: Fault) -> str | None:
        if fault.stage is None or fault.stage["kind"] != "transposed":
            return None
        sizes = zip(fault.stage["kernel_size"], fault.stage["stride"], strict=True)
        if any(kernel < order * (stride - 1) + 1 for kernel, stride in sizes):
            return None
        return f"model = uncheck.swap(model, example_input, {words}).model"

    return write


def layer_code(mode: str = "nearest") -> Callable[[Fault], str | None]:
    """Return a writer of the layer to write instead of the faulty one."""

    def write(fault: Fault) -> str | None:
        stage = fault.stage or uneven_layer(fault.report)
        return resize_conv(stage, mode) if stage is not None else None

    return write


def uneven_layer(report: Report) -> Report | None:
    """Return the first uneven layer of counted overlaps, its channels named as in torch's signature.

    >>> uneven_layer({"layers": [{"transposed": True, "kernel_size": [3], "stride": [2]}]})["in_channels"]
    'in_channels'
    """
    for layer in report.get("layers") or ():
        sizes = zip(layer["kernel_size"], layer["stride"], strict=True)
        if layer["transposed"] and any(kernel % stride for kernel, stride in sizes):
            channels = {name: name for name in ("in_channels", "out_channels")}
            return {"kind": "transposed", **channels, **layer}
    return None


def resize_conv(stage: Report, mode: str = "nearest") -> str | None:
    """Return the resize-convolution of the channels, kernel and stride of a stage; None where one is unknown.

    >>> resize_conv({"kind": "transposed", "in_channels": 128, "out_channels": 64, "kernel_size": [3, 3],
    ...     "stride": [2, 2]})
    'uncheck.layers.ResizeConv2d(128, 64, 3, scale_factor=2)'
    """
    channels = stage.get("in_channels"), stage.get("out_channels")
    if None in channels or stage["kind"] == "un-patchify" or any(s != int(s) for s in stage["stride"]):
        return None
    kernel = _sizes([_odd(stage, axis) for axis in range(len(stage["stride"]))])
    more = "" if mode == "nearest" else f', mode="{mode}"'
    stride = _sizes([int(s) for s in stage["stride"]])
    more += f", groups={stage['groups']}" if stage.get("groups", 1) > 1 else ""
    name = f"uncheck.layers.ResizeConv{len(stage['stride'])}d"
    return f"{name}({channels[0]}, {channels[1]}, {kernel}, scale_factor={stride}{more})"


def _odd(stage: Report, axis: int) -> int:
    """Return an odd size near that of the kernel, which keeps the output at stride times the input."""
    size = int(stage["kernel_size"][axis])
    return size if size % 2 else size - 1


def _sizes(values: list[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else f"({', '.join(map(str, values))})"


def verb(name: str, *more: str) -> Callable[[Fault], str | None]:
    """Return a writer of a command on the same network, with more words behind."""
    return lambda fault: fault.request.command(name, *more) if fault.request.target else None


def on_file(*more: str) -> Callable[[Fault], str | None]:
    """Return a writer of `uncheck measure` on the same file, with more words behind."""

    def write(fault: Fault) -> str | None:
        images = fault.report.get("images") or ()
        return shlex.join(["uncheck", "measure", images[0]["path"], *more]) if images else None

    return write


def fixed(words: str) -> Callable[[Fault], str | None]:
    """Return a writer of the same words for every fault."""
    return lambda fault: words


REPAIR = Cure(
    "repair the trained weights",
    "minutes; a dozen inputs, no training data",
    True,
    command=repair_command,
    code=repair_code,
)

SWAP = Cure(
    "exchange the layer and train on",
    "further training",
    False,
    code=swap_code("resize"),
)

LAYER = Cure(
    "in a new network, write this layer instead",
    "training anew; 1.4 times the time of the layer",
    False,
    code=layer_code(),
)
