"""Places of a network where it resizes and convolves, each with all its recorded sites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import fx, nn
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from uncheck.errors import Kind, Refusal, Refused
from uncheck.fusing.layers import BatchNorm, fused_layer
from uncheck.fusing.lazy import lazy_class
from uncheck.fusing.result import Fused
from uncheck.fusing.sites import Site
from uncheck.layers.resize import ResizeConv
from uncheck.reading import as_found
from uncheck.reading.calls import convolution
from uncheck.reading.graph import Graph, Node
from uncheck.reading.leave import HOOKS


@dataclass(frozen=True)
class Place:
    """A resize and a convolution in the code.

    Attributes:
        sites: as recorded, one for each time it ran; they are alike.
        module: path of the innermost module that encloses all its calls.
        conv: what the convolution goes by.
        layer: path of the convolution's layer to exchange; None where its weight is fused as it runs.
        norm: path of the BatchNorm to fold, None if there is none.
        chain: whether it is a chain of layers in an nn.Sequential, of which nothing else sees the inside.
        notes: what else to know.
    """

    sites: tuple[Site, ...]
    module: str
    conv: str
    layer: str | None
    norm: str | None
    chain: bool
    notes: tuple[str, ...]

    @property
    def account(self) -> Fused:
        """The entry in the report."""
        site = self.sites[0]
        return Fused(
            site.resize.label,
            self.conv,
            site.factor,
            site.kind,
            tuple(site.plain.kernel_size),
            site.padding[1],
            site.padding[0],
            self.norm,
            len(self.sites),
            self.notes,
        )


class Planner:
    """A finder of the places of recorded sites.

    `again` is the graph on another input, if there is one. By path, `runs` says how often each module ran,
    and `kept` the attribute in which it kept a tensor of its forward.
    """

    def __init__(
        self,
        net: nn.Module,
        graph: Graph,
        again: Graph | None,
        runs: Mapping[str, int],
        kept: Mapping[str, str],
    ) -> None:
        self._kept = kept
        self._modules, self._runs, self._graph, self._again = dict(net.named_modules()), runs, graph, again
        self._paths = {id(module): path for path, module in self._modules.items()}
        keys = {(node.key.module, node.key.function, node.key.occurrence) for node in graph.nodes}
        self._calls = Counter((path, name) for path, name, _ in keys)
        self._owners = Counter(id(p) for m in net.modules() for p in m._parameters.values() if p is not None)

    def places(self, sites: Sequence[Site]) -> tuple[list[Place], list[Refused]]:
        """Return the places to rewrite, and the refusals."""
        groups: dict[object, list[Site]] = {}
        for site in sites:
            like = (site.factor, site.kind, site.pads, site.own, site.plain.kernel_size, site.plain.dilation)
            key = (site.resize.label, self._conv_name(site), self._enclosing(site.calls), like)
            groups.setdefault(key, []).append(site)
        places, refused = [], []
        for group in groups.values():
            try:
                places.append(self._place(group))
            except Refusal as refusal:
                name, reason = group[0].resize.label, refusal.refused.reason
                refused.append(Refused(Kind.unsupported, reason, name, len(group)))
        return places, refused

    def _place(self, group: list[Site]) -> Place:
        site = group[0]
        path = self._enclosing(site.calls)
        names = self._chain(path)
        if isinstance(self._modules[site.resize.key.module], ResizeConv):
            raise Refusal("this layer fuses its weight while it runs, and has hooks or a forward of its own")
        why_not = self._why_not_exchanged(group)
        chain = not why_not and self._is_chain(group, names)
        for node in site.calls:
            self._check_forward(node.key.module, path)
        if not chain:
            self._check_inside(path)
            self._check_between(site, names)
            self._check_kept(path)
        if why_not and site.conv.name.startswith("conv_transpose"):
            raise Refusal(f"{site.conv.label} {why_not}; the weight of a transposed one is not fused")
        layer = None if why_not else site.conv.key.module
        norm, notes = self._norm(site, path, why_not, names)
        return Place(tuple(group), path, self._conv_name(site), layer, norm, chain, notes)

    def _conv_name(self, site: Site) -> str:
        path = site.conv.key.module
        return path if is_layer(self._modules[path]) else f"{path}.{site.conv.key.function}".lstrip(".")

    def _enclosing(self, nodes: Sequence[Node]) -> str:
        """Return the path of the innermost module that runs all these calls."""
        holders = [self._holder(node).split(".") for node in nodes]
        common: list[str] = []
        for names in zip(*holders, strict=False):
            if len(set(names)) > 1:
                break
            common.append(names[0])
        while common and ".".join(common) not in self._runs:
            common.pop()  # a list of modules runs nothing itself
        return ".".join(common)

    def _holder(self, node: Node) -> str:
        path = node.key.module
        return path.rpartition(".")[0] if is_layer(self._modules[path]) else path

    def _chain(self, path: str) -> list[str]:
        """Return the paths of the layers that an nn.Sequential runs one after the other, nested or not."""
        module = self._modules[path]
        if type(module) is nn.Identity and not has_hooks(module):
            return []
        if type(module) is not nn.Sequential or "forward" in vars(module):
            return [path]
        children = [self._paths[id(child)] for child in module]
        nested = [[p] if has_hooks(self._modules[p]) else self._chain(p) for p in children]
        return [p for paths in nested for p in paths]

    def _is_chain(self, group: list[Site], names: list[str]) -> bool:
        site = group[0]
        paths = [node.key.module for node in site.calls]
        once = all(
            self._times(node) == len(group) and names.count(node.key.module) == 1 for node in site.calls
        )
        if site.sized or not once or any(has_hooks(self._modules[path]) for path in paths):
            return False
        first = names.index(paths[0])
        return names[first : first + len(paths)] == paths

    def _times(self, node: Node) -> int:
        return self._calls[node.key.module, node.key.function]

    def _check_forward(self, path: str, enclosing: str) -> None:
        while path and path != enclosing:
            if "forward" in vars(self._modules[path]):
                raise Refusal(f"the forward of {path} was replaced")
            path = path.rpartition(".")[0]

    def _check_inside(self, path: str) -> None:
        """Refuse a module in which a hook or a script could observe a deferred resize."""
        module = self._modules[path]
        if not self._runs.get(path):
            raise Refusal("the module that encloses it was not seen running")
        if "forward" in vars(module):
            raise Refusal("the forward of the module that encloses it was replaced")
        for name, inner in module.named_modules(prefix=path):
            if inner is not module and has_hooks(inner):
                raise Refusal(f"{name} has hooks, which would see something else")
            if isinstance(inner, torch.jit.ScriptModule):
                raise Refusal(f"{name} beside it is TorchScript")

    def _check_kept(self, path: str) -> None:
        """Refuse a module that keeps tensors of its forward: one could be a resize that is put off."""
        for name, _ in self._modules[path].named_modules(prefix=path):
            if name in self._kept:
                who = f"the forward of {name}" if name else "its forward"
                raise Refusal(f"{who} keeps a tensor in the attribute {self._kept[name]!r}")

    def _check_between(self, site: Site, names: list[str]) -> None:
        """Refuse a layer of an nn.Sequential that is given the resized tensor, and may keep it."""
        paths = [node.key.module for node in site.calls]
        if paths[0] in names and paths[-1] in names:
            for name in names[names.index(paths[0]) : names.index(paths[-1])]:
                if name not in paths:
                    raise Refusal(f"{name} is given what it makes, and may keep it")

    def _why_not_exchanged(self, group: list[Site]) -> str:
        """Return why the convolution is no layer whose weight can be fused once and for all."""
        conv = group[0].conv
        module = self._modules[conv.key.module]
        if not is_layer(module):
            return "is no layer of torch's"
        if self._times(conv) != len(group):
            return "is called elsewhere, too"
        if self._shares(module):
            return "shares its weights with another layer"
        if any(site.live for site in group) or not self._is_steady(conv):
            return "has a weight that is another each time"
        return ""

    def _is_steady(self, conv: Node) -> bool:
        if self._again is None:
            return True
        weights = []
        for graph in (self._graph, self._again):
            found = next((convolution(node) for node in graph.nodes if node.key == conv.key), None)
            weights.append((None, None) if found is None else (found.weight, found.bias))
        (weight, bias), (other, shift) = weights
        pairs = ((weight, other), (bias, shift))
        return all(a is b or (a is not None and b is not None and torch.equal(a, b)) for a, b in pairs)

    def _shares(self, module: nn.Module) -> bool:
        return any(p is not None and self._owners[id(p)] > 1 for p in module._parameters.values())

    def _norm(
        self, site: Site, module: str, why_not: str, names: list[str]
    ) -> tuple[str | None, tuple[str, ...]]:
        """Return the BatchNorm to fold; else a note why not."""
        if site.norm is None:
            return None, ()
        path, conv = site.norm.key.module, site.conv.key.module
        norm = self._modules[path]
        reason = ""
        if why_not:
            reason = f"{site.conv.label} {why_not}"
        elif not isinstance(norm, BatchNorm) or not is_layer(norm):
            reason = "it is no plain BatchNorm"
        elif norm.training:
            reason = "it is in training mode"
        elif norm.running_mean is None or norm.running_var is None:
            reason = "it uses the statistics of the batch"
        elif self._times(site.norm) != self._times(site.conv):
            reason = "it is called elsewhere, too"
        elif not _within(self._holder(site.norm), module):
            reason = "it lies in another module"
        elif self._shares(norm):
            reason = "it shares its weights with another layer"
        elif has_hooks(norm) or "forward" in vars(norm):
            reason = f"{path} has hooks, which would see something else"
        elif (conv, path) not in pairwise(names) and not self._follows(site.norm, site.conv):
            reason = "other code may come between them"
        return (None, (f"{path} was not folded: {reason}",)) if reason else (path, ())

    def _follows(self, norm: Node, conv: Node) -> bool:
        """Test whether the forward has no branches and passes the convolution's output to the norm."""
        path = self._enclosing((conv, norm))
        module = self._modules[path]
        try:
            with as_found(module):
                graph = _Tracer().trace(module)
        except Exception:
            return False
        targets = [node.key.module[len(path) + 1 if path else 0 :] for node in (conv, norm)]
        found = [[n for n in graph.nodes if n.op == "call_module" and n.target == t] for t in targets]
        return [len(nodes) for nodes in found] == [1, 1] and list(found[0][0].users) == found[1]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) is not nn.Sequential or has_hooks(m)


def rewrite(net: nn.Module, places: Sequence[Place]) -> None:
    """Fuse places of a network, in it.

    A chain of layers becomes one layer and identities. Elsewhere the enclosing module runs its own forward,
    but puts its resizes off: what takes them decides.
    """
    modules = dict(net.named_modules())
    for place in places:
        if not place.chain:
            enclosing = modules[place.module]
            enclosing.__class__ = lazy_class(type(enclosing))
        if place.layer is None:
            continue
        site, old = place.sites[0], modules[place.layer]
        norm = modules[place.norm] if place.norm else None
        exchange(net, old, fused_layer(site, old, norm, either=not place.chain))
        gone = [modules[node.key.module] for node in site.calls[:-1]] if place.chain else []
        for one in (*gone, *([norm] if norm else [])):
            exchange(net, one, nn.Identity().train(one.training))


def exchange(net: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Replace a module by another under every name it has."""
    for holder in list(net.modules()):
        for name, child in holder._modules.items():
            if child is old:
                holder._modules[name] = new


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
