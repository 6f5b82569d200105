"""Released networks, fused: what was found, and that the function is the same on their own inputs."""

import pytest
import torch
from safetensors.torch import load, save

import released
import uncheck
from uncheck import demo

#: Of networks whose outputs are of order one.
ROUNDING = 1e-5

FUSED = {
    "cwgan_mnist": [
        ("conv_blocks.1", "conv_blocks.2", "conv_blocks.3"),
        ("conv_blocks.5", "conv_blocks.6", "conv_blocks.7"),
    ],
    # A transposed convolution of stride 1 is a convolution with its kernel flipped; the slice asks for sizes.
    "cvae_sketch": [("body.2", "body.3.deconv", None), ("body.5", "body.6.deconv", None)],
}


@pytest.mark.integration
@pytest.mark.parametrize("name", FUSED)
def test_generators(name):
    net = released.load(name)
    result = uncheck.fuse(net, released.example_input(name, 4))
    assert [(one.resize, one.conv, one.folded) for one in result.fused] == FUSED[name]
    assert result.refused == ()
    codes = released.example_input(name, 9, seed=5)
    with torch.no_grad():
        assert float((result.model(codes) - net(codes)).abs().max()) < ROUNDING
    kept = load(save({key: value.contiguous() for key, value in result.model.state_dict().items()}))
    again = uncheck.fuse(released.load(name), released.example_input(name, 2)).model
    again.load_state_dict(kept)
    with torch.no_grad():
        assert torch.equal(again(codes), result.model(codes))


@pytest.mark.parametrize("name", ["fsrcnn_x2", "espcn_x3", "upconv7_photo"])
def test_networks_without_a_resize(name):
    result = uncheck.fuse(released.load(name), released.example_input(name)[..., :48, :48])
    assert (result.fused, result.refused, result.difference.relative) == ((), (), 0.0)
    assert str(result) == "nothing to fuse: no resize makes an axis longer"


def test_the_demo_network_has_no_resize():
    result = uncheck.fuse(demo.load(), demo.pictures()[:, :, :64, :64])
    assert (result.fused, result.refused) == ((), ())


def test_the_demo_network_with_resize_convolutions():
    """What people do against the lattice: the transposed convolutions replaced, here with the same widths."""
    net = demo.load()
    torch.manual_seed(0)
    for i, (inside, outside) in ((0, (48, 32)), (3, (32, 16))):
        net.decoder[i] = torch.nn.Sequential(
            torch.nn.Upsample(scale_factor=2),
            torch.nn.ReflectionPad2d(1),
            torch.nn.Conv2d(inside, outside, 3),
        )
    result = uncheck.fuse(net, demo.pictures()[:, :, :64, :64])
    assert [(one.resize, one.conv) for one in result.fused] == [
        ("decoder.0.0", "decoder.0.2"),
        ("decoder.3.0", "decoder.3.2"),
    ]
    assert result.fused[0].notes == ("decoder.1 was not folded: it lies in another module",)
    pictures = demo.pictures()[:1, :, 100:180, 40:100]
    with torch.no_grad():
        assert float((result.model(pictures) - net(pictures)).abs().max()) < ROUNDING
