"""Max-unpooling and other layers that leave zeros between values."""

from __future__ import annotations

from uncheck.advising.cures import LAYER, REPAIR
from uncheck.advising.fault import Cause

UNPOOLING = Cause(
    name="unpooling",
    title="Unpooling: zeros between values",
    synonyms=("MaxUnpool2d", "unpool", "max unpool", "zero insertion"),
    meaning="Unpooling places each value at one pixel of its cell and leaves zeros at the others. The layers "
    "after it must fill them, and pixels that are filled differ from those that were placed.",
    signs=("`uncheck inspect` names MaxUnpool or a write between zeros.",),
    cures=(REPAIR, LAYER),
)
