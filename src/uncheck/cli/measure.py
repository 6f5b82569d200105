"""`uncheck measure`: is there a lattice in these pictures, volumes, films or sounds?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uncheck.cli.options import (
    ExitZeroOption,
    Format,
    FormatOption,
    Kind,
    OutputOption,
    RangeOption,
    ThresholdOption,
    UnitOption,
    checked_threshold,
    parse_periods,
    parse_range,
    parse_tile,
)
from uncheck.cli.output import check_output, emit, made_folder, page
from uncheck.cli.progress import Progress, progress_bar
from uncheck.errors import UncheckError
from uncheck.writing import write_file

if TYPE_CHECKING:
    from uncheck.measuring import Measurement


def command(
    paths: Annotated[
        list[str], typer.Argument(help="Pictures, TIFF stacks, .npy arrays, audio, folders or globs.")
    ],
    periods: Annotated[str, typer.Option(help="Pixels per period to test, like 2-16 or 2,4,8.")] = "2-16",
    span: RangeOption = None,
    threshold: ThresholdOption = 0.3,
    kind: Annotated[
        Kind | None, typer.Option("--as", help="How several planes are taken; by the shape if not given.")
    ] = None,
    unit: UnitOption = None,
    mosaic: Annotated[
        str | None, typer.Option(metavar="HxW", help="Cut each picture into tiles of this size, in pixels.")
    ] = None,
    gap: Annotated[int, typer.Option(help="Pixels between the tiles of --mosaic.")] = 0,
    audible: Annotated[
        float, typer.Option(help="Decibels below the rest of a sound at which a line counts as a trace.")
    ] = -60.0,
    together: Annotated[
        bool,
        typer.Option(
            "--set", help="Take them all as outputs of one network: one verdict, a much lower limit."
        ),
    ] = False,
    maps: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FOLDER",
            help="Look for lattices in parts of pictures; draw where, into a folder.",
        ),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Samples per second of .npy audio.")] = None,
    form: FormatOption = Format.text,
    output: OutputOption = None,
    exit_zero: ExitZeroOption = False,
) -> int:
    """Measure the lattice of pictures: period, amplitude in grey levels, p-value and verdict.

    Volumes and video (.npy, TIFF of several pages) are measured along all their axes, audio as tonal lines in
    decibels. A JPEG grid or a camera's colour mosaic is named as a rival, not as a lattice. Exit code 1 if
    anything has a lattice, 2 if any could not be read (the others are measured all the same).
    """
    check_output(output, paths)
    options = {
        "periods": parse_periods(periods),
        "threshold": checked_threshold(threshold),
        "span": parse_range(span),
        "kind": kind and kind.value,
        "unit": unit,
        "mosaic": parse_tile(mosaic),
        "gap": gap,
        "audible": audible,
        "rate": rate,
        "together": together,
        "where": maps is not None,
    }
    if maps is not None:
        made_folder(maps, "--map")
    with progress_bar() as progress:
        result = measure_files(paths, options, progress, output)
    from uncheck.reporting import json_text, measure_text

    emit(json_text(result) if form is Format.json else measure_text(result, page(output)), output)
    if maps is not None:
        drawn = _draw_maps(result, maps)
        typer.echo(f"{drawn} map{'s' if drawn != 1 else ''} written to {maps}", err=True)
    for _, message in result.errors:
        typer.echo(f"error: {message}", err=True)
    if result.errors:
        return 2
    return int(result.verdict == "lattice" and not exit_zero)


def _draw_maps(result: Measurement, folder: Path) -> int:
    """A PNG for each picture in which a lattice has a place; how many."""
    from uncheck.reporting.where import map_png

    names: set[str] = set()
    for image in result.images:
        drawn = None if image.where is None else map_png(image.where)
        if drawn is None:
            continue
        stem = re.sub(r"[^\w.-]+", "_", Path(image.path).stem).strip("_.") or "picture"
        name = next(n for n in chain([stem], (f"{stem}-{i}" for i in count(2))) if n not in names)
        names.add(name)
        write_file(folder / f"{name}-map.png", drawn)
    return len(names)


def measure_files(
    patterns: Sequence[str], options: Mapping[str, Any], progress: Progress, output: Path | None = None
) -> Measurement:
    """Measure file by file with the `options` of `measure`; what cannot be read is an entry of `errors`.

    Raises:
        UncheckError: nothing at all could be measured and there is one reason, or the settings are wrong.
    """
    from uncheck.measuring import Measurement, check_options, expand, measure
    from uncheck.signals.files import SUFFIXES

    errors: list[tuple[str, str]] = []
    files: list[str] = []
    for pattern in patterns:
        try:
            files += expand([pattern], SUFFIXES)
        except UncheckError as error:
            errors.append((pattern, str(error)))
    check_output(output, files)
    # Wrong options are one error, not one for every file.
    check_options(files, **options)
    result = Measurement(())
    if files:
        try:
            result = measure(files, progress=progress, **options)
        except UncheckError as error:
            errors.append((files[0], str(error)))
    errors += result.errors
    if not result.images and len(errors) == 1:
        raise UncheckError(errors[0][1])
    return replace(result, errors=tuple(errors))
