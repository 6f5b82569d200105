"""Replace upsamplers for those who train on: layers that stay even, started from the old weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from uncheck.editing.edits import set_module
from uncheck.errors import Kind, Refused, UncheckError
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.layers.smooth import SmoothConvTranspose
from uncheck.phases import gain_spread
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.plain import Plain, as_dict
from uncheck.reading import Recording, Stage, as_found, copied, record, run
from uncheck.reading.tensors import tensors_in
from uncheck.showing import Shown
from uncheck.swapping.transfer import MAKERS, layer_kernel

NAMES = {
    "resize": "ResizeConv",
    "smooth": "SmoothConvTranspose",
    "subpixel": "SubpixelConv",
    "equal_gain": "EqualGain on its weight",
}

NORMED = "the normalisation of its weight was applied and taken off: put it on the new layer if needed"


@dataclass(frozen=True)
class Replaced(Plain):
    """One upsampler that was replaced.

    Attributes:
        path: of the layer.
        to: the new layer.
        uneven: spread of the old phase gains, 0 to 1; those of the new layer are equal.
        change: |new kernel - old kernel| / |old kernel| before gain and variance were restored.
        variance: new output variance over the old one's, for white input, mean over phases: (least, largest)
            of the output channels; 1 where the gains left room.
        notes: further sentences for the user.

    >>> print(Replaced("up", "ResizeConv", 0.5, 0.1, (1.0, 1.0)))
    up: ResizeConv, kernel changed by 0.1 of its norm
    """

    path: str
    to: str
    uneven: float
    change: float
    variance: tuple[float, float]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line."""
        return f"{self.path}: {self.to}, kernel changed by {self.change:.2g} of its norm"


Kept = Refused
"""An upsampler that stays as it was, `where`, and why: the former name."""


@dataclass(frozen=True)
class Swapped(Shown):
    """A network with its transposed convolutions replaced, to be trained on, and the account of it.

    >>> print(Swapped(nn.Identity(), (), ()))
    nothing to swap: no transposed convolution upsamples
    """

    model: nn.Module = field(repr=False)
    swapped: tuple[Replaced, ...]
    refused: tuple[Refused, ...]

    def __str__(self) -> str:
        """Return the replaced layers, the refused ones and the reasons, one a line."""
        lines = [f"swapped: {one}" for one in self.swapped] + [f"refused: {one}" for one in self.refused]
        return "\n".join(lines) or "nothing to swap: no transposed convolution upsamples"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without the network."""
        refused = [{"path": one.where, "reason": one.reason} for one in self.refused]
        return {**as_dict(self, "swapped"), "refused": refused}


def swap(model: nn.Module, example_inputs: Any, to: str = "resize", order: int = 1) -> Swapped:
    """Replace each upsampling transposed convolution, in a copy, by a layer that starts from its weights.

    The nearest kernel without ripple is corrected twice. The gain of every pair of channels, and with it the
    output for constant input, becomes the mean over the old phases. The variance of every output channel for
    white input becomes the old one's, in the mean over phases, where the gains leave room for that within a
    factor of 4 (`variance` holds the ratio reached). Output sizes are those of the old layer for every input,
    with output_padding and output_size. Biases stay.

    Args:
        model: left as it is.
        example_inputs: a tensor, or a tuple of positional inputs.
        to: "resize" (ResizeConv: stays even whatever it learns), "smooth" (SmoothConvTranspose: likewise),
            "equal_gain" (the same layer, its weight parametrised: likewise), or "subpixel" (SubpixelConv:
            starts even, and training may untie its phases).
        order: 1 for constants, 2 for linear ramps (for "resize" a linear resize); more for the others.

    Returns:
        The copy, with requires_grad and modes as in the model; the layers swapped, and those refused.

    Raises:
        UncheckError: no such replacement, or a network that cannot be run on the example.

    Cost: three forward passes, and a least-squares fit for each layer.

    >>> import torch
    >>> net = nn.Sequential(nn.ConvTranspose2d(3, 3, 4, 2, 1))
    >>> [type(layer).__name__ for layer in swap(net, torch.zeros(1, 3, 8, 8)).model]
    ['ResizeConv']
    """
    if to not in MAKERS:
        raise UncheckError(f"swap: `to` must be one of {', '.join(MAKERS)}, not {to!r}")
    inputs = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    new = copied(model, "swap")
    before, called, sized = _record(new, inputs)
    swapped: list[Replaced] = []
    refused: list[Refused] = []
    for path, module in _upsamplers(new):
        reason = _unfit(new, path, module, called)
        if reason:
            refused.append(Refused(Kind.unsupported, reason, path))
            continue
        kernel, flags = layer_kernel(module), _flags(module)
        normed = parametrize.is_parametrized(module, "weight") or "weight" not in module._parameters
        try:
            fit = MAKERS[to](module, kernel, order, path in sized)
        except UncheckError as error:
            refused.append(Refused(Kind.unsupported, str(error), path))
            continue
        for name, parameter in fit.up.named_parameters():
            parameter.requires_grad = flags[name.endswith("bias")]
        if fit.layer is not module:
            set_module(new, path, fit.layer.train(module.training))
        notes = (NORMED,) if normed else ()
        swapped.append(Replaced(path, NAMES[to], gain_spread(kernel), fit.change, fit.variance, notes))
    paths = {one.path for one in swapped} | {one.where for one in refused}
    for stage in before.stages:
        if stage.kind == "transposed" and not stage.call and stage.key.module not in paths:
            refused.append(_not_ours(new, stage))
    _check_runs(new, inputs, before)
    return Swapped(new, tuple(swapped), tuple(refused))


def _record(model: nn.Module, inputs: tuple[Any, ...]) -> tuple[Recording, set[str], set[str]]:
    """Return the recording, the upsamplers that ran, and those of them that were given an output_size."""
    called: set[str] = set()
    sized: set[str] = set()
    handles = []
    for path, module in _upsamplers(model):

        def seen(_: nn.Module, args: Any, kwargs: Any, path: str = path) -> None:
            called.add(path)
            given = args[1] if len(args) > 1 else kwargs.get("output_size")
            if given is not None:
                sized.add(path)

        handles.append(module.register_forward_pre_hook(seen, with_kwargs=True))
    try:
        recording = record(model, *inputs)
    finally:
        for handle in handles:
            handle.remove()
    return recording, called, sized


def _upsamplers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    return [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, CONV_TRANSPOSES) and max(module.stride) > 1
    ]


def _unfit(model: nn.Module, path: str, module: nn.Module, called: set[str]) -> str:
    """Return why a transposed convolution cannot be replaced; "" where it can."""
    if path not in called:
        return "the example never ran it"
    if not path:
        return "it is the whole model: put it into a module of its own"
    if type(module).forward not in [kind.forward for kind in CONV_TRANSPOSES]:
        return f"{type(module).__name__} has a forward of its own, which a replacement would not run"
    own = {id(part) for part in module.modules()}
    values = {id(parameter) for parameter in module.parameters()}
    for name, other in model.named_modules():
        if id(other) not in own and any(id(p) in values for p in other._parameters.values()):
            return f"it shares a parameter with {name or 'the model'}: give each its own first"
    return ""


def _not_ours(model: nn.Module, stage: Stage) -> Refused:
    module = model.get_submodule(stage.key.module)
    if isinstance(module, PhaseConvTranspose | SmoothConvTranspose):
        reason = f"it is a {type(module).__name__} already: keep_even keeps its gains equal"
        return Refused(Kind.unsupported, reason, stage.key.module)
    reason = "it is called as a function: call a torch.nn.ConvTranspose module instead"
    return Refused(Kind.unsupported, reason, stage.name)


def _flags(module: nn.Module) -> tuple[bool, bool]:
    """Test whether the weight and the bias are trained."""
    bias = module._parameters.get("bias")
    weights = [p for name, p in module.named_parameters() if name != "bias"]
    return any(p.requires_grad for p in weights), bias is not None and bias.requires_grad


def _check_runs(model: nn.Module, inputs: tuple[Any, ...], before: Recording) -> None:
    """Refuse a network whose forward needs more of the old layers than their outputs."""
    with as_found(model):
        after = run(model, inputs)
    old, new = ([list(x.shape) for x in tensors_in(output)] for output in (before.output, after))
    if old != new:
        raise UncheckError(f"after the swap the output sizes were {new} instead of {old}: swap by hand")
