"""Output periods agree with patterns planted in the running network."""

from __future__ import annotations

import pytest
import torch

from oracles.reading_period import least_period, planted_output
from reading.zoo import CASES
from uncheck.reading import record

LARGE = {
    "pix2pixhd": ((1, 8, 12, 12), 10),
    "pix2pix": ((1, 3, 48, 48), 12),
    "dcgan": ((1, 6, 9, 9), 12),
    "compression": ((1, 4, 9, 9), 4),
    "sam": ((1, 4, 9, 9), 4),
    "unet2d": ((1, 1, 32, 32), 8),
    "unet3d": ((1, 1, 32, 32, 32), 10),
    "hifigan_old_weight_norm": ((1, 5, 12), 40),
    "rvc_new_weight_norm": ((1, 5, 12), 100),
    "srgan": ((1, 3, 12, 12), 10),
    "shuffle_1d": ((1, 4, 9), 3),
    "depth_to_space": ((1, 2, 9, 9), 2),
    "repeat_nearest": ((1, 2, 9, 9), 3),
    "dynamic": ((1, 4, 7, 7), 8),
    "shared": ((1, 4, 9, 9), 8),
    "up_and_down": ((1, 2, 12, 12), 8),
    "pad_relu_conv": ((1, 2, 9, 9), 4),
}


@pytest.mark.parametrize("name", LARGE)
def test_periods(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    shape, border = LARGE[name]
    model, x = case.model(), torch.full(shape, 0.7)  # skip connections must carry no content
    for stage in record(model, x).stages:
        stride = [int(s) for s in stage.stride]
        output = planted_output(model, x, stage.even_key, stage.even_axes, stride)
        assert stage.output_period is not None
        for axis, period in enumerate(stage.output_period, start=2):
            scale = float(output.abs().max())
            assert least_period(output, axis, border, 2 * period, 1e-4 * scale) == period, stage.name


def test_oracle_tells_periods_apart() -> None:
    pattern = torch.randn(1, 1, 6, 4).repeat(1, 1, 8, 8)
    assert least_period(pattern, 2, 3, 12, 1e-6) == 6
    assert least_period(pattern, 3, 3, 12, 1e-6) == 4
    pattern[0, 0, 20, 20] += 1
    assert least_period(pattern, 2, 3, 12, 1e-6) is None
