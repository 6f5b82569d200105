"""What `uncheck.measure` hands back: one measurement per signal, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uncheck.measuring.brightness import Dependence
from uncheck.measuring.lattice import Lattice

SCHEMA = "uncheck.measure/1"


@dataclass(frozen=True)
class ImageMeasurement:
    """One picture: `verdict` is "lattice", "clean" or "rival".

    If "rival", then `rival` says "jpeg" or "bayer".
    """

    path: str
    verdict: str
    rival: str | None
    found: Lattice
    brightness: tuple[Dependence, ...] = ()

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels."""
        return self.found.strength

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "rival": self.rival,
            "lattice": [c.to_dict() for c in self.found.present],
            "strength": self.strength,
            "traces": [c.to_dict() for c in self.found.traces],
            "not_tested": list(self.found.not_tested),
            "brightness": [d.to_dict() for d in self.brightness],
        }

    def __str__(self) -> str:
        if self.verdict == "clean":
            return f"{self.path}: clean"
        parts = ", ".join(
            f"period {'x'.join(map(str, c.period))} {c.amplitude:.2f} levels (p = {c.p_value:.1g})"
            for c in self.found.present
        )
        name = f"rival ({self.rival})" if self.rival else "lattice"
        return f"{self.path}: {name}, {parts}"


@dataclass(frozen=True)
class Measurement:
    """All pictures measured, in order, and the files that could not be (`errors`: path and reason)."""

    images: tuple[ImageMeasurement, ...]
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> str:
        """The worst verdict of all pictures: "lattice", then "rival", then "clean"."""
        verdicts = {image.verdict for image in self.images}
        return next((v for v in ("lattice", "rival") if v in verdicts), "clean")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema": SCHEMA,
            "images": [image.to_dict() for image in self.images],
            "errors": [{"path": path, "error": error} for path, error in self.errors],
        }

    def __str__(self) -> str:
        return "\n".join([*map(str, self.images), *(f"{error}" for _, error in self.errors)])
