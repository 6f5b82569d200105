"""The result of a repair, as a value that renders itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from uncheck.advising import advised
from uncheck.editing.edits import Candidate
from uncheck.errors import Refused
from uncheck.judging.judgement import Cost, Judgement, Look
from uncheck.measuring import find_lattice
from uncheck.measuring.lines import strongest_place
from uncheck.plain import Plain, as_dict
from uncheck.reading import Inputs
from uncheck.repairing.methods import METHODS
from uncheck.showing import Plotted

SCHEMA = "uncheck.repair/1"

#: Side in pixels of the part of an output that is enlarged.
CROP = 64


@dataclass(frozen=True)
class Tried(Plain):
    """One candidate that was judged.

    Attributes:
        method: that made it; `label` distinguishes it from others of its method.
        strength: of the lattice it leaves, grey levels.
        worst: the least factor by which a significant period fell.
        psnr: to the original's output, dB.
        verdict: "kept", "met all, another was better", or why it was rejected.
    """

    method: str
    label: str
    strength: float
    worst: float
    psnr: float
    verdict: str


@dataclass(frozen=True)
class Repair(Plotted):
    """A verified repaired network, or the reason why there is none.

    Attributes:
        network: name of the network's class.
        method: the method kept; None if every one was refused. `label` distinguishes its candidates.
        kind: "same function"; "same shape, changed output"; "retrained"; or None.
        before: the lattice of the original on held-out inputs; None where it was refused without judging.
        judgement: of the candidate kept.
        cost: of both networks; None where it could not be measured.
        refused: the methods that gave nothing; `where` is the method, or "all".
        tried: every candidate judged, in order.
        notes: further sentences for the user.
        seconds: time spent.
        keys_kept: whether the repaired checkpoint loads strictly into the original class.
        model: the repaired network; None if refused.
        candidate: the change to the original.
        example: one call's inputs, for an export.
        interrupted: whether the user ended the search.

    >>> import torch, uncheck
    >>> uncheck.repair(torch.nn.Conv2d(3, 3, 3), torch.zeros(2, 3, 32, 32)).repaired
    False
    """

    network: str
    method: str | None
    label: str
    kind: str | None
    before: Look | None
    judgement: Judgement | None
    cost: Cost | None
    refused: tuple[Refused, ...]
    tried: tuple[Tried, ...]
    notes: tuple[str, ...]
    seconds: float
    keys_kept: bool | None = None
    model: nn.Module | None = field(default=None, repr=False, compare=False)
    candidate: Candidate | None = field(default=None, repr=False, compare=False)
    example: Inputs | None = field(default=None, repr=False, compare=False)
    interrupted: bool = field(default=False, repr=False, compare=False)

    @property
    def repaired(self) -> bool:
        """Whether there is a repaired network."""
        return self.model is not None

    @property
    def does(self) -> str | None:
        """What the method kept does, in words."""
        return next((one.label for one in METHODS if one.name == self.method), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        judged = self.judgement
        fidelity = judged.fidelity.to_dict() if judged else None
        said = {
            "schema": SCHEMA,
            **as_dict(self, "network", "method", "label", "does", "kind", "before"),
            "after": judged.after.to_dict() if judged else None,
            "fidelity": fidelity or {"psnr_to_original": None, "psnr_to_spun": None, "psnr_to_truth": None},
            "sharpness_change": judged.sharpness_change if judged else None,
            "sharpness_to_spun": judged.sharpness_to_spun if judged else None,
            "bands": [list(band) for band in judged.bands] if judged else [],
            "cost": self.cost.to_dict()
            if self.cost
            else {"before_ms": None, "after_ms": None, "before_mb": None, "after_mb": None},
            "keys_kept": self.keys_kept,
            "refused": [{"method": one.where, "reason": one.reason} for one in self.refused],
            **as_dict(self, "tried", "notes", "seconds"),
        }
        return advised(said)

    def pixels(self) -> dict[str, Any]:
        """Return the outputs and spectra that were judged, by name, and the "place" that is enlarged."""
        pictures = dict(self.judgement.pictures) if self.judgement else {}
        original = pictures.get("original")
        if original is None or self.before is None or original.ndim != 3 or min(original.shape[:2]) <= CROP:
            return {**pictures, "place": (0, 0)} if pictures else {}
        shown = [s.period for s in self.before.lattice if s.significant]
        found = [line for c in find_lattice(original).everything if c.period in shown for line in c.lines]
        place = strongest_place(original, [line.frequency for line in found], CROP) if found else (0, 0)
        return {**pictures, "place": place}

    def __str__(self) -> str:
        if self.judgement is None or self.before is None or self.method is None:
            reasons = "; ".join(map(str, self.refused))
            return f"{self.network} was not repaired: {reasons or 'nothing was tried'}"
        return (
            f"{self.network} repaired by {self.method} ({self.label}): lattice "
            f"{self.before.strength:.3g} -> {self.judgement.after.strength:.3g} grey levels, {self.kind}"
        )
