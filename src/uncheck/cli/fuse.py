"""`uncheck fuse`: resize-convolutions of a network as one layer each, written as weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uncheck.cli import options
from uncheck.cli.network import Network
from uncheck.cli.output import Say, check_output, note
from uncheck.cli.outputs import Outputs
from uncheck.errors import UncheckError
from uncheck.writing import write_file

if TYPE_CHECKING:
    from uncheck.fusing import Fusion


def command(
    target: options.Target,
    weights: options.Weights = None,
    what: options.Input = None,
    input_span: options.InputRange = "0,1",
    shape: options.Shape = None,
    form: options.Form = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the fused network's weights here, as .safetensors."),
    ] = None,
    html: options.Html = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
) -> int:
    """Make every resize and the convolution after it one layer, without changing what the network computes.

    TARGET's code is run, and the network put in eval mode. Without -o it only says what it would do. Exit
    code 0 if every resize was fused, or there was none; 1 if some were refused; 2 if the outputs differ by
    more than rounding, or on another error, and then nothing is written.
    """
    network = Network(target, weights, what, shape, input_span)
    if output is not None and output.suffix != ".safetensors":
        raise UncheckError(f"-o {output} does not end in .safetensors; weights are written in that format")
    check_output(output, network.files)
    outputs = Outputs(form, None, network.files, html=html)
    say = Say(verbose, quiet, target)

    from uncheck.fusing import fuse
    from uncheck.reporting.fusion import fuse_text

    result = network.run(lambda model, inputs, progress: fuse(model.eval(), inputs, progress=progress))
    if output is not None:
        _write(output, result, target)
    network.note_weights(result)
    outputs.emit(network.advised(result), fuse_text, say)
    return int(result.finding and not exit_zero)


def _write(path: Path, result: Fusion, target: str) -> None:
    """Write the fused network's weights, with what was done to them in the file's metadata."""
    import torch
    from safetensors.torch import save

    from uncheck import __version__

    if not result.fused:
        note(f"nothing was fused, so {path} was not written")
        return
    state: dict[str, Any] = result.model.state_dict()
    foreign = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if foreign:
        raise UncheckError(
            f"{foreign[0]} in the network's state is no tensor, and safetensors holds only tensors; use "
            "uncheck.fuse in Python and save the network there"
        )
    # Clones, because weights that are shared must not be so in the file.
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    said = result.to_dict()
    metadata = {name: json.dumps(said[name]) for name in ("fused", "refused", "difference")}
    about = {"format": "pt", "schema": said["schema"], "uncheck": __version__, "torch": torch.__version__}
    write_file(path, save(tensors, metadata | about | {"target": target}))
    note(f"wrote {path}")
