"""Signatures of layers, and the names of the upsampling factor."""

import inspect
import pickle
import re

import pytest
import torch
from torch import nn

import uncheck.layers as layers
from uncheck.errors import UncheckError
from uncheck.layers import FusedResizeConv, ResizeConv2d, SmoothConvTranspose2d, SubpixelConv2d, icnr_

UPSAMPLERS = (ResizeConv2d, SubpixelConv2d, SmoothConvTranspose2d)
NAMES = ("scale_factor", "upscale_factor", "stride")
#: Arguments of the layers that need others than (in, out, kernel).
ARGUMENTS = {
    "BlurPool": (),
    "MaxBlurPool": (2,),
    "Hold": (2,),
    "EqualGain": ((3,), 2),
    "PhaseConvTranspose": (1, 1, (3,), (2,), (0,), (0,)),
    "FusedResizeConv": (1, 1, (3,), (2,), "nearest", ((1, 1),), "zeros", (1,), 1),
}


def public_classes():
    return [one for one in (getattr(layers, name) for name in layers.__all__) if inspect.isclass(one)]


def test_no_class_has_a_signature_of_stars():
    for one in public_classes():
        kinds = {p.kind for p in inspect.signature(one).parameters.values()}
        assert not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}, one


def test_layers_that_are_called_have_the_signature_of_their_forward():
    for one in public_classes():
        made = one(*ARGUMENTS.get(re.sub(r"\dd$", "", one.__name__), (1, 1, 3)))
        names = list(inspect.signature(made).parameters)
        assert names == list(inspect.signature(made.forward).parameters), one
        assert "args" not in names, one


@pytest.mark.parametrize("layer", UPSAMPLERS)
def test_the_factor_has_one_meaning_by_all_names(layer):
    for name in NAMES:
        made = layer(2, 3, 3, **{name: 3})
        assert made.scale_factor == (3, 3)
        assert made(torch.ones(1, 2, 4, 4)).shape[-1] in (12, 3 * 3 + 3)
        assert made.state_dict().keys() == layer(2, 3, 3).state_dict().keys()
    with pytest.raises(UncheckError, match="scale_factor and stride are names of one factor: give scale_f"):
        layer(2, 3, 3, scale_factor=2, stride=2)


def test_defaults_are_as_before():
    assert [layer(1, 1, 3).scale_factor for layer in UPSAMPLERS] == [(2, 2), (2, 2), (1, 1)]
    assert SubpixelConv2d(1, 1, 3, 3).upscale_factor == (3, 3)
    assert SmoothConvTranspose2d(1, 1, 3, 2).stride == (2, 2)


def test_a_pickle_with_the_former_name_loads():
    layer = SubpixelConv2d(1, 1, 3, scale_factor=3)
    layer.__dict__["upscale_factor"] = layer.__dict__.pop("scale_factor")
    loaded = pickle.loads(pickle.dumps(layer))
    assert loaded.scale_factor == loaded.upscale_factor == (3, 3)
    assert loaded(torch.ones(1, 1, 4, 4)).shape == (1, 1, 12, 12)


def test_icnr_takes_both_names():
    for name in ("scale_factor", "upscale_factor"):
        conv = icnr_(nn.Conv2d(1, 4, 3), **{name: 2})
        assert bool((conv.weight == conv.weight[:1]).all())
    with pytest.raises(UncheckError, match="names of one factor"):
        icnr_(nn.Conv2d(1, 4, 3), scale_factor=2, upscale_factor=2)


def test_a_fused_layer_is_not_renamed():
    assert "scale_factor" in inspect.signature(FusedResizeConv).parameters
