"""Fused networks leave PyTorch: ONNX with another program to run it, and export with sizes left open."""

import logging

import pytest
import torch

import uncheck
from fusing.zoo import CASES, settle
from tiers import cases
from uncheck.reading.tensors import replace_tensors, tensors_in

#: Another program, another order of sums.
ROUNDING = 1e-4

EXPORTED = (
    "sequential",
    "model of one list",
    "reflect",
    "uneven zeros",
    "one-dimensional audio",
    "volume",
    "grouped and dilated",
    "diffusion decoder",
    "fast style transfer",
    "u-net told sizes",
    "one upsampler for all",
    "layers in a module",
    "functional weights",
    "asks for the size after",
)
#: Sizes left open, by axis of the one input; the u-net halves twice, so its sizes are multiples of four.
OPEN = {
    "sequential": 1,
    "model of one list": 1,
    "reflect": 1,
    "diffusion decoder": 1,
    "fast style transfer": 1,
    "u-net told sizes": 4,
    "asks for the size after": 1,
}


def made(name):
    torch.manual_seed(0)
    case = CASES[name]
    generator = torch.Generator().manual_seed(1)
    given = case.nest(*[torch.randn(shape, generator=generator) for shape in case.shapes])
    return uncheck.fuse(settle(case.make()), given).model, given


@pytest.mark.integration
@pytest.mark.parametrize("name", EXPORTED)
def test_onnx_runs_the_same(name):
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    net, given = made(name)
    program = torch.onnx.export(net, given, dynamo=True, verbose=False)
    session = runtime.InferenceSession(program.model_proto.SerializeToString())
    names = [one.name for one in session.get_inputs()]
    got = session.run(None, {n: t.numpy() for n, t in zip(names, given, strict=True)})
    with torch.no_grad():
        want = list(tensors_in(net(*replace_tensors(given, torch.clone))))
    for a, b in zip(want, got, strict=True):
        assert a.shape == b.shape
        assert float((a - torch.from_numpy(b)).abs().max()) < ROUNDING


@pytest.mark.usefixtures("exporter")
@pytest.mark.parametrize(("name", "unit"), cases(list(OPEN.items())[:1], list(OPEN.items())[1:]))
def test_export_with_open_sizes(name, unit):
    net, given = made(name)
    x = torch.cat([given[0], given[0]])  # a batch of one would be taken for a constant
    auto = torch.export.Dim.AUTO
    sizes = {axis: auto if unit == 1 else unit * torch.export.Dim(f"n{axis}") for axis in (2, 3)}
    exported = torch.export.export(net, (x,), dynamic_shapes=({0: auto, **sizes},)).module()
    for shape in ((4, 3, 12, 20), (5, 3, 8, 16)):
        other = torch.randn(shape, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            assert float((net(other.clone()) - exported(other.clone())).abs().max()) < ROUNDING
