"""`uncheck measure`: is there a lattice in these pictures, volumes, films or sounds?"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uncheck.cli import options
from uncheck.cli.gallery import gallery
from uncheck.cli.output import Say, made_folder, note, progress_bar
from uncheck.cli.outputs import Judged, Outputs
from uncheck.errors import UncheckError
from uncheck.progress import Progress
from uncheck.writing import write_file

if TYPE_CHECKING:
    from uncheck.measuring import Measurement
    from uncheck.measuring.settings import Settings
    from uncheck.signals.signal import Given


def command(
    paths: Annotated[
        list[str], typer.Argument(help="Pictures, stacks, arrays, volumes, films, audio, folders or globs.")
    ],
    periods: Annotated[
        str, typer.Option(help="Periods to test, like 2-16 or 2,4,8: pixels to 64, samples of sound to 4096.")
    ] = "2-16",
    span: options.Range = None,
    threshold: options.Threshold = 0.3,
    kind: Annotated[
        options.Planes | None,
        typer.Option(
            "--as",
            metavar="KIND",
            help="What several planes are: pictures, frames, volume or audio; by the shape if not given.",
        ),
    ] = None,
    unit: options.Unit = None,
    mosaic: Annotated[
        str | None, typer.Option(metavar="HxW", help="Cut each picture into tiles of this size, in pixels.")
    ] = None,
    gap: Annotated[int, typer.Option(help="Pixels between the tiles of --mosaic.")] = 0,
    nodata: Annotated[
        float | None,
        typer.Option(
            help="Value of pixels without data, left out like NaN; fills such as -9999 are recognised."
        ),
    ] = None,
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
    recurse: Annotated[
        bool, typer.Option("--recurse/--no-recurse", help="Whether to look into the subfolders of folders.")
    ] = True,
    jobs: Annotated[
        int | None, typer.Option(help="Processes that measure files at a time; one per core if not given.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Samples per second of .npy audio.")] = None,
    fail_above: options.FailAbove = None,
    form: options.Form = None,
    output: options.Output = None,
    html: options.Html = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
) -> int:
    """Measure the lattice of pictures: period, amplitude in grey levels, p-value and verdict.

    Volumes and video (stacks of TIFF, arrays, NIfTI, DICOM, NetCDF, MP4 and others) are measured along all
    their axes, audio as tonal lines in decibels. Steps between patches or tiles of pictures are named blocks.
    A JPEG grid or a camera's colour mosaic is named as a rival, not as a lattice. Exit code 1 if anything has
    a lattice or blocks, 2 if any could not be read (the others are measured all the same).
    """
    outputs, limit = Outputs(form, output, paths, html=html), options.checked_limit(fail_above)
    say = Say(verbose, quiet)
    span_given, tested = options.parse_range(span), options.parse_periods(periods)
    tile, levels = options.parse_tile(mosaic), options.checked_threshold(threshold)
    if maps is not None:
        made_folder(maps, "--map")
    found = find_files(paths, recurse=recurse, maps=maps)
    outputs.check(found.files)

    from uncheck.measuring.settings import Settings, some_periods
    from uncheck.signals.signal import Given

    given = Given(span_given, unit, kind and kind.value, rate, tile, gap, nodata)
    settings = Settings(
        some_periods(tested),
        levels,
        audible=audible,
        where=maps is not None,
        together=together,
    )
    with progress_bar() as progress:
        result = measure_files(found, settings, given, progress, jobs)
    from uncheck.reporting import measure_text
    from uncheck.reporting.formats.findings import failing
    from uncheck.reporting.page import plural

    judged = Judged(result, limit)
    outputs.emit(judged, measure_text, say, lambda: gallery(result, found.files, given))
    if maps is not None:
        drawn = _draw_maps(result, maps)
        said = f"{plural(drawn, 'map')} written to {maps}"
        note(said if drawn else "no map was written: no part of a picture has a grid of its own to show", "")
    for _, message in result.errors:
        note(message, "error")
    if result.errors:
        return 2
    fails = result.verdict in ("lattice", "blocks") and (limit is None or failing(judged.to_dict()))
    return int(fails and not exit_zero)


def _draw_maps(result: Measurement, folder: Path) -> int:
    """Write a PNG for each picture in which a lattice has a place, and return how many.

    Maps of an earlier run are replaced; other files that have such a name are left alone.
    """
    from uncheck.measuring.places.places import LocalMap
    from uncheck.reporting.where import is_map_file, map_png

    written: dict[Path, bytes] = {}
    for image in result.images:
        if not isinstance(image.where, LocalMap):
            continue  # too small for a map
        drawn = map_png(image.where.to_dict(), image.where.picture)
        if drawn is None:
            continue
        stem = re.sub(r"[^\w.-]+", "_", Path(image.path).stem).strip("_.") or "picture"
        paths = (folder / f"{name}-map.png" for name in chain([stem], (f"{stem}-{i}" for i in count(2))))
        path = next(p for p in paths if p not in written and (not os.path.lexists(p) or is_map_file(p)))
        written[path] = drawn
        write_file(path, drawn)
    return len(written)


@dataclass(frozen=True)
class Found:
    """The files that the arguments name, what was skipped in folders, and arguments that name none."""

    files: list[str]
    skipped: Counter[str]
    errors: list[tuple[str, str]]


def find_files(patterns: Sequence[str], *, recurse: bool = True, maps: Path | None = None) -> Found:
    """List the files to measure; the folder of maps is left out.

    Raises:
        UncheckError: nothing at all can be measured and there is one reason: told before much is imported.
    """
    from uncheck.signals.files import SUFFIXES
    from uncheck.signals.folders import list_files
    from uncheck.signals.paths import check_file

    found = Found([], Counter(), [])
    for pattern in patterns:
        try:
            listed = list_files([pattern], SUFFIXES, recurse=recurse, without=() if maps is None else [maps])
        except UncheckError as error:
            found.errors.append((pattern, str(error)))
            continue
        found.files.extend(listed.files)
        found.skipped.update(listed.skipped)
    if not found.files and len(found.errors) == 1:
        raise UncheckError(found.errors[0][1])
    if len(found.files) == 1 and not found.errors and not Path(found.files[0]).is_dir():
        check_file(found.files[0])
    return found


def measure_files(
    found: Found, settings: Settings, given: Given, progress: Progress, jobs: int | None = None
) -> Measurement:
    """Measure file by file; what cannot be read is an entry of `errors`.

    Raises:
        UncheckError: nothing at all could be measured and there is one reason, or the settings are wrong.
    """
    from uncheck.measuring.measure import measure_items
    from uncheck.signals.files import MAY_BE_DEEP
    from uncheck.signals.items import file_items
    from uncheck.workers import checked_jobs, cores

    jobs = cores() if jobs is None else checked_jobs(jobs)
    if found.files and not any(f.lower().endswith(MAY_BE_DEEP) for f in found.files):
        settings.check_pictures()  # once, and not for every file
    result = measure_items(file_items(found.files, given), settings, progress, jobs)
    errors = [*found.errors, *result.errors]
    if not result.images and len(errors) == 1:
        raise UncheckError(errors[0][1])
    return replace(result, errors=tuple(errors), skipped=found.skipped)
