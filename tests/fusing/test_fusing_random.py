"""Random resize-convolutions of every kind: fused ones compute what they did; refusals say why."""

import torch
from hypothesis import event, given
from hypothesis import strategies as st
from torch import nn

import uncheck
from tiers import examples

#: In float64, of outputs of order one.
ROUNDING = 1e-10

LAYERS = {
    1: (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, "linear"),
    2: (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, "bilinear"),
    3: (nn.Conv3d, nn.ConvTranspose3d, nn.BatchNorm3d, "trilinear"),
}
PADS = {"zeros": "Zero", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
REASONS = ("can be fused", "multiplications per input", "padded twice", "crops")


@st.composite
def networks(draw):
    ndim = draw(st.sampled_from([1, 1, 2, 2, 3]))
    conv, transposed, norm, linear = LAYERS[ndim]
    sizes = st.tuples(*[st.integers(1, 4 if ndim < 3 else 3)] * ndim)
    factor = tuple(draw(sizes))
    if max(factor) == 1:
        factor = (2, *factor[1:])
    mode = draw(st.sampled_from(["nearest", "nearest", linear]))
    kernel, dilation = draw(sizes), draw(st.sampled_from([1, 1, 2]))
    groups = draw(st.sampled_from([1, 1, 2]))
    bias = draw(st.booleans())
    layers = [nn.Upsample(scale_factor=factor, mode=mode)]
    if draw(st.booleans()):
        kind = draw(st.sampled_from(list(PADS)))
        amounts = tuple(draw(st.integers(0, 2)) for _ in range(2 * ndim))
        layers.append(getattr(nn, f"{PADS[kind]}Pad{ndim}d")(amounts))
    if draw(st.integers(0, 3)) == 0:
        reach = max(dilation * (k - 1) for k in kernel)
        padding = draw(st.integers(0, max(0, reach)))
        layers.append(transposed(4, 6, kernel, padding=padding, dilation=dilation, groups=groups, bias=bias))
    else:
        padding = draw(st.one_of(st.just("same"), st.integers(0, 2)))
        pad_mode = draw(st.sampled_from(list(PADS)))
        layers.append(
            conv(4, 6, kernel, 1, padding, dilation=dilation, groups=groups, bias=bias, padding_mode=pad_mode)
        )
    if draw(st.booleans()):
        layers.append(norm(6, affine=draw(st.booleans())))
    return nn.Sequential(*layers).double()


@examples(2, 100)
@given(net=networks(), size=st.integers(3, 6), other=st.integers(3, 9), seed=st.integers(0, 999))
def test_random_networks(net, size, other, seed):
    generator = torch.Generator().manual_seed(seed)
    for tensor in (*net.parameters(), *net.buffers()):
        if tensor.is_floating_point():
            tensor.data.copy_(torch.rand(tensor.shape, generator=generator, dtype=torch.float64) + 0.1)
    net.eval()
    ndim = len(net[0].scale_factor)
    x = torch.randn(2, 4, *[size] * ndim, generator=generator, dtype=torch.float64)
    y = torch.randn(1, 4, *[other] * ndim, generator=generator, dtype=torch.float64)
    try:
        with torch.no_grad():
            net(x), net(y)
    except (RuntimeError, ValueError):
        return  # the padding or the kernel is too large for the picture
    result = uncheck.fuse(net, x)
    event("fused" if result.fused else "refused")
    assert len(result.fused) + len(result.refused) == 1
    for refusal in result.refused:
        assert any(reason in refusal.reason for reason in REASONS), refusal.reason
    with torch.no_grad():
        assert float((result.model(y) - net(y)).abs().max()) < ROUNDING * float(net(y).abs().max() + 1)
    if result.fused and isinstance(net[-1], nn.modules.batchnorm._BatchNorm):
        assert result.fused[0].folded == str(len(net) - 1)
