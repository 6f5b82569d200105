"""A copy of a network to be trained: its upsamplers start without a lattice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from uncheck.editing.edits import Candidate, Edit, Upsampler, set_module, stand_in
from uncheck.errors import Refusal, UncheckError
from uncheck.layers.phase_transpose import phase_conv_transpose
from uncheck.phases import PhaseKernel, fit_resize_conv, from_resize_conv
from uncheck.phases.axes import CONV_TRANSPOSES, conv_transpose, flat_pads
from uncheck.reading import Stage
from uncheck.reading.provenance import source_of
from uncheck.repairing.case import Case


class HeldConvTranspose(nn.Module):
    """A nearest resize by s and a convolution, trained as the one transposed convolution that they equal.

    The parameter is the convolution's kernel c; the layer runs with h = hold * c, whose phase gains are equal
    whatever c becomes. Borders are those of a transposed convolution: zeros outside.

    It starts as the h nearest to the old kernel by least squares, with the next whole number of taps per
    phase: k taps become K = s ceil(k / s), or 2 s where k is s or less (where one tap per phase would leave
    blocks), so that overlap and variance start even.

    Attributes:
        kernel: h at the start, (out, in, *K).
    """

    def __init__(self, old: PhaseKernel, groups: int = 1) -> None:
        super().__init__()
        strides = list(zip(old.kernel_size, old.stride, strict=True))
        sizes = [max(2 * s if s > 1 else 1, s * -(-k // s)) - s + 1 for k, s in strides]
        form = fit_resize_conv(old, "nearest", size=sizes)
        bare = from_resize_conv(form.weight, form.bias, form.factor, form.mode, 0)
        offset = tuple(o - before for o, (before, _) in zip(bare.offset, form.padding, strict=True))
        margin = tuple(m + sum(pads) for m, pads in zip(bare.margin, form.padding, strict=True))
        self.kernel = replace(bare, offset=offset, margin=margin)
        self.layer = phase_conv_transpose(self.kernel, groups).requires_grad_(False)
        self.front = [max(0, -o) for o in offset]
        flipped = form.weight.flip(list(range(2, form.weight.ndim)))
        parts = [part.chunk(groups, 1)[g].transpose(0, 1) for g, part in enumerate(flipped.chunk(groups))]
        self.weight = nn.Parameter(torch.cat(parts).to(self.layer.weight.dtype))
        self.bias = None if self.layer.bias is None else nn.Parameter(self.layer.bias.detach().clone())

    def held(self) -> Tensor:
        """Return h = hold * c, with the zeros that place it, in torch's layout (in, out / groups, *k)."""
        flat = self.weight.flatten(0, 1)[:, None]
        hold = torch.ones(1, 1, *self.layer.stride, dtype=flat.dtype, device=flat.device)
        h = conv_transpose(flat, hold)
        h = h.reshape(*self.weight.shape[:2], *h.shape[2:])
        whole = zip(self.front, h.shape[2:], self.layer.weight.shape[2:], strict=True)
        return F.pad(h, flat_pads((front, n - front - k) for front, k, n in whole))

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged output."""
        values = {"weight": self.held()} | ({} if self.bias is None else {"bias": self.bias})
        out: Tensor = functional_call(self.layer, values, (x,))
        return out


@dataclass(frozen=True, eq=False)
class Student:
    """The copy, its replaced upsamplers by path, and the names of the parameters that are trained."""

    model: nn.Module
    held: dict[str, HeldConvTranspose]
    trained: tuple[str, ...]

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters that are trained."""
        own = dict(self.model.named_parameters())
        return [own[name] for name in self.trained]

    def candidate(self, label: str, kind: str) -> Candidate:
        """Return the trained network as a candidate, each resize-convolution a transposed convolution."""
        edits: list[Edit] = []
        tensors: dict[str, Tensor] = {}
        for path, module in self.held.items():
            edits.append(Upsampler.of(path, module.layer))
            tensors[f"{path}.weight"] = module.held().detach().clone()
            if module.bias is not None:
                tensors[f"{path}.bias"] = module.bias.detach().clone()
        own = dict(self.model.named_parameters())
        for name in self.trained:
            if not any(name.startswith(f"{path}.") for path in self.held):
                tensors[name] = own[name].detach().clone()
        return Candidate("distill", label, kind, tuple(edits), tensors)


def make_student(case: Case, *, anew: bool, whole: bool = False) -> Student:
    """Copy the network; make only the layers from the first faulty stage on trainable.

    Trained is every parameter of a module that runs at or after that stage and not before it; with `whole`
    those before it too. With `anew`, resize-convolutions fitted to them replace the transposed convolutions
    from that stage on; else every layer starts as it is.

    Raises:
        Refusal: no stage leaves a faulty period, or nothing after it has parameters.
    """
    guilty = case.blamed
    if not guilty:
        periods = ", ".join(map(str, case.faulty))
        raise Refusal(f"no upsampling stage leaves period {periods}: there is nothing to retrain")
    model = case.copy()
    held = _replaced(case, model, guilty[0].index) if anew else {}
    nodes = case.recording.graph.nodes
    first = next(n.index for n in nodes if n.key == guilty[0].key)
    # weights that are computed before the stage are its own
    early = {n.key.module for n in nodes[:first] if n.signal and n.parents}
    late = {n.key.module for n in nodes[first:]} - early
    maker = source_of(case.recording.graph, guilty[0])
    if guilty[0].kind in ("sub-pixel", "un-patchify") and maker is not None:
        late.add(maker.key.module)  # the layer before such a stage makes its phases
    model.requires_grad_(False)
    names = []
    for name, parameter in model.named_parameters():
        owner = name.partition(".parametrizations.")[0] if ".parametrizations." in name else ""
        owner = owner or next((path for path in held if name.startswith(f"{path}.")), name.rpartition(".")[0])
        frozen = ".layer." in name and any(name.startswith(f"{path}.layer.") for path in held)
        if (whole or owner in late) and parameter.is_floating_point() and not frozen:
            parameter.requires_grad_(True)
            names.append(name)
    if not names:
        raise Refusal("no layer from the faulty stage on has parameters to train")
    return Student(model, held, tuple(names))


def _replaced(case: Case, model: nn.Module, first: int) -> dict[str, HeldConvTranspose]:
    """Replace the transposed convolutions of these stages by ones that hold, where that is the same call."""
    nodes = case.recording.graph.nodes
    held: dict[str, HeldConvTranspose] = {}
    for stage in case.recording.stages:
        if stage.index < first or stage.output_period is None:
            continue
        path = stage.key.module
        old = _module(model, stage)
        calls = sum(n.key.module == path and n.key.function == stage.key.function for n in nodes)
        if old is None or stage.kernel is None or calls > 1:
            continue
        try:
            new = HeldConvTranspose(stage.kernel, stage.groups)
            stand_in(new, old)
            set_module(model, path, new)
            case.run(model, case.fit[0])
        except UncheckError:  # too large to lay out, or called with more than the input: trained as it is
            set_module(model, path, old)
        else:
            held[path] = new
    return held


def period_of(case: Case) -> int:
    """Return the least common multiple of the faulty periods."""
    return lcm(*case.faulty) if case.faulty else 1


def _module(model: nn.Module, stage: Stage) -> nn.Module | None:
    if stage.kind != "transposed" or not stage.key.module:
        return None
    module = model.get_submodule(stage.key.module)
    kind = type(module).__bases__[0] if parametrize.is_parametrized(module) else type(module)
    normed = all(type(h).__module__.startswith("torch.nn.utils.") for h in module._forward_pre_hooks.values())
    return module if kind in CONV_TRANSPOSES and normed and not module._forward_hooks else None
