"""Parts of all figures: colours, pictures, spectra, and a figure that notebooks show."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray
from PIL import Image

from uncheck.errors import printable
from uncheck.reporting.page import shortened, sizes
from uncheck.reporting.pictures import as_png
from uncheck.reporting.web.figures import lattice_frequencies

#: Colours that the colour-blind tell apart (Okabe and Ito, 2008), in the order of use.
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#8C8C8C"
PERIODS = (ORANGE, BLUE, RED, GREEN, PURPLE)

#: Spectra are drawn from their faint parts to the strongest (percentiles), at most so many dB.
FAINT, STRONG, DEEPEST = 2.0, 99.95, 75.0

#: More lines of one period are not circled; more periods have no colour of their own.
MOST_CIRCLES = 64

#: Points along the spectrum of a sound.
POINTS = 500

#: Characters of a line of a title per inch of the figure, and of a name on an axis.
PER_INCH, NAME = 12, 28


class Drawn(Figure):
    """A figure that a notebook shows without pyplot."""

    def _repr_png_(self) -> bytes:
        return png_of(self)


def png_of(figure: Figure) -> bytes:
    """Return a figure as a PNG of 90 dots per inch and 96 colours: notebooks keep it in their files."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=90)
    return as_png(Image.open(file).convert("RGB").quantize(96))


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes lie in."""
    figure: Figure | SubFigure | None = ax.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    assert isinstance(figure, Figure)
    return figure


def new_figure(width: float, height: float, title: str) -> Drawn:
    """Return an empty figure of so many inches under a title, wrapped."""
    figure = Drawn(figsize=(width, height), layout="constrained")
    figure.suptitle(wrapped(title, width), fontsize=11)
    return figure


def wrapped(text: str, inches: float) -> str:
    """Return text in lines that fit a width; nothing in it is read as mathematics."""
    return plain_text(textwrap.fill(text, round(PER_INCH * inches)))


def plain_text(text: str) -> str:
    r"""Return text that matplotlib draws as it is: dollar signs would begin mathematics.

    >>> plain_text("a$b$")
    'a\\$b\\$'
    """
    return "\n".join(printable(line) for line in text.split("\n")).replace("$", r"\$")


def name_on_axis(name: str) -> str:
    """Return the name of a layer or file, shortened."""
    return plain_text(shortened(name or "the model itself", NAME))


def colours_of(periods: Sequence[Sequence[int]]) -> dict[tuple[int, ...], str]:
    """Return a colour for each period, the last one from the fifth on."""
    known = dict.fromkeys(tuple(one) for one in periods)
    return {p: PERIODS[min(i, len(PERIODS) - 1)] for i, p in enumerate(known)}


def _marks(
    periods: Sequence[Sequence[int]], traces: Sequence[Sequence[int]], axes: int
) -> list[tuple[list[tuple[float, ...]], str, str, str]]:
    """Return lines, colour, style and label of each period that is marked: the lattice, then traces."""
    colours = colours_of([*periods, *traces])
    found = {tuple(one) for one in periods}
    marks = []
    for period in list(colours)[: len(PERIODS)]:
        label = f"period {sizes(period)}{'' if period in found else ' (trace)'}"
        lines = [one for one in lattice_frequencies([period]) if any(one)] if len(period) == axes else []
        marks.append((lines, colours[period], "solid" if period in found else "dotted", label))
    return [mark for mark in marks if mark[0]]


def show_picture(ax: Axes, picture: NDArray[Any], caption: str) -> None:
    """Draw grey levels (H, W, C) pixel by pixel, with a caption below."""
    whole = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if whole.shape[-1] < 3:
        ax.imshow(whole[..., 0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        ax.imshow(whole[..., :3], interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(plain_text(caption))


def show_spectrum(
    ax: Axes,
    spectrum: NDArray[Any],
    periods: Sequence[Sequence[int]],
    *,
    title: str = "",
    span: tuple[float, float] | None = None,
    traces: Sequence[Sequence[int]] = (),
    bar: bool = True,
    legend: bool = True,
) -> None:
    """Draw a power spectrum, (H, W, 1) or (T, 1) in dB, and mark the lines of a lattice and of traces.

    `span` is that of the colours in dB; None takes it from the values.
    """
    if title:
        ax.set_title(plain_text(title), fontsize=10)
    if spectrum.ndim == 2:
        _curve(ax, spectrum[:, 0], _marks(periods, traces, 1), legend=legend)
        return
    low, high = span or span_of([spectrum])
    values = spectrum[..., 0]
    edges = [(-(n // 2) - 0.5) / n for n in values.shape], [(n - n // 2 - 0.5) / n for n in values.shape]
    extent = (edges[0][1], edges[1][1], edges[1][0], edges[0][0])
    thick = thinned(values)
    drawn = ax.imshow(thick, cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="nearest")
    for lines, colour, style, label in _marks(periods, traces, 2):
        if len(lines) <= MOST_CIRCLES:
            rows, columns = ([line[axis] for line in lines] for axis in (0, 1))
            ax.scatter(
                columns, rows, s=70, facecolors="none", edgecolors=colour, linewidths=1.6, linestyle=style,
                label=label, clip_on=False, zorder=3,
            )  # fmt: skip
    ax.set(xlabel="cycles per pixel, across", ylabel="cycles per pixel, down", aspect="equal")
    ticks = [-0.5, -0.25, 0, 0.25, 0.5]
    ax.set(xticks=ticks, yticks=ticks, xlim=(-0.52, 0.52), ylim=(0.52, -0.52))
    if bar:
        figure_of(ax).colorbar(drawn, ax=ax, label="power (dB)", shrink=0.85)
    if legend:
        legend_below(ax, 0.17, 4)


def _curve(ax: Axes, values: NDArray[Any], marks: Sequence[Any], *, legend: bool) -> None:
    """Draw the spectrum of a sound, and above it a row of marks for each period."""
    half = values[len(values) // 2 :]
    step = max(1, len(half) // POINTS)
    points = half[: len(half) // step * step].reshape(-1, step).max(axis=1)
    ax.plot(np.arange(len(points)) * step / len(values), points, color=GREY, linewidth=0.9)
    low, high = float(np.percentile(points, 0.5)), float(points.max())
    row = 0.06 * max(high - low, 1.0)
    for i, (lines, colour, style, label) in enumerate(reversed(marks)):
        bottom = high + (i + 0.3) * row
        places = sorted({abs(f) for (f,) in lines})
        ax.vlines(places, bottom, bottom + 0.7 * row, color=colour, linestyle=style, label=label)
    ax.set(xlabel="cycles per sample", ylabel="power (dB)", xlim=(0, 0.505))
    ax.set_ylim(low - row, high + (len(marks) + 0.6) * row)
    if legend:
        legend_below(ax, 0.15, 4)


def span_of(spectra: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """Return the dB that the colours of spectra span: those of the first, down to what all have."""
    high = float(np.percentile(spectra[0], STRONG))
    low = max(high - DEEPEST, min(float(np.percentile(one, FAINT)) for one in spectra))
    return low, max(high, low + 1)


def thinned(values: NDArray[Any], most: int = 320) -> NDArray[Any]:
    """Reduce a spectrum by the maximum, which keeps single lines."""
    rows, columns = (max(1, n // most) for n in values.shape)
    across = np.maximum.reduceat(values, range(0, values.shape[1], columns), axis=1)
    return np.asarray(np.maximum.reduceat(across, range(0, values.shape[0], rows), axis=0))


def grey_level_axis(ax: Axes, axis: str, least: float, most: float) -> float:
    """Give an axis a logarithmic scale of grey levels with plain numbers; return where it begins."""
    low, high = max(least, 1e-4) / 1.5, max(most, least * 2, 2e-4) * 1.6
    marks = [m * 10.0**e for e in range(-5, 4) for m in (1, 2, 5)]
    inside = [m for m in marks if low <= m <= high]
    if len(inside) > 7:
        inside = [m for m in inside if f"{m:e}".startswith("1")]
    set_scale, set_limits, side = (
        (ax.set_xscale, ax.set_xlim, ax.xaxis) if axis == "x" else (ax.set_yscale, ax.set_ylim, ax.yaxis)
    )
    set_scale("log")
    set_limits(low, high)
    side.set_major_locator(FixedLocator(inside))
    side.set_minor_locator(NullLocator())
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return low


def bars(
    ax: Axes,
    names: Sequence[str],
    values: Mapping[str, tuple[str, Sequence[float]]],
    unit: str,
    form: str = ".3g",
) -> None:
    """Draw groups of horizontal bars, each value written at its end in `form`.

    `values` has the colour and a number for each name, by the label of the legend; NaN is left out.
    """
    height = 0.6 / len(values)
    for i, (label, (colour, numbers)) in enumerate(values.items()):
        places = np.arange(len(names)) + (i - (len(values) - 1) / 2) * height
        drawn = ax.barh(places, np.nan_to_num(numbers), height * 0.92, color=colour, label=label)
        ax.bar_label(drawn, ["" if np.isnan(n) else f"{n:{form}}" for n in numbers], padding=3, fontsize=8)
    ax.set(yticks=range(len(names)), yticklabels=names, xlabel=unit)
    # Few bars stay slim.
    ax.set_ylim(max(len(names), 3) - 0.5, -0.5)
    ax.margins(x=0.18)
    ax.spines[["top", "right"]].set_visible(False)
    if len(values) > 1:
        legend_below(ax, 0.16)


def legend_below(ax: Axes, inches: float = 0.15, columns: int = 3) -> None:
    """Put the legend below the axes, where it covers nothing; none without entries."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -inches), ncols=columns
        )  # fmt: skip
