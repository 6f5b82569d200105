"""A lattice in pictures whose network is not at hand."""

from __future__ import annotations

from uncheck.advising.cures import fixed, on_file
from uncheck.advising.fault import Cause, Cure

PICTURE = Cause(
    name="picture",
    title="A grid in a picture",
    synonyms=("lattice", "grid", "pattern"),
    meaning="The picture repeats with a period, on every axis, whatever it shows. Upsampling layers of "
    "neural networks leave this. A picture alone does not tell which layer.",
    signs=("`uncheck measure` says lattice, with a period that is a product of small strides: 2, 4, 8.",),
    cures=(
        Cure("draw where in the picture it is", "some seconds", True, command=on_file("--map", "maps")),
        Cure(
            "inspect the network that made it, which names the layer",
            "some forward passes",
            True,
            code=fixed("uncheck.inspect(model, example_input)"),
        ),
    ),
)
