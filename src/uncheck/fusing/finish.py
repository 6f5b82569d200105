"""The ResizeConv of this package, which fuses its weight on the fly in training, finished for running."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from uncheck.fusing.plan import has_hooks
from uncheck.fusing.result import Fused
from uncheck.layers import FusedResizeConv, ResizeConv


def finishable(net: nn.Module, runs: Mapping[str, int]) -> list[str]:
    """Paths of the layers that ran and can be finished; others are left to the account of refusals."""
    return [
        path
        for path, module in net.named_modules()
        if isinstance(module, ResizeConv)
        and type(module).forward is ResizeConv.forward
        and module.fused
        and runs.get(path)
        and not has_hooks(module)
        and "forward" not in vars(module)
    ]


def finish(net: nn.Module, paths: list[str], runs: Mapping[str, int]) -> tuple[nn.Module, list[Fused]]:
    """Put the finished layers in their places.

    Returns:
        The network, which is another object where it was itself such a layer, and the account.
    """
    account = []
    for path in paths:
        layer = net.get_submodule(path)
        assert isinstance(layer, ResizeConv)
        pads = tuple((p, p) for p in layer.padding)
        made = FusedResizeConv.from_conv(
            layer.weight,
            layer.bias,
            layer.scale_factor,
            layer.mode,
            pads,
            layer.padding_mode,
            layer.dilation,
            layer.groups,
        ).train(layer.training)
        trains = any(parameter.requires_grad for parameter in layer.parameters())
        made.requires_grad_(trains)
        name = path or "the model itself"
        account.append(
            Fused(
                name,
                name,
                layer.scale_factor,
                layer.mode,
                layer.kernel_size,
                pads,
                layer.padding_mode,
                calls=runs[path],
            )
        )
        if not path:
            net = made
            continue
        for holder in net.modules():  # the same layer may hang in several places
            for key, child in holder._modules.items():
                if child is layer:
                    holder._modules[key] = made
    return net, account
