"""What every layer must do: compile, export, copy, half precision, meta device, gradients, keys.

`from layers.contract import check_contract, check_onnx`. `make(**factory)` builds the layer and passes device
and dtype on, as in `lambda **factory: BlurPool(3, stride=2, **factory)`; it is called after a fixed seed, so
that every copy has the same weights. No tolerance has a default.
"""

import copy
import pickle
from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

Make = Callable[..., nn.Module]


def check_contract(
    make: Make, x: Tensor, *, keys: Collection[str], atol: float, half_atol: float, gradient_atol: float
) -> None:
    """Run every check but ONNX.

    Args:
        make: builds the layer from factory arguments.
        x: a small float32 input on the CPU; gradients are checked entry by entry, so tens of entries.
        keys: exactly what state_dict must hold.
        atol: largest difference in float32 between the layer and its compiled or exported form.
        half_atol: largest difference of float16, bfloat16 and autocast from float32.
        gradient_atol: of torch.autograd.gradcheck in float64.

    """
    check_state(make, keys)
    check_compile(make, x, atol)
    check_export(make, x, atol)
    check_copies(make, x)
    check_types(make, x, atol, half_atol)
    check_meta(make, x)
    check_gradients(make, x, gradient_atol)


def tiers(cases: Iterable[Any], *quick: Any) -> list[Any]:
    """Return cases for `parametrize`: all but the representatives in `quick` are integration tests."""
    return [one if one in quick else pytest.param(one, marks=pytest.mark.integration) for one in cases]


def built(make: Make, **factory: object) -> nn.Module:
    torch.manual_seed(0)
    return make(**factory)


def check_state(make: Make, keys: Collection[str]) -> None:
    layer = built(make)
    assert sorted(layer.state_dict()) == sorted(keys)
    other = make()
    other.load_state_dict(layer.state_dict(), strict=True)
    assert type(layer).__name__ in repr(layer)


def check_compile(make: Make, x: Tensor, atol: float) -> None:
    layer = built(make)
    torch.compiler.reset()
    close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x), atol)


def check_export(make: Make, x: Tensor, atol: float) -> None:
    layer = built(make)
    close(torch.export.export(layer, (x,)).module()(x), layer(x), atol)


def check_copies(make: Make, x: Tensor) -> None:
    layer = built(make)
    expected = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        close(other(x), expected, 0.0)
        assert list(other.state_dict()) == list(layer.state_dict())


def check_types(make: Make, x: Tensor, atol: float, half_atol: float) -> None:
    expected = built(make)(x)
    for dtype, tolerance in ((torch.float16, half_atol), (torch.bfloat16, half_atol), (torch.float64, atol)):
        layer = built(make).to(dtype)
        result = layer(x.to(dtype))
        assert result.dtype == dtype
        close(result.float(), expected, tolerance)
        # made in that type from the start, with a buffer of another type nowhere
        straight = built(make, dtype=dtype)
        assert straight(x.to(dtype)).dtype == dtype
    with torch.autocast("cpu", dtype=torch.bfloat16):
        close(built(make)(x).float(), expected, half_atol)


def check_meta(make: Make, x: Tensor) -> None:
    layer = built(make, device="meta")
    assert all(tensor.is_meta for tensor in [*layer.parameters(), *layer.buffers()])
    result = layer(x.to("meta"))
    assert result.is_meta
    usual = built(make)
    assert result.shape == usual(x).shape
    # the way of large models: no memory first, then memory without values, then a checkpoint
    late = built(make, device="meta").to_empty(device="cpu")
    late.load_state_dict(usual.state_dict())
    close(late(x), usual(x), 0.0)
    there_and_back = usual.half().float()
    for name, buffer in there_and_back.named_buffers():
        close(buffer, built(make).get_buffer(name), 0.0)


def check_gradients(make: Make, x: Tensor, atol: float) -> None:
    """Check the gradients by x and by every parameter against finite differences."""
    layer = built(make).double()
    names = [name for name, _ in layer.named_parameters()]
    values = [value.detach().clone().requires_grad_() for value in layer.parameters()]

    def run(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    entries = (x.detach().double().requires_grad_(), *values)
    assert torch.autograd.gradcheck(run, entries, eps=1e-6, atol=atol, rtol=0.0)


def check_onnx(make: Make, x: Tensor, *, atol: float) -> None:
    """Export to ONNX and compare onnxruntime's output; skips where the libraries are missing."""
    for library in ("onnx", "onnxscript"):
        pytest.importorskip(library, reason=f"{library} is not installed: pip install onnx onnxscript")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    layer = built(make).eval()
    program = torch.onnx.export(layer, (x,), dynamo=True, verbose=False)
    session = runtime.InferenceSession(
        program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (result,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    close(torch.from_numpy(result), layer(x), atol)


def close(actual: Tensor, expected: Tensor, atol: float) -> None:
    torch.testing.assert_close(actual.detach(), expected.detach(), rtol=0.0, atol=atol)
