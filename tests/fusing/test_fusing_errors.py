"""What cannot be fused at all, in a sentence; and planted faults that the tests must see."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

import uncheck
from fusing.zoo import CASES, settle
from uncheck.fusing import rewrite, rewritten, tracing
from uncheck.fusing.difference import difference, second_input
from uncheck.reporting import json_text
from uncheck.reporting.fusion import fuse_text

PICTURE = torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def up():
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 3, padding=1))


class Uncopied(nn.Module):
    def __deepcopy__(self, memo):
        raise TypeError("not me")


class CopiedAsItself(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = up()

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        return self.net(x)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, "fuse needs a torch.nn.Module, not a value of type int"),
        (up().to("meta"), "fuse needs weights with values, not on the meta device: load the weights first"),
        (Uncopied(), "Uncopied cannot be copied (TypeError: not me): fuse changes a copy only"),
        (CopiedAsItself(), "copies of CopiedAsItself share its parameters: fuse would change the original"),
        (nn.Conv2d(7, 3, 3), "Conv2d raised RuntimeError"),
        (nn.LazyConv2d(3, 3), "has no shape yet (a lazy layer)"),
    ],
)
def test_errors_are_one_sentence(model, message):
    with pytest.raises(uncheck.UncheckError) as caught:
        uncheck.fuse(model, PICTURE)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.integration
def test_torchscript_is_refused_by_name():
    net = nn.Sequential(torch.jit.script(up()), nn.Upsample(scale_factor=2), nn.Conv2d(4, 3, 3)).eval()
    result = uncheck.fuse(net, PICTURE)
    assert [one.conv for one in result.fused] == ["2"]
    assert str(result.refused[0]).startswith("0: it is TorchScript, whose calls cannot be seen")


def test_a_random_input_that_the_network_does_not_take_is_noted():
    class Positive(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = up()

        def forward(self, x):
            y = self.net(x)
            if float(x.min()) < 0:
                raise ValueError("negative")
            return y

    result = uncheck.fuse(Positive().eval(), PICTURE.abs())
    assert len(result.fused) == 1
    assert result.difference.random is None
    assert result.notes[0].startswith(
        "outputs were compared on the example alone: on a random input Positive"
    )


def test_the_forward_of_one_layer_that_was_replaced_is_refused():
    net = up()
    net[1].forward = net[1].forward
    assert uncheck.fuse(net, PICTURE).refused[0].reason == "the forward of 1 was replaced"
    net = nn.Sequential(up())
    net[0].forward = net[0].forward
    assert "was replaced" in uncheck.fuse(net, PICTURE).refused[0].reason


@pytest.mark.integration
def test_half_precision_is_judged_by_its_own_rounding():
    for kind, allowed in ((torch.bfloat16, 2.0**-3.5), (torch.float16, 2.0**-5), (torch.float64, 2.0**-26)):
        result = uncheck.fuse(up().to(kind), PICTURE.to(kind))
        assert result.difference.allowed == allowed
        assert result.difference.relative < allowed / 4
        assert result.model[1].weight.dtype is kind


@pytest.mark.integration
def test_the_fused_weights_are_rounded_once():
    """Fused in float64, then rounded: sums of bfloat16 weights must not be made in bfloat16."""
    net = up().bfloat16()
    made = uncheck.fuse(net, PICTURE.bfloat16()).model[1].weight
    exact = uncheck.fuse(copy.deepcopy(net).double(), PICTURE.double()).model[1].weight
    assert torch.equal(made, exact.bfloat16())


@pytest.mark.parametrize("planted", ["conditions", "constants", "training"])
def test_a_guard_that_is_forgotten_is_seen(planted, monkeypatch):
    """Without its guards a generated forward is wrong elsewhere: the tests of other inputs must see it."""
    honest = tracing.trace
    nothing = {"conditions": (), "constants": {}, "training": False}

    def faulty(*args):
        return dataclasses.replace(honest(*args), **{planted: nothing[planted]})

    monkeypatch.setattr(rewrite, "trace", faulty)
    if planted == "constants":  # the guard for arguments left out would fall back as well
        monkeypatch.setattr(rewritten, "_optional", lambda *_: [])
    names = {
        "conditions": "another way for large inputs",
        "constants": "names of builtins",
        "training": "dropout by function",
    }
    net = settle(CASES[names[planted]].make())
    fused = uncheck.fuse(net, PICTURE).model
    if planted == "training":
        net.train(), fused.train()
    named = {"flag": False} if planted == "constants" else {}
    x = torch.randn(1, 3, 16, 3, generator=torch.Generator().manual_seed(1))
    outputs = []
    for one in (net, fused):
        torch.manual_seed(0)
        with torch.no_grad():
            outputs.append(one(x, **named))
    assert float((outputs[0] - outputs[1]).abs().max()) > 0.01


def test_the_difference_counts_infinities_and_nan():
    def measured(a, b):
        return difference((a, None), (b, None), {torch.float32}, constant=False).relative

    inf, nan = float("inf"), float("nan")
    a = torch.tensor([1.0, inf, nan])
    assert measured(a, a.clone()) == 0
    assert measured(a, torch.tensor([1.5, inf, nan])) == 0.5
    assert measured(a, torch.tensor([1.0, 2.0, nan])) == inf
    assert measured(a, torch.tensor([1.0, inf, 0.0])) == inf
    assert measured(torch.zeros(2), torch.ones(2)) == inf
    with pytest.raises(uncheck.UncheckError, match="other shapes"):
        measured(a, a[:2])


def test_the_second_input_is_noise_like_the_example():
    x, labels = torch.randn(1, 3, 64, 64) * 3 + 5, torch.arange(4)
    noise, (same, flag) = second_input((x, (labels, True)))
    assert torch.equal(same, labels)
    assert flag is True
    assert abs(float(noise.mean()) - 5) < 0.2
    assert abs(float(noise.std()) - 3) < 0.2
    assert torch.equal(noise, second_input((x, (labels, True)))[0])


@pytest.mark.integration
def test_results_say_themselves():
    result = uncheck.fuse(settle(CASES["one upsampler for all"].make()), PICTURE)
    assert str(result).splitlines()[:3] == [
        "fused: up (nearest x 2x2) + a.conv (3x3) + a.bn",
        "fused: up (nearest x 2x2) + b (5x5)",
        "refused: up: the model returns what it makes",
    ]
    text = fuse_text(result)
    assert text.startswith("Fused: 2 of 3 resizes; 1 refused.")
    assert "up: the model returns what it makes." in text
    assert '"schema": "uncheck.fuse/1"' in json_text(result)
    assert "Left as they were" not in fuse_text(uncheck.fuse(up(), PICTURE))
    nothing = uncheck.fuse(nn.Conv2d(3, 3, 1), PICTURE)
    assert fuse_text(nothing) == "Nothing to fuse: no resize makes an axis longer."
