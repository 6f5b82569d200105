"""`uncheck demo`: the whole way on a network that comes with the package, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uncheck.cli.output import made_folder
from uncheck.cli.progress import progress_bar
from uncheck.errors import UncheckError
from uncheck.writing import write_file


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
    from uncheck.measuring import measure
    from uncheck.probing.inspect import inspect
    from uncheck.reporting import inspect_text, json_text, measure_text
    from uncheck.reporting.pictures import as_png, lattice_pictures

    network, photographs = load(), pictures()
    with progress_bar() as progress:
        inspection = inspect(network, photographs, progress=progress)
    if inspection.output is None:
        raise UncheckError("the demo network gave no pictures; reinstall uncheck")
    paths = []
    for i, (photograph, painted) in enumerate(zip(photographs, inspection.output, strict=True), 1):
        for name, levels in (
            (f"input-{i}.png", photograph.movedim(0, -1).numpy() * 255),
            (f"output-{i}.png", painted),
        ):
            write_file(folder / name, as_png(levels))
            paths.append(str(folder / name))
    measurement = measure(paths)
    captions = []
    for i, painted in enumerate(inspection.output, 1):
        for picture in lattice_pictures(painted):
            name = f"output-{i}-{picture.name}.png"
            write_file(folder / name, as_png(picture.levels))
            captions.append(f"{name}: {picture.caption}")

    report = "\n\n".join(
        [
            "A small network that paints photographs, inspected on two of them.",
            inspect_text(inspection),
            "Its inputs and outputs, measured as pictures.",
            measure_text(measurement),
            f"Pictures in {folder}\n" + "\n".join(captions),
            "Where the network and the photographs come from\n" + origin.strip(),
        ]
    )
    write_file(folder / "report.txt", (report + "\n").encode())
    write_file(folder / "inspect.json", (json_text(inspection) + "\n").encode())
    write_file(folder / "measure.json", (json_text(measurement) + "\n").encode())
    typer.echo(report)
    typer.echo(f"\nWritten to {folder}: report.txt, inspect.json, measure.json and the pictures.")
    return 0
