"""Names of layers: quoted, with their type, as they stand in the user's code."""

from __future__ import annotations

from uncheck.advising.fault import Report
from uncheck.words import sizes

#: Types by kind of stage, where the report does not tell.
_TYPES = {
    "transposed": "ConvTranspose",
    "sub-pixel": "PixelShuffle",
    "un-patchify": "un-patchify",
    "unpool": "MaxUnpool",
}


def name_of(stage: Report) -> str:
    """Return the quoted name of a layer, or what is called where: "F.interpolate called in `0`".

    >>> name_of({"name": "0.interpolate", "type": "F.interpolate"})
    'F.interpolate called in `0`'
    >>> name_of({"name": "up", "call": 1})
    '`up` (call 2)'
    """
    again = f" (call {stage['call'] + 1})" if stage.get("call") else ""
    if function := _function(stage):
        caller = stage["name"].rpartition(".")[0]
        where = f"`{caller}`" if caller else "the model's forward"
        return f"{function} called in {where}{again}"
    return f"`{stage['name']}`{again}" if stage["name"] else f"the model itself{again}"


def typed_name(stage: Report) -> str:
    """Return the name of a layer with its type: "`2` (ConvTranspose2d)".

    >>> typed_name({"name": "2", "kind": "transposed", "stride": [2, 2]})
    '`2` (ConvTranspose2d)'
    """
    return name_of(stage) if _function(stage) else f"{name_of(stage)} ({type_of(stage)})"


def full_name(stage: Report) -> str:
    """Return the name of a layer with type, kernel and stride.

    >>> full_name({"name": "2", "kind": "transposed", "stride": [2, 2], "kernel_size": [3, 3]})
    '`2` (ConvTranspose2d 3x3, stride 2)'
    """
    kernel = "x".join(f"{n:g}" for n in stage["kernel_size"])
    built = f"{kernel}, stride {sizes(stage['stride'])}"
    if _function(stage):
        return f"{name_of(stage)} (x {sizes(stage['stride'])})"
    return f"{name_of(stage)} ({type_of(stage)} {built})"


def type_of(stage: Report) -> str:
    """Return the class of a layer, or the function called."""
    if stage.get("type"):
        return str(stage["type"])
    kind, ndim = stage["kind"], len(stage["stride"])
    name = _TYPES.get(kind, "Upsample")
    return f"{name}{ndim}d" if name in ("ConvTranspose", "MaxUnpool") else name


def _function(stage: Report) -> str:
    """Return the function, where no layer made the stage; "" if one did."""
    kind = str(stage.get("type") or "")
    return kind if kind.startswith(("F.", "torch.", "Tensor.")) else ""
