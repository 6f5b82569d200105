"""`uncheck measure`: is there a lattice in these pictures?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from uncheck.cli.options import (
    ExitZeroOption,
    Format,
    FormatOption,
    OutputOption,
    RangeOption,
    ThresholdOption,
    checked_threshold,
    parse_periods,
    parse_range,
)
from uncheck.cli.output import check_output, emit, page
from uncheck.cli.progress import Progress, progress_bar
from uncheck.errors import UncheckError

if TYPE_CHECKING:
    from uncheck.measuring import ImageMeasurement, Measurement


def command(
    paths: Annotated[list[str], typer.Argument(help="Pictures, .npy arrays, folders or globs.")],
    periods: Annotated[str, typer.Option(help="Pixels per period to test, like 2-16 or 2,4,8.")] = "2-16",
    span: RangeOption = None,
    threshold: ThresholdOption = 0.3,
    form: FormatOption = Format.text,
    output: OutputOption = None,
    exit_zero: ExitZeroOption = False,
) -> int:
    """Measure the lattice of pictures: period, amplitude in grey levels, p-value and verdict.

    A JPEG grid or a camera's colour mosaic is named as a rival, not as a lattice. Exit code 1 if any picture
    has a lattice, 2 if any could not be read (the others are measured all the same).
    """
    check_output(output)
    tried, limits = parse_periods(periods), parse_range(span)
    with progress_bar() as progress:
        result = measure_files(paths, tried, checked_threshold(threshold), limits, progress)
    from uncheck.reporting import json_text, measure_text

    emit(json_text(result) if form is Format.json else measure_text(result, page(output)), output)
    for _, message in result.errors:
        typer.echo(f"error: {message}", err=True)
    if result.errors:
        return 2
    return int(result.verdict == "lattice" and not exit_zero)


def measure_files(
    patterns: Sequence[str],
    periods: Sequence[int],
    threshold: float,
    span: tuple[float, float] | None,
    progress: Progress,
) -> Measurement:
    """Measure file by file; what cannot be read becomes an entry of `errors`.

    Raises:
        UncheckError: nothing at all could be measured and there is one reason, or the settings are wrong.
    """
    import numpy as np

    from uncheck.measuring import Measurement, expand, measure

    images: list[ImageMeasurement] = []
    errors: list[tuple[str, str]] = []
    files: list[str] = []
    for pattern in patterns:
        try:
            files += expand([pattern])
        except UncheckError as error:
            errors.append((pattern, str(error)))
    # Wrong periods are one error, not one for every file.
    measure(np.zeros((4, 4)), periods=periods)
    for done, file in enumerate(files):
        progress(file, done, len(files))
        try:
            images += measure(file, periods=periods, threshold=threshold, span=span).images
        except UncheckError as error:
            errors.append((file, str(error)))
    if not images and len(errors) == 1:
        raise UncheckError(errors[0][1])
    return Measurement(tuple(images), tuple(errors))
