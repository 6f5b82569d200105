"""A repaired network for other programs: ONNX, or torch's own exported program."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError, first_line
from uncheck.reading import Inputs, as_found, fresh, run
from uncheck.reading.outputs import same_but_rounding
from uncheck.reading.tensors import replace_tensors, tensors_in

#: File endings that `exported` takes.
FORMS = ("onnx", "pt2")


def exported(model: nn.Module, inputs: Inputs, form: str) -> bytes:
    """Return the network as a file for other programs, run once and compared.

    Sizes stay open as far as the network's code allows. The network is exported in eval mode, and left as it
    was. `form` is "onnx" or "pt2".

    Raises:
        UncheckError: an unknown form, a library that is missing, an export that fails, or that does not give
            the network's outputs.

    Cost: a few forward passes, and the tracing.
    """
    if form not in FORMS:
        raise UncheckError(f"there is no export to {form!r}; choose {' or '.join(FORMS)}")
    check_exporter(form)
    make = _onnx if form == "onnx" else _pt2
    with as_found(model), torch.no_grad(), _quietly():
        expected = run(model, inputs)
        try:
            content, again = make(model, inputs)
            got = again(fresh(inputs))
        except Exception as error:
            raise UncheckError(
                f"the repaired network cannot be exported to {form} ({type(error).__name__}: "
                f"{first_line(error)}); the other files do not need it: leave out --export"
            ) from error
    if not same_but_rounding(expected, got):
        raise UncheckError(
            f"the {form} export gives other values than the network, more than rounding explains, so it was "
            "thrown away: leave out --export, and report this with the network"
        )
    return content


def check_exporter(form: str) -> None:
    """Raise UncheckError with the install line where a library for this form is missing."""
    missing = [name for name in ("onnx", "onnxscript") if form == "onnx" and find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        raise UncheckError(f"export to ONNX needs {names}; install with: pip install {' '.join(missing)}")


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence the warnings of the exporters, which are about themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


Again = Callable[[Inputs], Any]


def _pt2(model: nn.Module, inputs: Inputs) -> tuple[bytes, Again]:
    program = torch.export.export(model, fresh(inputs), dynamic_shapes=_open_sizes(inputs))
    file = io.BytesIO()
    torch.export.save(program, file)
    content = file.getvalue()
    back = torch.export.load(io.BytesIO(content)).module()
    return content, lambda call: back(*call)


def _onnx(model: nn.Module, inputs: Inputs) -> tuple[bytes, Again]:
    program = torch.onnx.export(
        model, fresh(inputs), dynamo=True, verbose=False, dynamic_shapes=_open_sizes(inputs)
    )
    assert program is not None
    content = program.model_proto.SerializeToString()
    if find_spec("onnxruntime") is None:
        return content, lambda call: program(*call)

    def again(call: Inputs) -> list[Tensor]:
        import onnxruntime  # type: ignore[import-untyped]

        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_inputs()]
        values = [tensor.cpu().numpy() for tensor in tensors_in(call)]
        found = session.run(None, dict(zip(names, values, strict=True)))
        return [torch.from_numpy(one) for one in found]

    return content, again


def _open_sizes(inputs: Inputs) -> Any:
    """Leave every axis of every tensor open; torch closes by itself those that must be fixed."""
    auto = torch.export.Dim.AUTO
    return replace_tensors(inputs, lambda tensor: dict.fromkeys(range(tensor.dim()), auto))
