"""Results as figures, one file a result; matplotlib is an extra and imported when the first is drawn."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from uncheck.errors import UncheckError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The file that draws a result.
_FILES = {
    "Inspection": "inspection",
    "Measurement": "measurement",
    "ImageMeasurement": "measurement",
    "SetMeasurement": "measurement",
    "Overlap": "overlap",
    "Repair": "repair",
    "Fusion": "fusion",
    "Trend": "trend",
}


def plot(result: Any, ax: Any = None) -> Figure:
    """Return the figure of a result; with `ax` its main panel is drawn there.

    Raises:
        UncheckError: no matplotlib.
    """
    from uncheck.reporting.notebook import kind_of, whole

    check_matplotlib()
    drawn = importlib.import_module(f"uncheck.reporting.plots.{_FILES[kind_of(result)]}")
    figure: Figure = drawn.draw(whole(result), result.pixels(), ax)
    return figure


def plot_metric(values: Any, ax: Any = None) -> tuple[Any, Any]:
    """Return the figure and axes of the values of a `LatticeMetric`; UncheckError without matplotlib."""
    check_matplotlib()
    drawn = importlib.import_module("uncheck.reporting.plots.metric")
    made: tuple[Any, Any] = drawn.draw(values, ax)
    return made


def figure_png(result: Any) -> bytes | None:
    """Return the figure of a result as a PNG; None without matplotlib."""
    try:
        check_matplotlib()
    except UncheckError:
        return None
    from uncheck.reporting.plots.figures import png_of

    return png_of(plot(result))


def check_matplotlib() -> None:
    """Raise UncheckError unless matplotlib can be imported."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise UncheckError("figures need matplotlib; install it with pip install 'uncheck[plot]'") from error
