"""Released networks are read completely, with the stages their authors wrote."""

from __future__ import annotations

import pytest

import released
from uncheck.reading import record

STAGES = {
    "style_rain_princess": [
        ("convs.13.deconv", "transposed", 3, 2, 4),
        ("convs.14.deconv", "transposed", 3, 2, 2),
    ],
    "fsrcnn_x2": [("deconv", "transposed", 9, 2, 2)],
    "upconv7_photo": [("deconv", "transposed", 4, 2, 2)],
    "espcn_x3": [("shuffle", "sub-pixel", 3, 3, 3)],
    "dcgan_svhn": [(f"ups.{i}", "transposed", 5, 2, 8 >> i) for i in range(3)],
    "cwgan_mnist": [("conv_blocks.1", "nearest", 3, 2, 4), ("conv_blocks.5", "nearest", 3, 2, 2)],
    "cvae_sketch": [("body.2", "nearest", 3, 2, 4), ("body.5", "nearest", 3, 2, 2)],
    "speech_decoder": [
        ("up0.deconv", "transposed", 4, 2, 320),
        ("up1.deconv", "transposed", 4, 2, 160),
        ("up2.deconv", "transposed", 10, 5, 80),
        ("up3.deconv", "transposed", 64, 16, 16),
    ],
}


@pytest.mark.parametrize("name", STAGES)
def test_stages_of_released_networks(name: str) -> None:
    recording = record(released.load(name), released.example_input(name))
    found = [
        (stage.name, stage.kind, stage.kernel_size[0], stage.stride[0], (stage.output_period or (None,))[0])
        for stage in recording.stages
    ]
    assert found == STAGES[name]
    assert recording.ledger.unsupported == {}
    assert recording.unused == ()
    assert all(stage.kernel is not None and stage.exact for stage in recording.stages)
