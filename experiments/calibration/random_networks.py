"""Codes that drive random networks."""

from __future__ import annotations

import torch

CODES = 12
DRIVEN_BY = ("noise", "flat", "smooth")


def random_codes(side: int, driven_by: str) -> torch.Tensor:
    """Return (1, 12, side, side): independent values, one everywhere, or what varies slowly."""
    codes = torch.randn(1, CODES, side, side)
    if driven_by == "flat":
        return codes[:, :, :1, :1].expand(1, CODES, side, side)
    if driven_by == "smooth":
        return torch.nn.functional.interpolate(codes[:, :, :4, :4], size=(side, side), mode="bicubic")
    return codes
