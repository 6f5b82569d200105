"""`uncheck overlap`: how often the kernel of an upsampling layer reaches each output pixel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from uncheck.cli import options
from uncheck.cli.output import Say
from uncheck.cli.outputs import Outputs
from uncheck.errors import UncheckError

if TYPE_CHECKING:
    from uncheck.geometry import Layer, Overlap
    from uncheck.reporting import Page

_SIZE = r"\d+(?:x\d+)*"
_LAYER = re.compile(
    rf"(?P<conv>conv)?k(?P<kernel_size>{_SIZE})(?:s(?P<stride>{_SIZE}))?(?:p(?P<padding>{_SIZE}))?"
    rf"(?:op(?P<output_padding>{_SIZE}))?(?:d(?P<dilation>{_SIZE}))?"
)


def command(
    kernel: Annotated[str | None, typer.Argument(help="Taps: 3, or one per axis like 3x5.")] = None,
    stride: Annotated[str | None, typer.Argument(help="Upsampling factor: 2, or 2x1.")] = None,
    kernel_size: Annotated[
        str | None, typer.Option("--kernel-size", "-k", help="The same as KERNEL; 3 if neither is given.")
    ] = None,
    stride_option: Annotated[
        str | None, typer.Option("--stride", "-s", help="The same as STRIDE; 2 if neither is given.")
    ] = None,
    ndim: Annotated[int | None, typer.Option(help="Axes, 1 to 3; as many as the sizes have, else 2.")] = None,
    padding: Annotated[str, typer.Option(help="Pixels cropped at both ends of the output.")] = "0",
    output_padding: Annotated[str, typer.Option(help="Pixels added at the end of the output.")] = "0",
    dilation: Annotated[str, typer.Option(help="Pixels between taps.")] = "1",
    input_size: Annotated[str | None, typer.Option(help="Input pixels of the map.")] = None,
    then: Annotated[
        list[str] | None,
        typer.Option(help="A layer that follows, like k3s2, k4s2p1op1d1 or convk7; once for each."),
    ] = None,
    form: options.Form = None,
    output: options.Output = None,
    html: options.Html = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
) -> int:
    """Count the kernel taps that each output pixel of a transposed convolution, or a chain of them, receives.

    Exit code 1 if they are uneven.
    """
    from uncheck.geometry import chain, layer, surviving_periods
    from uncheck.plain import plain
    from uncheck.reporting import overlap_text

    outputs = Outputs(form, output, html=html)
    say = Say(verbose, quiet)
    first = layer(
        options.parse_sizes(_one_of("kernel size", kernel, kernel_size) or "3", "kernel size"),
        options.parse_sizes(_one_of("stride", stride, stride_option) or "2", "stride"),
        options.parse_sizes(padding, "--padding"),
        options.parse_sizes(output_padding, "--output-padding"),
        options.parse_sizes(dilation, "--dilation"),
        ndim=ndim,
    )
    layers = [first, *(parse_layer(text, first.ndim) for text in then or ())]
    result = chain(layers, None if input_size is None else options.parse_sizes(input_size, "--input-size"))

    def text(result: Overlap, page: Page) -> str:
        return overlap_text(result, plain(result.layers), result.axis_taps, surviving_periods(result), page)

    outputs.emit(result, text, say)
    return int(not result.even and not exit_zero)


def parse_layer(text: str, ndim: int) -> Layer:
    """Parse a layer like k3s2p1op1d1, a transposed convolution, or convk7, a plain one; only k is needed.

    Raises:
        UncheckError: anything else, or sizes that are out of range.
    """
    from uncheck.geometry import layer

    match = _LAYER.fullmatch(text.strip().lower())
    if not match:
        raise UncheckError(
            f"--then {text!r} is no layer; write kernel and stride like k3s2, with p, op and d after them "
            "if needed, and conv before it for a plain convolution"
        )
    given = match.groupdict()
    plain = given.pop("conv") is not None
    values = {
        name: options.parse_sizes(value, "--then") for name, value in given.items() if value is not None
    }
    return layer(**values, ndim=ndim, transposed=not plain)


def _one_of(what: str, argument: str | None, option: str | None) -> str | None:
    if argument is not None and option is not None and argument != option:
        raise UncheckError(f"the {what} is given twice, as {argument} and as {option}; give it once")
    return argument if argument is not None else option
