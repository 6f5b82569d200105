"""Resizes that are put off until something takes them: a convolution that can does both steps in one."""

from __future__ import annotations

import functools
import re
import weakref
from collections.abc import Callable
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from uncheck.fusing.sites import Pad, plan_fusing, read_pad, read_resize, total_padding
from uncheck.layers.algebra import fuse_weight
from uncheck.layers.forms import cut_ends, input_pads, pad_input, transposed_form
from uncheck.layers.rule import exporting, tracing
from uncheck.phases.axes import conv_transpose
from uncheck.reading.calls import SIGNATURES, torch_sizes
from uncheck.reading.tables import is_in_place
from uncheck.reading.tensors import replace_tensors, tensors_in

CONVOLUTIONS = (torch.conv1d, torch.conv2d, torch.conv3d)
#: Functions that write to their first argument; torch.compile does not know those called resize.
WRITING = frozenset(
    getattr(home, name)
    for home in (Tensor, torch, F)
    for name in dir(Tensor) + dir(F)
    if name == "__setitem__" or (is_in_place(name) and not re.match("_[^_]|resize", name))
    if callable(getattr(home, name, None))
)
#: What a resize does not change; anything else that code asks of the resized tensor makes it.
SAME = frozenset({"dtype", "device", "is_cuda", "layout", "ndim", "dim", "is_floating_point"})


class LazyResize:
    """A resized tensor that is made when something other than padding or a convolution takes it.

    It answers like the tensor it stands for, and passes for one. `call` (function, positional and keyword
    arguments) makes it of `low`, the tensor before the resize of this kind and factor per axis; `pads` are
    the paddings after it, in order.
    """

    # It passes for a tensor; but what torch.compile imagines of it has no attributes, and must not.
    __class__ = property(lambda self: Tensor if vars(self) else LazyResize)

    def __init__(
        self,
        mode: Laziness,
        call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]],
        low: Tensor,
        kind: str,
        factor: tuple[int, ...],
        pads: tuple[Pad, ...] = (),
    ) -> None:
        self._mode, self._call, self._made = mode, call, None
        self.low, self.kind, self.factor, self.pads = low, kind, factor, pads
        self._state = _state()
        mode.started = True
        mode.waiting.append(self)

    def made(self) -> Any:
        """Return the resized tensor, under the grad mode and autocast it was asked for under."""
        if self._made is None:
            function, args, kwargs = self._call
            args = tuple(tree_map(made, args))
            self._mode.making = True
            if self._state == _state():
                self._made = function(*args, **kwargs)
            else:
                grad, cpu, cuda = self._state
                with (
                    torch.set_grad_enabled(grad),
                    torch.autocast("cpu", enabled=cpu),
                    torch.autocast("cuda", enabled=cuda),
                ):
                    self._made = function(*args, **kwargs)
            self._mode.making = False
            self._mode.waiting = [one for one in self._mode.waiting if one is not self]
        return self._made

    def fits(self, kind: str, factor: tuple[int, ...], pads: tuple[Pad, ...]) -> bool:
        """Return whether a layer made for this resize and these paddings can do it."""
        return self._is_open() and (self.kind, self.factor, self.pads) == (kind, factor, pads)

    def padded(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyResize | None:
        """Return the padded tensor, put off as well; None if a convolution cannot do this padding."""
        given = dict(zip(SIGNATURES["pad"].split(), args, strict=False)) | kwargs
        flat, ndim = given["pad"], len(self.factor)
        if not self._is_open() or not flat or not all(isinstance(n, int) for n in flat):
            return None
        mode = given.get("mode", "constant")
        if mode == "constant" and not given.get("value"):
            mode = "zero"
        pad = read_pad(mode, tuple(zip(flat[-2::-2], flat[::-2], strict=True)), ndim)
        if isinstance(pad, str):
            return None
        call = (F.pad, (self, *args[1:]), kwargs)
        return LazyResize(self._mode, call, self.low, self.kind, self.factor, (*self.pads, pad))

    def convolved(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        """Return resize, padding and convolution in one; None if they are not one layer."""
        given = dict(zip(SIGNATURES["conv2d"].split(), args, strict=False)) | kwargs
        weight, ndim = given["weight"], len(self.factor)
        if not self._is_open() or is_lazy(weight) or weight.ndim != self.low.ndim:
            return None
        kernel, dilation = tuple(weight.shape[2:]), torch_sizes(given.get("dilation"), ndim)
        padding = given.get("padding")
        if isinstance(padding, str):  # torch puts the odd one of "same" at the end
            total = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)]
            own = tuple((t // 2, t - t // 2) for t in total)
        else:
            own = tuple((p, p) for p in torch_sizes(padding, ndim, 0))
        whole = total_padding((*self.pads, ("zeros", own)), ndim)
        if isinstance(whole, str) or max(torch_sizes(given.get("stride"), ndim)) > 1:
            return None
        plan = plan_fusing(kernel, self.factor, self.kind, whole, dilation)
        if isinstance(plan, str):
            return None
        form, groups = transposed_form(plan), given.get("groups", 1)
        fused = fuse_weight(weight, self.factor, self.kind, dilation, groups)
        x, bias = pad_input(self.low, input_pads(plan)), given.get("bias")
        y = conv_transpose(x, fused, bias, form.stride, form.padding, form.output_padding, groups)
        return cut_ends(y, form.cut)

    def _is_open(self) -> bool:
        return self._made is None and self._state == _state()

    @property
    def shape(self) -> torch.Size:
        """Shape of the resized tensor."""
        sizes = [f * n for f, n in zip(self.factor, self.low.shape[2:], strict=True)]
        for _, amount in self.pads:
            sizes = [n + start + end for n, (start, end) in zip(sizes, amount, strict=True)]
        return torch.Size([*self.low.shape[:2], *sizes])

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or one entry of it."""
        return self.shape if dim is None else self.shape[dim]

    def contiguous(self, **_: Any) -> LazyResize:
        """Return itself: what takes it decides the layout."""
        return self

    def __getattr__(self, name: str) -> Any:
        private = name[0] == "_" != name[1]  # asked by torch itself, and by watchers
        return getattr(self.low if private or name in SAME else self.made(), name)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})


def _operator(name: str) -> Callable[..., Any]:
    def method(self: LazyResize, *args: Any) -> Any:
        return getattr(self.made(), name)(*tree_map(made, args))

    return method


_OWN = {"__dict__", "__module__", "__weakref__", "__torch_function__", "__torch_dispatch__"}
_BOTH = {f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "repr", "format", "reduce_ex")}
for _name in ({name for name in dir(Tensor) if name[:2] == "__"} - set(dir(object)) - _OWN) | _BOTH:
    if callable(getattr(Tensor, _name)):
        setattr(LazyResize, _name, _operator(_name))


class Laziness(TorchFunctionMode):
    """A mode that puts off every resize that a convolution could do; before a write all are made.

    `waiting` is what is not made yet, `making` says whether one of them is being made.
    """

    #: Tells the layers of this package that nobody watches their calls.
    defers = True

    def __init__(self) -> None:
        super().__init__()
        self.started, self.making = False, False
        self.waiting: list[LazyResize] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.interpolate and not self.making:
            lazy = self._put_off(args, kwargs)
            if lazy is not None:
                return lazy
        if not self.started:
            return func(*args, **kwargs)
        if self.waiting and _writes(func, args, kwargs):
            for one in tuple(self.waiting):
                one.made()
        return _call(func, args, kwargs)

    def finish(self) -> None:
        """Make what code outside still holds, while its inputs are what they were."""
        held = [weakref.ref(one) for one in self.waiting]
        self.waiting = []
        for one in held:
            made(one())

    def _put_off(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyResize | None:
        args = tuple(tree_map(made, args))
        given = dict(zip(SIGNATURES["interpolate"].split(), args, strict=False)) | kwargs
        low = given["input"]
        if given.get("size") is not None and (tracing() or exporting()):
            return None  # an exported graph has one way for all sizes: the one that is right for all
        read = read_resize(given, low.shape[2:])
        if isinstance(read, str) or max(read[1]) == 1:
            return None
        return LazyResize(self, (F.interpolate, args, kwargs), low, *read)


def is_lazy(value: Any) -> TypeGuard[LazyResize]:
    """Return whether a value is a lazy resize; it passes for a tensor, so `isinstance` cannot tell."""
    return type(value) is LazyResize


def made(value: Any) -> Any:
    """Return the tensor that a lazy resize stands for; any other value as it is."""
    return value.made() if is_lazy(value) else value


def lazy_class(base: type[nn.Module]) -> type[nn.Module]:
    """Return a subclass whose forward is the same, but puts its resizes off."""
    if getattr(base, "defers", False):
        return base
    if base not in _CLASSES:

        @functools.wraps(base.forward)
        def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
            mode = Laziness()
            with mode:
                result = base.forward(self, *args, **kwargs)
                # Only where needed: containers of the user's own kinds stay what they are.
                if any(map(is_lazy, tensors_in(result))):
                    result = replace_tensors(result, made)
            if not torch.compiler.is_compiling():
                mode.finish()
            return result

        def __reduce_ex__(self: nn.Module, protocol: Any) -> Any:
            return _blank, (base,), self.__getstate__()  # type: ignore[no-untyped-call]

        about = {"__module__": base.__module__, "__doc__": base.__doc__, "__reduce_ex__": __reduce_ex__}
        made_of = {**about, "forward": forward, "defers": True}
        _CLASSES[base] = type(f"Fused{base.__name__}", (base,), made_of)
    return _CLASSES[base]


_CLASSES: dict[type[nn.Module], type[nn.Module]] = {}


def _blank(base: type[nn.Module]) -> nn.Module:
    """Return an instance without attributes, for pickle and copy to fill."""
    kind = lazy_class(base)
    return kind.__new__(kind)


def _call(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    first = args[0] if args else kwargs.get("input")
    if is_lazy(first):
        found: Any = None
        if func is F.pad:
            found = first.padded(args, kwargs)
        elif func in CONVOLUTIONS:
            found = first.convolved(args, kwargs)
        if found is not None:
            return found
    return func(*tree_map(made, args), **tree_map(made, kwargs))


def _writes(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a call may write to a tensor; `F.relu(x, True)` is told from nothing by its flag."""
    flagged = kwargs.get("inplace") or kwargs.get("out") is not None or any(arg is True for arg in args)
    return bool(flagged) or func in WRITING


def _state() -> tuple[bool, bool, bool]:
    cpu, cuda = (torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda"))
    return torch.is_grad_enabled(), cpu, cuda
