"""Make the pictures of README.md and docs/ from the demo network, its photographs and the committed results.

    python docs/pictures/make.py              # all: two minutes, mostly for the repair
    python docs/pictures/make.py overlap      # by name

Every number in a picture is measured when it is made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

import uncheck
from uncheck import layers
from uncheck.demo import load, pictures

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "benchmarks"))
from machine import describe  # noqa: E402

#: Colours that the colour-blind tell apart (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"

#: Rows and columns of the demo's first output that the pictures enlarge.
CROP = (slice(24, 152), slice(52, 180))

Levels = NDArray[np.uint8]


def row(panels: dict[str, Any], *, inches: float = 3.0, cmap: str = "gray", **limits: float) -> Figure:
    """Draw pixels side by side, with a caption under each."""
    figure = Figure(figsize=(inches * len(panels), inches + 0.5), layout="constrained")
    for axis, (caption, pixels) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items()):
        axis.imshow(pixels, cmap=cmap, interpolation="nearest", **limits)
        axis.set(xticks=[], yticks=[], xlabel=caption)
        axis.spines[:].set_visible(False)
    return figure


def levels(output: torch.Tensor) -> Levels:
    """Convert an output (3, H, W) in 0..1 to grey levels (H, W, 3), as saving it does."""
    return (output.detach() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def found(image: Levels) -> str:
    """Return what `uncheck.measure` finds in a picture, in short."""
    result = uncheck.measure(image).images[0]
    return (
        f"looks alike: {result.rival}"
        if result.rival
        else ", ".join(amplitudes(result.found.present)) or "clean"
    )


def amplitudes(components: Any) -> list[str]:
    """Return "4.4 levels at period 4" for each component."""
    return [
        f"{c.amplitude:.1f} levels at period {'x'.join(map(str, dict.fromkeys(c.period)))}"
        for c in components
    ]


@cache
def demo_outputs() -> torch.Tensor:
    """Return what the demo network makes of its two photographs."""
    with torch.no_grad():
        return load()(pictures())


def repaired() -> Figure:
    """Draw the demo network before and after a repair, on its first photograph; store both strengths."""
    photographs = pictures()
    turned = [photographs, photographs.flip(-1), photographs.flip(-2), photographs.flip(-1, -2)]
    turned += [photographs.mT, photographs.mT.flip(-1)]
    result = uncheck.repair(load(), torch.cat(turned), method="spin", minutes=10)
    if result.model is None:
        raise SystemExit(str(result))
    with torch.no_grad():
        after = levels(result.model(photographs)[0])
    panels, strengths = {}, {}
    for name, picture in (("a network's output", levels(demo_outputs()[0])), ("repaired", after)):
        seen = uncheck.measure(picture).images[0]
        strengths[name] = {"strength": round(seen.found.strength, 3), "verdict": seen.verdict}
        strength = f"{seen.found.strength:.1f} grey levels"
        panels[f"{name}: {strength}{' (no lattice found)' if seen.verdict == 'clean' else ''}"] = picture[
            CROP
        ]
    stored = {"measured": strengths, "method": result.method, "label": result.label, "machine": describe()}
    (HERE / "repaired.json").write_text(json.dumps(stored, indent=1) + "\n")
    return row(panels, inches=3.6)


def inspected() -> Figure:
    """Draw an output of the demo network, and its lattice alone."""
    from uncheck.measuring import find_lattice, synthesise

    picture = demo_outputs()[0].permute(1, 2, 0).numpy() * np.float32(255)
    components = find_lattice(picture).present
    alone = sum(synthesise(c, picture.shape) for c in components)
    return row(
        {
            "output of the demo network": levels(demo_outputs()[0])[CROP],
            "its lattice alone, 10 times as strong": np.clip(128 + 10 * alone, 0, 255).astype(np.uint8)[CROP],
        }
    )


def measured() -> Figure:
    """Draw three pictures, and what `measure` finds in each."""
    photograph = levels(pictures()[1])
    coarse = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
    thresholds = np.tile(coarse * 16 + 8, (64, 64))[..., None]
    shown = {
        "photograph": photograph,
        "the same, printed in dots": np.where(photograph > thresholds, 255, 0).astype(np.uint8),
        "painted by the demo network": levels(demo_outputs()[1]),
    }
    return row({f"{name}\n{found(image)}": image[64:192, 64:192] for name, image in shown.items()})


def amplitude() -> Figure:
    """Draw cosines of known amplitude and period on a photograph."""
    photograph = pictures()[1].permute(1, 2, 0).numpy()[64:128, 64:128] * 255
    rows, columns = np.indices(photograph.shape[:2])
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    for line, period in zip(figure.subplots(2, 4), (2, 8)):
        for axis, strength in zip(line, (0, 1, 4, 16)):
            wave = np.cos(2 * np.pi * rows / period) * np.cos(2 * np.pi * columns / period)
            lines = 1 if period == 2 else 2  # the product of two cosines is two lines of half the amplitude
            lattice = strength * lines**0.5 * wave[..., None]
            axis.imshow(np.clip(photograph + lattice, 0, 255).astype(np.uint8), interpolation="nearest")
            axis.set(xticks=[], yticks=[], xlabel=f"period {period}, {strength} grey levels")
            axis.spines[:].set_visible(False)
    return figure


def overlap() -> Figure:
    """Draw the taps per output pixel of single layers and of two in a row."""
    sizes = ((3, 2), (4, 2), (5, 3))
    single = {f"kernel {k}, stride {s}": uncheck.overlap(k, s, input_size=12, ndim=2) for k, s in sizes}
    stack = uncheck.chain(2 * single["kernel 3, stride 2"].layers, input_size=12)
    return row(
        {
            f"{name}\n{result.ratio:g}:1": result.taps[6:24, 6:24] / result.taps.max()
            for name, result in (single | {"kernel 3, stride 2, twice": stack}).items()
        },
        inches=2.2,
        vmin=0,
        vmax=1.2,
    )


def clean_layers() -> Figure:
    """Draw the output of untrained layers for a constant."""
    torch.manual_seed(0)
    constant = torch.ones(1, 8, 12, 12)
    made = {
        "nn.ConvTranspose2d, k3 s2": torch.nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1),
        "SmoothConvTranspose2d, k3 s2": layers.SmoothConvTranspose2d(
            8, 1, 3, stride=2, padding=1, output_padding=1
        ),
        "ResizeConv2d, k3 s2": layers.ResizeConv2d(8, 1, 3, 2),
    }
    with torch.no_grad():
        outputs = {name: layer(constant)[0, 0, 4:20, 4:20].numpy() for name, layer in made.items()}
    return row(
        {
            f"{name}\nfrom {out.min():.2f} to {out.max():.2f}": out - out.mean()
            for name, out in outputs.items()
        },
        inches=2.6,
        vmin=-0.5,
        vmax=0.5,
    )


def fused_kernel() -> Figure:
    """Draw a 3 x 3 kernel behind a nearest resize, and the one kernel that does both."""
    weight = torch.tensor([[[[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]]]])
    both = torch.nn.functional.conv_transpose2d(weight, torch.ones(1, 1, 2, 2))
    figure = row(
        {
            "nearest resize by 2": np.ones((2, 2)),
            "convolution": weight[0, 0],
            "both in one": both[0, 0],
        },
        inches=2.2,
        cmap="Blues",
        vmin=0,
        vmax=8,
    )
    for axis in figure.axes:
        for (i, j), value in np.ndenumerate(axis.images[0].get_array()):
            axis.text(j, i, f"{value:g}", ha="center", va="center")
    return figure


def lattices_left() -> Figure:
    """Draw the lattice that each way of upsampling leaves after training, from experiments/upsampling."""
    rows = json.loads((ROOT / "experiments/upsampling/results/training.json").read_text())["rows"]
    names = list(dict.fromkeys(row["candidate"] for row in rows))[::-1]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axis = figure.subplots()
    for offset, colour, loss in ((0.2, BLUE, "L1"), (-0.2, ORANGE, "L1 + texture")):
        means = [
            np.mean([r["points"][-1]["shared"] for r in rows if (r["candidate"], r["loss"]) == (name, loss)])
            for name in names
        ]
        axis.barh(np.arange(len(names)) + offset, means, 0.38, color=colour, label=f"trained with {loss}")
    axis.set(
        yticks=range(len(names)),
        yticklabels=[n.replace("`", "") for n in names],
        xlabel="lattice left, grey levels",
    )
    axis.legend(frameon=False, loc="lower right")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def over_training() -> Figure:
    """Draw the lattice over the training steps, from experiments/upsampling."""
    rows = json.loads((ROOT / "experiments/upsampling/results/training.json").read_text())["rows"]
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axis = figure.subplots()
    for name, colour in (
        ("transposed k3 s2", RED),
        ("sub-pixel k3, ICNR", ORANGE),
        ("smooth k3, order 2", GREEN),
        ("nearest + conv k3", BLUE),
    ):
        runs = [row["points"] for row in rows if (row["candidate"], row["loss"]) == (name, "L1 + texture")]
        for i, run in enumerate(runs):
            shared = [max(point["shared"], 0.05) for point in run]
            axis.plot([p["step"] for p in run], shared, ".-", color=colour, label=None if i else name)
    axis.axhline(0.3, color=GREY, ls=":", label="visible: 0.3")
    axis.set(yscale="log", xlabel="step", ylabel="lattice, grey levels")
    axis.legend(frameon=False, fontsize=8, ncols=2)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def speed() -> Figure:
    """Draw how much faster one layer is than two, by width, from the benchmarks."""
    cells = json.loads((ROOT / "benchmarks/results/resize_conv.json").read_text())["cells"]
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axis = figure.subplots()
    widths = sorted({cell["width"] for cell in cells})
    for shift, colour, training in ((-0.12, BLUE, False), (0.12, ORANGE, True)):
        chosen = [c for c in cells if c["training"] is training and c["dtype"] == "float32"]
        x = [widths.index(c["width"]) + shift for c in chosen]
        name = "forward and backward" if training else "forward"
        axis.plot(x, [c["faster"] for c in chosen], "o", ms=4, alpha=0.5, color=colour, label=name)
    axis.axhline(1, color=GREY, lw=1)
    axis.axhline(2.25, color=GREY, lw=1, ls=":")
    axis.set(yscale="log", yticks=[0.7, 1, 1.5, 2.25, 4], yticklabels=["0.7", "1", "1.5", "2.25", "4"])
    axis.set(
        xticks=range(len(widths)), xticklabels=widths, xlabel="channels", ylabel="times as fast as two steps"
    )
    axis.minorticks_off()
    axis.legend(frameon=False, loc="upper right")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


PICTURES: dict[str, Callable[[], Figure]] = {
    make.__name__: make
    for make in (
        repaired,
        inspected,
        measured,
        amplitude,
        overlap,
        clean_layers,
        fused_kernel,
        lattices_left,
        over_training,
        speed,
    )
}


def main(names: list[str]) -> None:
    """Write the pictures named, or all."""
    torch.set_num_threads(1)
    for name in names or PICTURES:
        path = HERE / f"{name}.png"
        PICTURES[name]().savefig(path, dpi=110, metadata={"Software": None})
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
