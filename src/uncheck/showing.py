"""Results at a glance: a line in Python, a page in a notebook, a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uncheck.plain import Plain

#: Characters of the line.
LINE = 240


class Shown(Plain):
    """Base of the results of the public verbs: they show themselves.

    Where a notebook shows one it has the three lines of a report (what, why, what to do), its tables, and a
    picture. The drawing is done by `reporting/`, which lies above all results and is imported only when
    something is drawn.
    """

    def __repr__(self) -> str:
        """Return the class, and what there is, in a sentence."""
        from uncheck.reporting.notebook import headline

        line = " ".join(headline(self).split())
        line = line if len(line) <= LINE else f"{line[: LINE - 3]}..."
        return f"<{type(self).__name__}: {line}>"

    def _repr_html_(self) -> str:
        """Return the result for a notebook; names from outside are escaped."""
        from uncheck.reporting.notebook import html_of

        return html_of(self)

    def pixels(self) -> Mapping[str, Any]:
        """Return arrays to draw by name; none where the result has only numbers."""
        return {}


class Plotted(Shown):
    """Base of the results that are drawn as a figure."""

    def plot(self, ax: Any = None) -> Any:
        """Draw the result with matplotlib, which is an extra: pip install 'uncheck[plot]'.

        Args:
            ax: matplotlib axes to draw the main panel in; None makes a figure of all panels.

        Returns:
            The figure; it is not shown and not known to pyplot, so nothing has to be closed.

        Raises:
            UncheckError: no matplotlib.

        Example:
            >>> import uncheck
            >>> len(uncheck.overlap(3, 2).plot().axes) > 0
            True
        """
        from uncheck.reporting.plots import plot

        return plot(self, ax)
