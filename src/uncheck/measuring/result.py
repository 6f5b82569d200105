"""Results of `uncheck.measure`: one measurement per signal, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uncheck.advising import advised
from uncheck.measuring.colour.brightness import Dependence
from uncheck.measuring.components import Component, Lattice, Limit
from uncheck.measuring.places.part import Parts
from uncheck.measuring.places.places import LocalMap
from uncheck.measuring.seams.blocks import Blocks
from uncheck.measuring.second_order import Modulation
from uncheck.measuring.sound.tones import Tone
from uncheck.measuring.together import SetMeasurement
from uncheck.plain import as_dict, plain
from uncheck.showing import Plotted
from uncheck.signals.levels import LEVELS

SCHEMA = "uncheck.measure/1"


@dataclass(frozen=True)
class ImageMeasurement(Plotted):
    """One picture, volume, video or piece of audio: `verdict` is "lattice", "blocks", "clean" or "rival".

    If "rival", then `rival` says what it is, such as "jpeg". `kind`, `span`, `unit`, `rate`, `notes` and
    `source` are those of the `Signal`; `tones` has an entry for each component of audio. `second_order`,
    contrast that goes with the phase, does not change the verdict. `where` is the map of a picture, if it was
    asked for, else its parts that have a lattice of their own. `inaudible` has the level in decibels of each
    limit of audio, by period. `measured` is the share that was: what is masked and flat background are left
    out. `blocks` has the steps between patches or tiles of a picture; beside a lattice they do not change the
    verdict.
    """

    path: str
    verdict: str
    rival: str | None
    found: Lattice
    brightness: tuple[Dependence, ...] = ()
    kind: str = "picture"
    span: tuple[float, float] = (0.0, LEVELS)
    unit: str | None = None
    rate: float | None = None
    notes: tuple[str, ...] = ()
    tones: tuple[Tone, ...] = ()
    second_order: tuple[Modulation, ...] = ()
    where: LocalMap | Parts | None = None
    inaudible: Mapping[tuple[int, ...], float] = field(default_factory=dict)
    source: str = "type"
    measured: float = 1.0
    blocks: tuple[Blocks, ...] = ()

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels."""
        return self.found.strength

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            **as_dict(self, "path", "verdict", "rival"),
            "lattice": [self._component(c) for c in self.found.present],
            "strength": self.strength,
            "traces": [self._component(c) for c in self.found.traces],
            "second_order": plain(self.second_order),
            "not_tested": list(self.found.not_tested),
            "limit": [self._limit(one) for one in self.found.limits],
            **as_dict(self, "brightness", "kind"),
            "range": list(self.span),
            **({} if self.unit is None else {"unit": self.unit}),
            **({"sample_rate": self.rate} if self.kind == "audio" else {}),
            **as_dict(self, "notes", "where"),
            "range_source": self.source,
            **({} if self.measured == 1 else {"measured": self.measured}),
            "blocks": plain(self.blocks),
        }

    def pixels(self) -> dict[str, Any]:
        """Return the picture in grey, where there is a map to draw on it."""
        return self.where.pixels() if isinstance(self.where, LocalMap) else {}

    def _limit(self, limit: Limit) -> dict[str, Any]:
        """Return a limit as a dictionary, in the units that a component has."""
        out = limit.to_dict()
        if self.unit is not None:
            out["amplitude_in_unit"] = limit.amplitude * (self.span[1] - self.span[0]) / LEVELS
        if limit.period in self.inaudible:
            out["db"] = self.inaudible[limit.period]
        return out

    def _component(self, component: Component) -> dict[str, Any]:
        """Return a component as a dictionary, with its amplitude in the signal's unit."""
        out = component.to_dict()
        if self.unit is not None:
            out["amplitude_in_unit"] = component.amplitude * (self.span[1] - self.span[0]) / LEVELS
        for tone in self.tones:
            if tone.period == component.period:
                out["frequency_hz"] = None if self.rate is None else list(tone.frequencies)
                out["db"] = tone.level
        return out

    def __str__(self) -> str:
        if self.verdict == "clean":
            return f"{self.path}: clean"
        levels = {tone.period: f"{tone.level:.0f} dB" for tone in self.tones}
        parts = ", ".join(
            f"period {'x'.join(map(str, c.period))} {levels.get(c.period, f'{c.amplitude:.2f} levels')} "
            f"(p = {c.p_value:.1g})"
            for c in self.found.present
        )
        if not parts:
            parts = ", ".join(map(str, self.blocks))
        name = f"rival ({self.rival})" if self.rival else self.verdict
        return f"{self.path}: {name}, {parts}"


@dataclass(frozen=True)
class Measurement(Plotted):
    """All pictures measured, in order, and the files that could not be (`errors`: path and reason).

    `together` is the verdict on all of them as one set, where that was asked for; `skipped` counts the names
    in folders that were passed over: "files" of other kinds, "hidden" ones, "links" to folders or folders
    seen before, "folders" that were not to be looked at, and "closed" ones.
    """

    images: tuple[ImageMeasurement, ...]
    errors: tuple[tuple[str, str], ...] = ()
    together: SetMeasurement | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Verdict of the set if there is one, else the worst of all images."""
        if self.together is not None:
            return self.together.verdict
        verdicts = {image.verdict for image in self.images}
        return next((v for v in ("lattice", "blocks", "rival") if v in verdicts), "clean")

    def pixels(self) -> dict[str, Any]:
        """Return the picture in grey of the strongest map, and the index of its image."""
        places = [one.where for one in self.images]
        mapped = [i for i, one in enumerate(places) if isinstance(one, LocalMap) and one.maps]
        if not mapped:
            return {}
        index = max(mapped, key=lambda i: self.images[i].strength)
        return {**self.images[index].pixels(), "index": index}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        said = {
            "schema": SCHEMA,
            "images": plain(self.images),
            "errors": [{"path": path, "error": error} for path, error in self.errors],
            **({} if self.together is None else {"set": self.together.to_dict()}),
            "skipped": dict(self.skipped),
        }
        return advised(said)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.images), *(f"{error}" for _, error in self.errors)])
