"""A network between two training steps: runs without side effects, its layers and its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parallel import DataParallel, DistributedDataParallel

from uncheck.errors import UncheckError
from uncheck.reading import as_found, eagerly
from uncheck.reading.outputs import largest_maps, maps_in
from uncheck.reading.tensors import NestPath, replace_tensors, tensors_in

#: Attributes of layers that change what they compute.
SETTINGS = (
    "stride", "kernel_size", "padding", "output_padding", "dilation", "groups", "padding_mode",
    "scale_factor", "size", "mode", "align_corners", "upscale_factor",
)  # fmt: skip

Choice = int | str | Callable[[Any], Any] | None
"""The index or key of an output, or what takes it from what the network returned; None: the largest map."""


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the network inside DataParallel or DistributedDataParallel, whose forward waits for others."""
    while isinstance(model, DataParallel | DistributedDataParallel):
        model = model.module
    return model


@contextmanager
def undisturbed(model: nn.Module | None = None) -> Iterator[None]:
    """Set eval mode without autocast or compilation; put everything back after, random states too.

    Inside or outside a user's autocast, the numbers are those of the weights as they are. None does the same
    for modules that are not known before they run, and without gradients.
    """
    known: set[int] = set()
    with ExitStack() as stack:

        def keep(module: nn.Module, _: Any = None) -> None:
            if id(module) not in known:
                known.update(map(id, module.modules()))
                stack.enter_context(as_found(module))

        keep(nn.Module() if model is None else model)
        stack.enter_context(eagerly())
        if model is None:
            devices = {"cpu", *(["cuda"] if torch.is_autocast_enabled("cuda") else [])}
            stack.enter_context(torch.no_grad())
            stack.callback(register_module_forward_pre_hook(keep).remove)
        else:
            devices = {next((p.device.type for p in model.parameters()), "cpu")}
        for device in devices:
            stack.enter_context(torch.autocast(device, enabled=False))
        yield


def placed(model: nn.Module, inputs: Any) -> tuple[Any, ...]:
    """Copy positional inputs to the device of the model, numbers in the model's precision."""
    weight = weight_of(model)

    def place(x: Tensor) -> Tensor:
        dtype = weight.dtype if x.is_floating_point() else x.dtype
        return x.detach().to(device=weight.device, dtype=dtype, copy=True)

    values = inputs if isinstance(inputs, tuple) else (inputs,)
    out: tuple[Any, ...] = tuple(replace_tensors(value, place) for value in values)
    return out


def first_sample(inputs: Any) -> Any:
    """Return the first of a batch of inputs: reading stages needs no more."""
    count = next((t.shape[0] for t in tensors_in(inputs) if t.ndim), 0)
    return replace_tensors(inputs, lambda t: t[:1] if t.ndim and t.shape[0] == count else t)


def structure(model: nn.Module) -> tuple[object, ...]:
    """Return a fingerprint of the layers, without weight values."""
    return tuple(
        (
            name,
            type(module).__qualname__,
            tuple((key, None if p is None else tuple(p.shape)) for key, p in module._parameters.items()),
            tuple(str(vars(module).get(setting)) for setting in SETTINGS),
        )
        for name, module in unwrapped(model).named_modules()
    )


def weight_of(model: nn.Module) -> Tensor:
    """Return the weight whose device and precision stand for the model's."""
    return next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))


def outputs_on(model: nn.Module, inputs: Callable[[], Any], choice: Choice) -> tuple[Tensor, str]:
    """Return the images that the model makes of inputs, undisturbed, and a note if several outputs fit."""
    model = unwrapped(model)
    with undisturbed(model), torch.no_grad():
        return chosen(model(*placed(model, inputs())), choice)


def chosen(returned: Any, choice: Choice) -> tuple[Tensor, str]:
    """Return the images (N, C, *spatial), and a note if several outputs fit.

    Without a choice as `uncheck.inspect` chooses, see `maps_in`.
    """
    what = "the network returned"
    if callable(choice):
        returned, what = choice(returned), "the callable that was given as output returned"
    elif choice is not None:
        if isinstance(choice, str) and hasattr(returned, choice) and not isinstance(returned, Mapping):
            returned = getattr(returned, choice)
        else:
            try:
                returned = returned[choice]
            except (KeyError, IndexError, TypeError):
                raise UncheckError(
                    f"the network returned no output {choice!r}, but a {type(returned).__name__}; "
                    "give the index or key of one of its outputs"
                ) from None
        what = f"output {choice!r} is"
    maps = maps_in(returned, None, strict=True)
    if not maps:
        raise UncheckError(f"{what} no tensor (N, C, *spatial); wrap it to return its images, or name them")
    path, images = largest_maps(maps)[0]
    if len(maps) == 1:
        return images, ""
    others = ", ".join(f"{_named(one)} {tuple(t.shape[1:])}" for one, t in maps if one != path)
    return images, (
        f"of several outputs {_named(path)} {tuple(images.shape[1:])} is measured, not {others}; "
        "give output, the index or key, for another"
    )


def _named(path: NestPath) -> str:
    return "output" + "".join(f"[{key!r}]" for key in path)
