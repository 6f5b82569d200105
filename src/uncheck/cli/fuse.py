"""`uncheck fuse`: resize-convolutions of a network as one layer each, written as weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uncheck.cli.inspect import run_on_input
from uncheck.cli.options import ExitZeroOption, Format, FormatOption, parse_range, parse_shape
from uncheck.cli.output import check_output, emit, page
from uncheck.cli.progress import progress_bar
from uncheck.cli.usercode import user_code
from uncheck.errors import UncheckError
from uncheck.writing import write_file

if TYPE_CHECKING:
    from uncheck.fusing import Fusion


def command(
    target: Annotated[
        str, typer.Argument(help="file.py:name or package.module:name of a model, or of what makes one.")
    ],
    weights: Annotated[
        Path | None, typer.Option(help="Weights: .safetensors, or a .pth of tensors only.")
    ] = None,
    what: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="WHAT",
            help="A picture, a folder of them, a .npy, or file.py:name of a callable returning the input.",
        ),
    ] = None,
    input_span: Annotated[
        str, typer.Option("--input-range", metavar="LO,HI", help="What black and white are in the input.")
    ] = "0,1",
    shape: Annotated[
        str | None, typer.Option(help="Shape of the input, like 1,3,256,256; made up without --input.")
    ] = None,
    form: FormatOption = Format.text,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the fused network's weights here, as .safetensors."),
    ] = None,
    exit_zero: ExitZeroOption = False,
) -> int:
    """Make every resize and the convolution after it one layer, without changing what the network computes.

    TARGET's code is run, and the network put in eval mode. Without -o it only says what it would do. Exit
    code 0 if every resize was fused, or there was none; 1 if some were refused; 2 if the outputs differ by
    more than rounding, or on another error, and then nothing is written.
    """
    _check_weights_file(output, [*([weights] if weights else []), *([what] if what else [])])
    sizes = None if shape is None else parse_shape(shape)
    span = parse_range(input_span, "--input-range") or (0.0, 1.0)

    from uncheck.fusing import fuse
    from uncheck.probing.signals import like_weights
    from uncheck.reading import load_target, load_weights
    from uncheck.reporting import json_text
    from uncheck.reporting.fusion import fuse_text

    with progress_bar() as progress, user_code(target):
        model = load_target(target)
        if weights is not None:
            load_weights(model, weights)
        model.eval()

        def run(inputs: tuple[Any, ...]) -> Any:
            # Inputs that a callable made are taken as they are.
            if what is None or ":" not in what:
                inputs = tuple(like_weights(model, x) for x in inputs)
            return fuse(model, inputs, progress=progress)

        result: Any = run_on_input(run, what, sizes, span)
    if output is not None:
        _write(output, result, target)
    emit(json_text(result) if form is Format.json else fuse_text(result, page(None)), None)
    return int(result.finding and not exit_zero)


def _check_weights_file(output: Path | None, inputs: list[str | Path]) -> None:
    if output is None:
        return
    if output.suffix != ".safetensors":
        raise UncheckError(f"-o {output} does not end in .safetensors; weights are written in that format")
    check_output(output, inputs)


def _write(path: Path, result: Fusion, target: str) -> None:
    """Write the fused network's weights, with what was done to them in the file's metadata."""
    import torch
    from safetensors.torch import save

    from uncheck import __version__

    if not result.fused:
        typer.echo(f"note: nothing was fused, so {path} was not written", err=True)
        return
    state = result.model.state_dict()
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
    typer.echo(f"note: wrote {path}", err=True)
