"""Which weights a network had, as a line of a report."""

from __future__ import annotations

from uncheck.reporting.page import Report, listed_some, plural

_UNTRAINED = (
    "Weights: none were given (--weights), so this is the network as its code makes it: untrained, unless "
    "that code loads weights itself."
)
_BY_TARGET = "Weights: none were given (--weights); the network's code loads weights itself."


def weights_line(report: Report) -> list[str]:
    """Return the line about the weights; nothing where the result does not know, as in Python."""
    if "weights" not in report:
        return []
    loaded = report["weights"]
    if loaded is None:
        return [_BY_TARGET if report["target_loads_weights"] else _UNTRAINED]
    part = ".".join(name for name in (loaded["key"], loaded["prefix"].rstrip(".")) if name)
    taken = f"{part} of {loaded['file']}" if part else loaded["file"]
    rest = listed_some([f"{one['key']} ({plural(one['tensors'], 'tensor')})" for one in loaded["unused"]])
    unused = f" Not used: {rest}." if rest else ""
    return [f"Weights: {taken}, {plural(loaded['tensors'], 'tensor')}; they fit the network exactly.{unused}"]
