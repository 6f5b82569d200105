"""From what was recorded to places in the code, which may run several times and must be alike each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from uncheck.errors import Kind, Refusal, Refused
from uncheck.fusing.sites import Pad, Site, whole_padding
from uncheck.layers.algebra import Fusing, fusing
from uncheck.reading.graph import Graph, Node
from uncheck.reading.leave import HOOKS

BatchNorm = nn.modules.batchnorm._BatchNorm


@dataclass(frozen=True)
class Call:
    """A call in the code.

    Attributes:
        module: path of the layer that makes it, or of the module whose forward does.
        function: name of the torch function.
        place: how many calls of it come before, each time the enclosing module runs.
        times: how many there are, each time the enclosing module runs.
        layer: whether a torch.nn layer makes it.
    """

    module: str
    function: str
    place: int
    times: int
    layer: bool


@dataclass(frozen=True)
class Place:
    """A resize and a convolution in the code, to become one layer.

    Attributes:
        site: as recorded first.
        module: path of the innermost module that encloses all its calls; its forward has to change.
        runs: how often that module ran.
        resize: the resize in the code.
        conv: the convolution in the code.
        norm: path of the BatchNorm to fold, None if there is none.
        padding: kind and amounts, everything between taken together.
        fused: the algebra's plan.
        once: whether no layer of it is called anywhere else.
        notes: what else to know.
    """

    site: Site
    module: str
    runs: int
    resize: Call
    conv: Call
    norm: str | None
    padding: Pad
    fused: Fusing
    once: bool
    notes: tuple[str, ...] = ()


class Planner:
    """Finds the places of recorded sites.

    Args:
        net: the network that was recorded.
        graph: its graph.
        runs: how often each module ran, by path.
    """

    def __init__(self, net: nn.Module, graph: Graph, runs: Mapping[str, int]) -> None:
        self._modules = dict(net.named_modules())
        self._graph = graph
        self._runs = runs
        self._count = Counter((path, name) for path, name, _ in {_key(node) for node in graph.nodes})
        self._owners = Counter(id(p) for m in net.modules() for p in m._parameters.values() if p is not None)

    def places(self, sites: Sequence[Site | Refused]) -> tuple[list[Place], list[Refused]]:
        """Return the places to rewrite, and the refusals."""
        refused = [one for one in sites if isinstance(one, Refused)]
        groups: dict[tuple[str, Call], list[Place]] = {}
        for site in sites:
            if isinstance(site, Refused):
                continue
            try:
                place = self._place(site)
                groups.setdefault((place.module, place.resize), []).append(place)
            except Refusal as reason:
                refused.append(Refused(Kind.unsupported, str(reason), site.name))
        places = []
        for group in groups.values():
            try:
                places.append(self._alike(group))
            except Refusal as reason:
                refused.append(Refused(Kind.unsupported, str(reason), group[0].site.name, len(group)))
        return places, refused

    def _place(self, site: Site) -> Place:
        module = self._enclosing([*site.calls[: len(site.between) + 1], site.conv])
        runs = self._runs.get(module, 0)
        if not runs:
            raise Refusal("the module that encloses it was not seen running")
        pads = (*site.pads, site.own)
        kind, amount = whole_padding(pads, len(site.factor))
        try:
            fused = fusing(site.plain.kernel_size, site.factor, site.kind, amount, kind, site.plain.dilation)
        except ValueError as reason:
            raise Refusal(str(reason)) from reason
        before = prod(site.factor) * prod(site.plain.kernel_size)
        if prod(fused.taps) > before:
            raise Refusal(
                f"fused with {site.conv.label} it would take {prod(fused.taps)} multiplications per "
                f"input position and pair of channels, instead of {before}"
            )
        resize, conv = self._call(site.resize, runs), self._call(site.conv, runs)
        for node in (site.resize, *site.between, site.conv):
            self._check_hooks(node, module)
        self._check_own(site, conv, runs)
        norm, notes = self._norm(site, module, runs)
        once = all(self._times(node) == runs for node in (site.resize, *site.between))
        return Place(site, module, runs, resize, conv, norm, (kind, amount), fused, once, notes)

    def _alike(self, group: list[Place]) -> Place:
        """One place from the times it ran."""
        first = group[0]
        if len(group) != first.runs:
            raise Refusal(f"only {len(group)} of the {first.runs} times it runs it could be fused")
        for other in group[1:]:
            same = replace(other, site=first.site)
            weights = (other.site.plain.weight, first.site.plain.weight)
            if same != first or not _equal(*weights) or other.site.sized != first.site.sized:
                raise Refusal("it is not alike each time it runs")
        return first

    def _enclosing(self, nodes: Sequence[Node]) -> str:
        """Path of the innermost module that runs all these calls."""
        holders = [self._holder(node.key.module) for node in nodes]
        parts = [holder.split(".") if holder else [] for holder in holders]
        common: list[str] = []
        for names in zip(*parts, strict=False):
            if len(set(names)) > 1:
                break
            common.append(names[0])
        while common and ".".join(common) not in self._runs:
            common.pop()  # a list of modules runs nothing itself
        return ".".join(common)

    def _holder(self, path: str) -> str:
        return path.rpartition(".")[0] if is_layer(self._modules[path]) else path

    def _call(self, node: Node, runs: int) -> Call:
        path, name, occurrence = _key(node)
        total = self._count[path, name]
        if total % runs:
            raise Refusal(f"{node.label} does not run as often each time")
        times = total // runs
        return Call(path, name, occurrence % times, times, is_layer(self._modules[path]))

    def _times(self, node: Node) -> int:
        return self._count[_key(node)[:2]]

    def _check_hooks(self, node: Node, module: str) -> None:
        """Refuse hooks that would see other tensors, or none."""
        path = node.key.module
        while path != module and path:
            found = self._modules[path]
            if has_hooks(found):
                raise Refusal(f"{path} has hooks, which would see something else")
            if "forward" in vars(found):
                raise Refusal(f"the forward of {path} was replaced")
            path = path.rpartition(".")[0]

    def _check_own(self, site: Site, conv: Call, runs: int) -> None:
        if not conv.layer:
            return
        if self._times(site.conv) != runs:
            raise Refusal(f"{conv.module} is called elsewhere, too")
        for parameter in self._modules[conv.module]._parameters.values():
            if parameter is not None and self._owners[id(parameter)] > 1:
                raise Refusal(f"{conv.module} shares its weights with another layer")

    def _norm(self, site: Site, module: str, runs: int) -> tuple[str | None, tuple[str, ...]]:
        """Return the BatchNorm to fold; else the reason why none is."""
        if site.norm is None:
            return None, ()
        path = site.norm.key.module
        norm = self._modules[path]
        reason = ""
        if not isinstance(norm, BatchNorm) or not is_layer(norm):
            reason = "it is no plain BatchNorm"
        elif norm.training:
            reason = "it is in training mode"
        elif norm.running_mean is None or norm.running_var is None:
            reason = "it uses the statistics of the batch"
        elif self._times(site.norm) != runs:
            reason = "it is called elsewhere, too"
        elif not _within(self._holder(path), module):
            reason = "it lies in another module"
        elif any(p is not None and self._owners[id(p)] > 1 for p in norm._parameters.values()):
            reason = "it shares its weights with another layer"
        if not reason:
            try:
                self._check_hooks(site.norm, module)
            except Refusal as hooked:
                reason = str(hooked)
        if reason:
            return None, (f"{path} was not folded: {reason}",)
        return path, ()


def is_layer(module: nn.Module) -> bool:
    """Test whether a module runs torch's own forward, and no module inside it."""
    if isinstance(module, torch.jit.ScriptModule):
        return False
    forward = str(getattr(type(module).forward, "__module__", ""))
    parts = [name for name, _ in module.named_children() if name != "parametrizations"]
    return forward.startswith("torch.nn.modules") and not parts


def has_hooks(module: nn.Module) -> bool:
    """Test whether a module has hooks, but for those that make its weight."""
    hooks = [hook for name in HOOKS for hook in vars(module).get(name, {}).values()]
    return any(not isinstance(hook, WeightNorm | SpectralNorm) for hook in hooks)


def _within(path: str, module: str) -> bool:
    return not module or path == module or path.startswith(f"{module}.")


def _key(node: Node) -> tuple[str, str, int]:
    return node.key.module, node.key.function, node.key.occurrence


def _equal(a: Tensor | None, b: Tensor | None) -> bool:
    return a is b or (a is not None and b is not None and torch.equal(a, b))
