"""Find, measure, remove and prevent checkerboard artifacts in neural networks.

    >>> import uncheck
    >>> uncheck.overlap(kernel_size=3, stride=2, ndim=2).ratio
    4.0

`inspect` looks at a network, `measure` at pictures, `clean` takes the lattice out of them; `overlap` and
`chain` look at sizes alone; `repair` gives a released network without its lattice, and `load_repaired` loads
it again; `swap` replaces upsamplers for those who train on; `fuse` makes every resize-convolution of a
network one layer; `lattice_strength` is a penalty, and `uncheck.training.LatticeMetric` a torchmetrics
metric. `uncheck.layers` has the layers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from uncheck.errors import UncheckError

if TYPE_CHECKING:
    from uncheck.cleaning import clean
    from uncheck.editing import load_repaired
    from uncheck.fusing import fuse
    from uncheck.geometry import chain, overlap
    from uncheck.measuring import measure
    from uncheck.probing.inspect import inspect
    from uncheck.repairing.repair import repair
    from uncheck.swapping import swap
    from uncheck.training import lattice_strength

    __version__: str

# Each name is imported when first used: `import uncheck` must not wait for torch.
_HOMES = {
    "chain": "uncheck.geometry",
    "clean": "uncheck.cleaning",
    "fuse": "uncheck.fusing",
    "inspect": "uncheck.probing.inspect",
    "lattice_strength": "uncheck.training",
    "load_repaired": "uncheck.editing",
    "measure": "uncheck.measuring",
    "overlap": "uncheck.geometry",
    "repair": "uncheck.repairing.repair",
    "swap": "uncheck.swapping",
}
_ROOMS = ("cleaning", "layers", "phases", "training")
"""Rooms that are used by name, as in uncheck.layers.ResizeConv2d."""

__all__ = [
    "UncheckError",
    "__version__",
    "chain",
    "clean",
    "fuse",
    "inspect",
    "lattice_strength",
    "load_repaired",
    "measure",
    "overlap",
    "repair",
    "swap",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("uncheck")
    elif name in _ROOMS:
        value = import_module(f"uncheck.{name}")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'uncheck' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
