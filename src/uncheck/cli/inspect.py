"""`uncheck inspect`: does this network leave a lattice, and which layer is to blame?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uncheck.cli.options import (
    ExitZeroOption,
    Format,
    FormatOption,
    OutputOption,
    RangeOption,
    ThresholdOption,
    checked_threshold,
    parse_range,
    parse_shape,
)
from uncheck.cli.output import check_output, emit, page
from uncheck.cli.progress import progress_bar
from uncheck.cli.usercode import user_code
from uncheck.errors import UncheckError

if TYPE_CHECKING:
    from uncheck.probing.result import Inspection

#: Tried in this order when nothing is said about the input: a colour picture, a grey one.
SHAPES = ((1, 3, 256, 256), (1, 1, 256, 256))

Run = Callable[[tuple[Any, ...]], "Inspection"]


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
    span: RangeOption = None,
    threshold: ThresholdOption = 0.3,
    gradient: Annotated[
        bool, typer.Option("--gradient", help="Also look at the gradient with respect to the input.")
    ] = False,
    form: FormatOption = Format.text,
    output: OutputOption = None,
    exit_zero: ExitZeroOption = False,
) -> int:
    """Find the lattice a network leaves in its output, and the layers to blame for it.

    TARGET's code is run. Exit code 1 if there is a lattice, or if it cannot be told because something on the
    way to the output was not understood.
    """
    check_output(output)
    sizes = None if shape is None else parse_shape(shape)
    limits, levels = parse_range(span), checked_threshold(threshold)
    input_limits = parse_range(input_span, "--input-range") or (0.0, 1.0)

    from uncheck.probing.inspect import inspect
    from uncheck.probing.signals import like_weights
    from uncheck.reading import load_target, load_weights
    from uncheck.reporting import inspect_text, json_text

    with progress_bar() as progress, user_code(target):
        model = load_target(target)
        if weights is not None:
            load_weights(model, weights)

        def run(inputs: tuple[Any, ...]) -> Inspection:
            # Inputs that a callable made are taken as they are.
            if what is None or ":" not in what:
                inputs = tuple(like_weights(model, x) for x in inputs)
            return inspect(
                model,
                inputs,
                span=limits,
                threshold=levels,
                gradient=gradient,
                flat=what is None,
                progress=progress,
            )

        result = run_on_input(run, what, sizes, input_limits)
    emit(json_text(result) if form is Format.json else inspect_text(result, page(output)), output)
    return int(result.finding and not exit_zero)


def run_on_input(
    run: Run,
    what: str | None,
    shape: tuple[int, ...] | None,
    span: tuple[float, float],
    most: int | None = None,
) -> Inspection:
    """Run on the input that the options name; where they leave its channels open, on colour, then on grey.

    Of a folder `most` pictures are taken, a few if None.

    Raises:
        UncheckError: the input cannot be read, or the network takes none that was tried.
    """
    from uncheck.probing.inputs import MOST, load_input

    if what is None and shape is None:
        return _on_made_up(run, span)
    most = MOST if most is None else most
    inputs = load_input(what, shape, span, most)
    if shape is not None or what is None or not _names_pictures(what):
        return run(inputs)
    try:
        return run(inputs)
    except UncheckError as error:
        if not _forward_raised(error):
            raise
        count, _, height, width = inputs[0].shape
        try:
            result = run(load_input(what, (count, 1, height, width), span, most))
        except UncheckError:
            raise error from None
    typer.echo("note: the network takes no colour pictures; they were made grey", err=True)
    return result


def _on_made_up(run: Run, span: tuple[float, float]) -> Inspection:
    from uncheck.probing.inputs import load_input

    failures = []
    for shape in SHAPES:
        try:
            result = run(load_input(None, shape, span))
        except UncheckError as error:
            if not _forward_raised(error):
                raise
            failures.append(error)
            continue
        typer.echo(f"note: no --input and no --shape given; used a made-up {_text(shape)}", err=True)
        return result
    raise UncheckError(
        f"no --input and no --shape given, and neither {_text(SHAPES[0])} nor {_text(SHAPES[1])} works "
        f"({failures[0]}); give the network's input with --input or --shape"
    ) from failures[0]


def _names_pictures(what: str) -> bool:
    return not what.endswith(".npy") and (":" not in what or Path(what).exists())


def _forward_raised(error: UncheckError) -> bool:
    """Whether the network itself failed (and not that its output is NaN, say): then another input may do."""
    return error.__cause__ is not None


def _text(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))
