"""`uncheck repair`: a released network without its lattice, without its training data."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uncheck.cli import options
from uncheck.cli.network import Inputs, Network
from uncheck.cli.output import Say, check_output, command_line, made_folder, note
from uncheck.cli.outputs import Outputs
from uncheck.errors import UncheckError
from uncheck.progress import Progress
from uncheck.repairing.methods import METHODS
from uncheck.writing import write_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from uncheck.repairing.result import Repair

#: Files of a repair in its folder; `repaired.onnx` and `repaired.pt2` on request.
WEIGHTS, JSON, HTML, EXPORTED = "repaired.safetensors", "report.json", "report.html", "repaired"

#: Where an interrupted training goes on when the same command is given again; gone once a repair is done.
CHECKPOINT = "distill.checkpoint"

Exports = tuple[dict[str, bytes], UncheckError | None]

#: Pictures taken from a folder: enough to fit on some and judge on others.
MOST_PICTURES = 48

#: Minutes of a search: a year.
MOST_MINUTES = 525_600

Method = StrEnum("Method", ["auto", *(one.name for one in METHODS)])  # type: ignore[misc]
"""How to repair."""

Export = StrEnum("Export", ["onnx", "pt2"])
"""Formats of other programs."""


def command(
    target: options.Target,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder to write; only a repair's own files are replaced.")
    ],
    what: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="WHAT",
            help=f"A folder of pictures (the first {MOST_PICTURES}), a .npy of samples, or file.py:name of a "
            "callable returning them; made up without it, as --shape says, which suits codes.",
        ),
    ] = None,
    weights: options.Weights = None,
    method: Annotated[Method, typer.Option(help="One method, or all, cheapest first.")] = Method("auto"),
    minutes: Annotated[float, typer.Option(help="Time to spend; the best so far is kept.")] = 10.0,
    fidelity: Annotated[
        float | None,
        typer.Option(
            metavar="DB", help="Least PSNR to the original's output; one that suits the method if not given."
        ),
    ] = None,
    input_span: options.InputRange = "0,1",
    shape: Annotated[
        str | None, typer.Option(help="Shape of the input, like 1,3,256,256: pictures are cut to its size.")
    ] = None,
    span: options.Range = None,
    which: options.Which = None,
    export: Annotated[
        list[Export] | None, typer.Option(help="Also write the network for other programs; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything drawn at random.")] = 0,
    even_if_invisible: Annotated[
        bool,
        typer.Option("--even-if-invisible", help="Repair a grid, too, that is too weak to be seen."),
    ] = False,
    keep_even: Annotated[
        bool,
        typer.Option(
            "--keep-even", help="When loaded, keep equal gains equal while the network is trained on."
        ),
    ] = False,
    form: options.Form = None,
    html: options.Html = None,
    verbose: options.Verbose = False,
    quiet: options.Quiet = False,
    exit_zero: options.ExitZero = False,
) -> int:
    """Repair a network without its training data, judged on inputs that no repair was fitted on.

    TARGET's code is run. -o receives repaired.safetensors, for uncheck.load_repaired, report.json and
    report.html; after a refusal the reports alone. Ctrl-C ends the search and keeps the best so far. Exit
    code 0 if the network was repaired; 1 if every repair was refused, or there is nothing to repair; 2 on an
    error.
    """
    if what is None and shape is None:
        raise UncheckError(
            "a repair needs a dozen inputs; name a folder of pictures or a callable with --input, or, of a "
            "network of codes, their --shape, such as 24,100"
        )
    network = Network(target, weights, what, shape, input_span, MOST_PICTURES)
    outputs = Outputs(form, None, network.files, html=html)
    limits, say = options.parse_range(span), Say(verbose, quiet, target)
    if not 0 < minutes <= MOST_MINUTES:
        raise UncheckError(f"--minutes {minutes:g} is no time to spend; give at most {MOST_MINUTES}, above 0")
    if fidelity is not None and not math.isfinite(fidelity):
        raise UncheckError(f"--fidelity {fidelity:g} is not an ordinary number; give dB")
    forms = list(dict.fromkeys(one.value for one in export or ()))
    folder = made_folder(output, "-o")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UncheckError(f"-o {folder} cannot be written; check its permissions")
    for name in (WEIGHTS, JSON, HTML, CHECKPOINT, *(f"{EXPORTED}.{one}" for one in forms)):
        check_output(folder / name, network.files)
    checkpoint = (folder / CHECKPOINT).absolute()

    from uncheck.editing.export import check_exporter
    from uncheck.repairing.repair import repair
    from uncheck.reporting.repair import repair_text
    from uncheck.reporting.web.document import Made
    from uncheck.reporting.web.text import html_text

    for one in forms:
        check_exporter(one)

    def act(model: nn.Module, inputs: Inputs, progress: Progress) -> tuple[Repair, Exports]:
        result = repair(
            model,
            inputs,
            method=str(method),
            minutes=minutes,
            fidelity=fidelity,
            which=which,
            span=limits,
            seed=seed,
            even_if_invisible=even_if_invisible,
            checkpoint=checkpoint,
            progress=progress,
        )
        return result, _exports(result, forms)

    result, (exports, failure) = network.run(act)
    network.note_weights(result)
    if result.interrupted and result.model is None:
        _note_checkpoint(folder)
        raise KeyboardInterrupt  # the reports of an earlier repair are worth more than none
    told, pictures = network.advised(result, output), _pictures(result)
    page = html_text(told, pictures, Made.now(command_line()))
    try:
        _write(folder, result, page, exports, {"target": target, "input": what, "seed": seed}, keep_even)
    finally:
        outputs.emit(told, repair_text, say, lambda: pictures)
    if failure is not None:
        raise failure
    return int(result.model is None and not exit_zero)


def _exports(result: Repair, forms: list[str]) -> Exports:
    """Return the exports by file name, and why one failed, which must not cost the others."""
    from uncheck.editing.export import exported

    made: dict[str, bytes] = {}
    failure: UncheckError | None = None
    if result.model is None or result.example is None:
        return made, None
    for one in forms:
        try:
            made[f"{EXPORTED}.{one}"] = exported(result.model, result.example, one)
        except UncheckError as error:
            failure = failure or error
    return made, failure


def _write(
    folder: Path,
    result: Repair,
    page: str,
    exports: dict[str, bytes],
    about: dict[str, Any],
    keep_even: bool,
) -> None:
    """Write all files together, and name older ones that this run did not make."""
    from uncheck.editing.store import even_layers, repaired_bytes, without_spin
    from uncheck.reporting import json_text

    files = {
        HTML: page.encode(),
        JSON: (json_text(result) + "\n").encode(),
        **exports,
    }
    if result.model is not None and result.candidate is not None:
        files[WEIGHTS] = repaired_bytes(result.model, result.candidate, about, even=keep_even)
        if keep_even and not even_layers(without_spin(result.model)):
            note("no upsampler has equal gains after this repair, so --keep-even has nothing to keep")
    write_files({folder / name: content for name, content in files.items()})
    note(f"wrote {', '.join(sorted(files))} to {folder}")
    _note_checkpoint(folder)
    possible = (WEIGHTS, *(f"{EXPORTED}.{one}" for one in Export))
    for name in possible:
        if name not in files and (folder / name).exists():
            note(f"{folder / name} is of an earlier run and was left as it is; this run made none")


def _pictures(result: Repair) -> dict[str, Any]:
    """Return the pictures of the page, and the place of what it enlarges."""
    pictures = result.judgement.pictures if result.judgement else {}
    return {**pictures, "place": _place(result, pictures)}


def _place(result: Repair, pictures: Mapping[str, NDArray[np.float32]]) -> tuple[int, int]:
    """Return where the page crops: the part in which the original's lattice is strongest."""
    from uncheck.measuring.lines import strongest_place
    from uncheck.reporting.pictures import CROP
    from uncheck.reporting.repair_page import crop_frequencies

    original = pictures.get("original")
    if original is None or original.ndim < 3 or min(original.shape[:2]) <= CROP:
        return 0, 0
    return strongest_place(original, crop_frequencies(result), CROP)


def _note_checkpoint(folder: Path) -> None:
    if (folder / CHECKPOINT).exists():
        note(f"the same command goes on with the training from {folder / CHECKPOINT}")
