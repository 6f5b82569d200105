"""`uncheck demo`: inspection and measurement of a network that comes with the package, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uncheck.advising import Request
from uncheck.cli.network import Told
from uncheck.cli.output import emit, made_folder, progress_bar
from uncheck.errors import UncheckError
from uncheck.writing import write_files

#: The command that inspects the same network.
REQUEST = Request("uncheck.demo:load", input="uncheck.demo:pictures")


def command(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder to write; only the demo's own files are replaced.")
    ] = Path("uncheck-demo"),
) -> int:
    """Inspect a small trained network, measure its pictures, and write report, JSON and pictures to a folder.

    Exit code 0 although it finds a lattice.
    """
    folder = made_folder(output, "-o")

    from uncheck.demo import load, origin, pictures
    from uncheck.measuring import find_lattice, measure, synthesise
    from uncheck.measuring.lines import strongest_place
    from uncheck.probing.inspect import inspect
    from uncheck.reporting import Page, inspect_text, json_text, measure_text
    from uncheck.reporting.page import Detail
    from uncheck.reporting.pictures import CROP, as_image, as_png, lattice_pictures

    everything = Page(detail=Detail.verbose)
    network, photographs = load(), pictures()
    with progress_bar() as progress:
        inspection = inspect(network, photographs, progress=progress)
    if inspection.output is None:
        raise UncheckError("the demo network gave no pictures; reinstall uncheck")
    files, captions = {}, []
    for i, (photograph, painted) in enumerate(zip(photographs, inspection.output, strict=True), 1):
        files[folder / f"input-{i}.png"] = as_png(as_image(photograph.movedim(0, -1).numpy() * 255))
        files[folder / f"output-{i}.png"] = as_png(as_image(painted))
    write_files(files)
    measurement = measure([str(path) for path in files])
    for i, painted in enumerate(inspection.output, 1):
        found = find_lattice(painted).present
        lattice = sum((synthesise(one, painted.shape) for one in found), 0 * painted)
        frequencies = [line.frequency for one in found for line in one.lines]
        place = strongest_place(painted, frequencies, CROP)
        for picture in lattice_pictures(painted, lattice, place) if found else []:
            name = f"output-{i}-{picture.name}.png"
            files[folder / name] = as_png(as_image(picture.levels))
            captions.append(f"{name}: {picture.caption}")

    report = "\n\n".join(
        [
            "A small network that paints photographs, inspected on two of them.",
            inspect_text(Told(inspection, by_target=True, request=REQUEST), everything),
            "Its inputs and outputs, measured as pictures.",
            measure_text(measurement, everything),
            f"Pictures in {folder}\n" + "\n".join(captions),
            "Where the network and the photographs come from\n" + origin.strip(),
        ]
    )
    files[folder / "report.txt"] = (report + "\n").encode()
    files[folder / "inspect.json"] = (json_text(inspection) + "\n").encode()
    files[folder / "measure.json"] = (json_text(measurement) + "\n").encode()
    write_files(files)
    emit(f"{report}\n\nWritten to {folder}: report.txt, inspect.json, measure.json and the pictures.")
    return 0
