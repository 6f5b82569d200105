"""Outputs written phase by phase through views, and read through products with parameters."""

import pytest
import torch
from torch import nn

from uncheck.reading import record
from uncheck.reading.growth import not_understood, unread_growth


class Phases(nn.Module):
    """Write the four phases of the output one after the other."""

    def __init__(self, way):
        super().__init__()
        self.way, self.c = way, nn.Conv2d(4, 12, 3, padding=1)

    def forward(self, x):
        y = self.c(x)
        n, _, h, w = y.shape
        out = torch.zeros(n, 3, 2 * h, 2 * w)
        for k, part in enumerate(y.chunk(4, 1)):
            i, j = divmod(k, 2)
            if self.way == "set":
                out[:, :, i::2, j::2] = part
            elif self.way == "copy":
                out[:, :, i::2, j::2].copy_(part)
            elif self.way == "add":
                out[..., i::2, j::2] += part
            else:
                out[..., i::2, j::2].add_(part)
        return out


@pytest.mark.parametrize("way", ["set", "copy", "add", "add_"])
def test_phases_written_one_after_the_other_are_one_stage_and_all_of_the_growth(way):
    recording = record(Phases(way).eval(), torch.randn(1, 4, 32, 32))
    (stage,) = recording.stages
    (output,) = recording.outputs
    assert (stage.kind, stage.stride, stage.output_period) == ("sub-pixel", (2, 2), (2, 2))
    assert output.explained == (64, 64)
    assert not_understood(recording, output) == ""


@pytest.mark.parametrize("rows", [(3, 8), (1, 3, 8)])
def test_positions_are_followed_through_a_product_with_a_parameter_on_the_left(rows):
    class Masks(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose2d(4, 8, 3, 2, 1, 1)
            self.tokens = nn.Parameter(torch.randn(rows))

        def forward(self, x):
            y = self.up(x)
            n, c, h, w = y.shape
            return (self.tokens @ y.reshape(n, c, h * w)).reshape(n, 3, 1, h, w)

    recording = record(Masks().eval(), torch.randn(1, 4, 8, 10))
    (output,) = recording.outputs
    assert output.axes == (3, 4)
    assert output.periods == ((2, 2),)


def test_growth_is_told_from_the_pixels_that_grew():
    assert unread_growth((64, 64), (16.0, 16.0), (64, 64)) == "what enlarges 16 pixels to 64"
    assert unread_growth((64, 64), (64.0, 64.0), (64, 64)) == ""
