"""A style network of other-models with resize-convolutions, trained, with their phases evened afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

THERE = Path(__file__).resolve().parents[1] / "other-models"
sys.path.append(str(THERE))

import torch  # noqa: E402
from image_networks import ImageNetwork  # noqa: E402
from image_tasks import loss_of  # noqa: E402
from lab.config import read  # noqa: E402
from lab.lattice import lattice  # noqa: E402
from lab.patches import HELD_OUT, TRAINING, patches  # noqa: E402
from swapped import means_evened, variances_evened  # noqa: E402
from torch import Tensor, nn  # noqa: E402


def trained(seed: int, *, smoke: bool) -> tuple[nn.Module, Tensor]:
    """The network of that experiment, task style, layer nearest; and the photographs it is judged on."""
    config = read(THERE / "config.toml", smoke=smoke)
    network = ImageNetwork(3, "nearest", config["width"], seed)
    loss_function = loss_of("style", config)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), config["rate"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config["steps"])
    for _ in range(config["steps"]):
        batch = patches(TRAINING, config["batch"], config["size"], generator)
        loss = loss_function(network(batch), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    apart = torch.Generator().manual_seed(1000)
    return network.eval(), patches(HELD_OUT, config["count"], config["judged"], apart)


def evened(seed: int, *, smoke: bool) -> dict[str, Any]:
    """[strength, period 2, period 4] in grey levels, both resize-convolutions as they are and evened."""
    network, photographs = trained(seed, smoke=smoke)
    out = {}
    edits = {"as it is": nn.Identity(), "means evened": means_evened, "variances evened": variances_evened}
    for said, edit in edits.items():
        hooks = [
            network.get_submodule(where).register_forward_hook(lambda m, i, y, edit=edit: edit(y))
            for where in ("up1.0", "up2.0")
        ]
        with torch.no_grad():
            found = lattice(network(photographs), (0, 1))
        out[said] = [found["strength"], found["amplitude_2"], found["amplitude_4"]]
        for hook in hooks:
            hook.remove()
    return out
