"""`uncheck inspect`: does this network leave a lattice, and which layer is to blame?"""

from __future__ import annotations

from typing import Annotated

import typer

from uncheck.cli import options
from uncheck.cli.network import Network
from uncheck.cli.output import UNDETERMINED, Say
from uncheck.cli.outputs import Outputs


def command(
    target: options.Target,
    weights: options.Weights = None,
    what: options.Input = None,
    input_span: options.InputRange = "0,1",
    shape: options.Shape = None,
    span: options.Range = None,
    threshold: options.Threshold = 0.3,
    gradient: Annotated[
        bool, typer.Option("--gradient", help="Also look at the gradient with respect to the input.")
    ] = False,
    periods: Annotated[
        str | None,
        typer.Option(
            help="Periods of the output to test as well, like 2-16 or 2,4,8: pixels, or samples to 4096."
        ),
    ] = None,
    which: options.Which = None,
    seconds: Annotated[
        float | None, typer.Option(help="Time to spend on evidence and blame; what was left out is noted.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Samples per second of the output, where it is sound: Hz and dB.")
    ] = None,
    fail_above: options.FailAbove = None,
    form: options.Form = None,
    output: options.Output = None,
    html: options.Html = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
) -> int:
    """Find the lattice a network leaves in its output, and the layers to blame for it.

    TARGET's code is run. Exit code 1 if there is a lattice, 3 if it cannot be told because something on the
    way to the output was not understood or not measured.
    """
    network = Network(target, weights, what, shape, input_span)
    outputs = Outputs(form, output, network.files, html=html)
    network.fail_above = options.checked_limit(fail_above)
    say = Say(verbose, quiet, target)
    limits, levels = options.parse_range(span), options.checked_threshold(threshold)
    options.check_positive(seconds, "--seconds")
    options.check_positive(rate, "--rate")

    from uncheck.measuring.settings import some_periods
    from uncheck.probing.inspect import inspect
    from uncheck.reporting import inspect_text
    from uncheck.reporting.formats.findings import failing

    tested = None if periods is None else some_periods(options.parse_periods(periods))
    result = network.run(
        lambda model, inputs, progress: inspect(
            model,
            inputs,
            span=limits,
            threshold=levels,
            gradient=gradient,
            flat=True if what is None else None,
            periods=tested,
            which=which,
            seconds=seconds,
            rate=rate,
            progress=progress,
        )
    )
    told = network.told(result)
    outputs.emit(told, inspect_text, say, getattr(result, "pixels", None))
    found = result.finding if fail_above is None else failing(told.to_dict())
    code = UNDETERMINED if result.undetermined else int(found)
    return 0 if exit_zero else code
