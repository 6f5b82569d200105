"""Results of `uncheck.clean`: what was taken out of each picture, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uncheck.measuring.components import Component
from uncheck.plain import Brief, Plain, as_dict, plain
from uncheck.words import levels, sizes

SCHEMA = "uncheck.clean/1"

#: Share of pixels at an end of the range above which a lattice cannot be known everywhere.
MUCH_CLIPPED = 0.01


@dataclass(frozen=True)
class Taken(Plain):
    """A pattern that was subtracted.

    Attributes:
        period: pixels per axis.
        amplitude: grey levels, as `measure` has it: the root of the summed squares of the peak amplitudes of
            its sinusoids, each the root mean square over the picture, in the channel where that is largest.
    """

    period: tuple[int, ...]
    amplitude: float


@dataclass(frozen=True)
class CleanedImage(Brief):
    """One picture, volume, video or sound.

    Attributes:
        path: its name ("array", "[3]").
        verdict: "cleaned" if something was subtracted and nothing is left, "left" if something was and
            something is; "clean" or "rival" if nothing was, and its values are as they came.
        rival: what explains the pattern of a "rival", such as "jpeg".
        taken: what was subtracted.
        before, after: strength as `measure` has it, grey levels, in the picture as it came and as it went.
        left: what the harmonic test still finds.
        changed: root mean square of what was subtracted, grey levels.
        clipped: share of the pixels that lie at an end of the range, 0 to 1; a lattice was cut off there.
        notes: sentences on how it was read and cleaned.
    """

    path: str
    verdict: str
    rival: str | None = None
    taken: tuple[Taken, ...] = ()
    before: float = 0.0
    after: float = 0.0
    left: tuple[Component, ...] = ()
    changed: float = 0.0
    clipped: float = 0.0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return as_dict(self, *self.__dataclass_fields__)

    def __str__(self) -> str:
        if not self.taken:
            return f"{self.path}: {self.verdict}{f' ({self.rival})' if self.rival else ''}, unchanged"
        parts = ", ".join(f"period {sizes(one.period)} {levels(one.amplitude)}" for one in self.taken)
        return f"{self.path}: {self.verdict}, {parts}; strength {levels(self.before)} -> {levels(self.after)}"


@dataclass(frozen=True)
class Cleaning(Brief):
    """All that `clean` did: one entry per picture, in order.

    Attributes:
        images: per picture.
        strength: share of the lattice that was subtracted, 0 to 1.
        together: whether the lattice was estimated of all pictures as one set.
    """

    images: tuple[CleanedImage, ...]
    strength: float = 1.0
    together: bool = False

    @property
    def changed(self) -> int:
        """Number of pictures that something was subtracted from."""
        return sum(bool(one.taken) for one in self.images)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "schema": SCHEMA,
            "images": plain(self.images),
            **as_dict(self, "strength", "together"),
        }

    def __str__(self) -> str:
        return "\n".join(map(str, self.images))


def clipped_note(share: float) -> tuple[str, ...]:
    """Return a sentence where more than 1 % of the pixels are at an end of the range."""
    if share <= MUCH_CLIPPED:
        return ()
    return (
        f"{100 * share:.0f} % of its pixels are clipped: what the lattice was there cannot be known exactly.",
    )
