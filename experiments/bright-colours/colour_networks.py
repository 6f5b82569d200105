"""Networks whose pictures are looked at: small generators, untrained and trained; released ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from lab.cases import network
from lab.generator import CODE, Generator
from lab.patches import TRAINING, patches
from torch import Tensor, nn

#: Pixels at the border of a generator's picture that are not looked at.
CROP = 8

#: Range of 255 grey levels, period and the photographs' side of the released networks.
RELEASED: dict[str, tuple[tuple[float, float], int, int]] = {
    "style_rain_princess": ((0, 1), 4, 256),
    "fsrcnn_x2": ((0, 1), 2, 192),
    "upconv7_photo": ((0, 1), 2, 128),
    "espcn_x3": ((0, 1), 3, 128),
    "dcgan_svhn": ((-1, 1), 2, 0),
}


def codes_of(count: int, seed: int) -> Tensor:
    return torch.randn(count, CODE, generator=torch.Generator().manual_seed(seed))


def trained(config: dict[str, Any], seed: int) -> tuple[Generator, Tensor, float]:
    """A generator and codes of its own that give patches of photographs; and the mean squared error.

    Generator and codes are fitted together (Bojanowski et al., "Optimizing the latent space of generative
    networks", 2018), which takes seconds and leaves what training to make pictures leaves.
    """
    torch.manual_seed(seed)
    net = Generator("deconv k3", "deconv k3", base=config["base"], width=config["width"])
    side, count = 4 * config["base"], config["patches"]
    generator = torch.Generator().manual_seed(seed)
    wanted = patches(TRAINING, count, side, generator) * 2 - 1
    codes = codes_of(count, seed).requires_grad_()
    groups = [
        {"params": net.parameters(), "lr": config["rate"]},
        {"params": [codes], "lr": 10 * config["rate"]},
    ]
    optimiser = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config["steps"])
    for _ in range(config["steps"]):
        chosen = torch.randperm(count, generator=generator)[: config["batch"]]
        loss = (net(codes[chosen]) - wanted[chosen]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net, codes.detach(), float(loss.detach())


def before_last(net: Generator, codes: Tensor) -> Tensor:
    """What the last deconvolution reads; BatchNorm by the statistics of these codes."""
    kept: list[Tensor] = []
    hook = net.up2.register_forward_pre_hook(lambda module, args: kept.append(args[0]))
    with torch.no_grad():
        net.train()(codes)
    hook.remove()
    return kept[0]


def levels(pictures: Tensor, span: tuple[float, float], crop: int = 0) -> Any:
    """(N, H, W, C) in grey levels, less a border."""
    low, high = span
    inner = pictures[..., crop : pictures.shape[2] - crop, crop : pictures.shape[3] - crop]
    return ((inner.detach() - low) * (255 / (high - low))).permute(0, 2, 3, 1).float().numpy()


def outputs(name: str, count: int) -> tuple[Any, Any]:
    """Pictures of a released network, in grey levels, and the colour that its last bias alone gives."""
    cases, model = network(name)
    span, _, side = RELEASED[name]
    if name == "dcgan_svhn":
        with torch.no_grad():
            return levels(model(cases.example_input(name, count)), span), bias_colour(name, model)
    photographs = sorted(path.name for path in (cases.HERE / "photos").glob("*.png"))
    made = []
    with torch.no_grad():
        for photograph in photographs:
            made.append(model(given(name, cases, cases.photo(photograph, side))))
    crop = made[0].shape[-1] // 16
    return levels(torch.cat(made), span, crop - crop % RELEASED[name][1]), bias_colour(name, model)


def given(name: str, cases: Any, picture: Tensor) -> Tensor:
    """A picture (1, 3, H, W) in 0..1 as the network wants it."""
    if name == "style_rain_princess":
        return picture * 255
    if name == "espcn_x3":
        return (picture * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    if name == "fsrcnn_x2":
        ycbcr = torch.einsum("oc,nchw->nohw", cases.RGB_TO_YCBCR, picture)
        return ycbcr + torch.tensor([0, 128 / 255, 128 / 255]).view(1, 3, 1, 1)
    return picture


def bias_colour(name: str, model: nn.Module) -> Any:
    """Grey levels (channels,) where the activations before the last layer with weights are zero."""
    if name == "style_rain_princess":
        shift = model.norms[15].shift.detach().flatten()
        return (shift.tanh() * 150 + 127.5).clamp(0, 255).double().numpy()
    if name == "espcn_x3":
        return np.atleast_1d(255 * float(torch.tanh(model.conv3.conv.bias).mean()))
    if name == "dcgan_svhn":
        return np.full(3, 127.5)
    return (model.deconv.bias.detach() * 255).double().numpy()
