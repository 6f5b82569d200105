"""NIQE and BRISQUE as pyiqa computes them, for the speed of measures of pictures that people use.

Their published parameters are downloads; these have the same shapes and random values, on which the time does
not depend. The scores are meaningless.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import torch

FEATURES = 36
SUPPORT_VECTORS = 774  # of the model in the repository of PIQ


def peers() -> tuple[dict[str, Callable[[np.ndarray], object]], str]:
    """Functions of (H, W, 3) uint8 pictures by name, and which pyiqa they come from or why there are none."""
    try:
        _allow_torchvision_without_operators()
        from pyiqa.archs.brisque_arch import brisque
        from pyiqa.archs.niqe_arch import calculate_niqe
    except (ImportError, RuntimeError) as error:
        return {}, f"pyiqa is not installed here ({error})"
    generator = np.random.default_rng(0)
    mean, spread = torch.from_numpy(generator.normal(size=(1, FEATURES))), torch.eye(FEATURES)[None]
    vectors = torch.from_numpy(generator.normal(size=(SUPPORT_VECTORS, FEATURES))).float()
    weights = torch.from_numpy(generator.normal(size=(SUPPORT_VECTORS, 1))).float()

    def run_niqe(pixels: np.ndarray) -> object:
        return calculate_niqe(_tensor(pixels), mu_pris_param=mean, cov_pris_param=spread)

    def run_brisque(pixels: np.ndarray) -> object:
        return brisque(_tensor(pixels), sv_coef=weights, sv=vectors)

    return {"NIQE": run_niqe, "BRISQUE": run_brisque}, f"pyiqa {version('pyiqa')}"


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def _allow_torchvision_without_operators() -> None:
    """pyiqa imports torchvision, whose operators may be built for another torch; neither metric uses them."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    globals()["_LIBRARY"] = library  # kept, or the definitions go with it
