"""The result of an inspection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.advising import advised
from uncheck.measuring import Component, find_lattice, synthesise
from uncheck.measuring.components import Limit
from uncheck.measuring.lines import strengths_at, strongest_place
from uncheck.measuring.sound.decibels import decibels_of
from uncheck.measuring.spectrum import power_spectrum
from uncheck.plain import Brief, Plain, as_dict, plain
from uncheck.probing.backward import Gradient
from uncheck.probing.blame import StageBlame
from uncheck.probing.borders import Boundary
from uncheck.probing.evidence import Evidence
from uncheck.reading import Ledger, Stage
from uncheck.showing import Plotted

SCHEMA = "uncheck.inspect/1"

#: Side in pixels of the part of an output that is enlarged.
CROP = 64


@dataclass(frozen=True)
class StageReport(Brief):
    """One upsampling stage: how it is built, its kernel's phases, and its blame.

    Attributes:
        stage: as read.
        gain_spread: 0 (all output phases get the same weight) to 1; None where no kernel is known.
        order: Strang-Fix order of the kernel, measured with tolerance 1e-3; None likewise.
        blame: its share of the output's lattice; None where there is no lattice.
        type: class of the layer, or the function called, as "F.interpolate".
    """

    stage: Stage
    gain_spread: float | None
    order: int | None
    blame: StageBlame | None
    type: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        names = ("name", "call", "kind", "stride", "kernel_size", "dilation", "groups", "output_period")
        channels = self.stage.channels or (None, None)
        return {
            **as_dict(self.stage, *names, "overlap"),
            **as_dict(self, "type", "gain_spread", "order"),
            "in_channels": channels[0],
            "out_channels": channels[1],
            "blame": self.blame.share if self.blame else None,
            "blame_order": self.blame.order if self.blame else None,
            "interacts": self.blame.interacts if self.blame else False,
            "periods": plain(self.blame.periods) if self.blame else [],
        }


@dataclass(frozen=True)
class Probe(Plain):
    """The output's lattice on one test signal; `second_order` is that of its local energy."""

    lattice: tuple[Component, ...]
    second_order: tuple[Component, ...]


@dataclass(frozen=True)
class Other(Plain):
    """What repeats in an output at a period that the upsampling of its network cannot leave.

    Attributes:
        period: output pixels per axis.
        amplitude: grey levels, as that of `Component`.
        p_value: corrected for all such periods.
        source: what it likely comes from, in words.
    """

    period: tuple[int, ...]
    amplitude: float
    p_value: float
    source: str


@dataclass(frozen=True)
class OutputReport(Plain):
    """What was found in one output of a network.

    Attributes:
        name: its keys, names and indices joined by dots; "output" for a lone tensor.
        verdict: "lattice", "clean", or "undetermined" where it was not measured or not understood.
        lattice: components judged present, strongest first.
        limit: for each possible period tested and not found what would have been found.
        orders: of each component, "first" or "second"; empty where that is not known.
    """

    name: str
    verdict: str
    lattice: tuple[Component, ...] = ()
    limit: tuple[Limit, ...] = ()
    orders: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        found = {"lattice": _with_orders(self.lattice, self.orders)}
        return {**as_dict(self, "name", "verdict"), **found, **as_dict(self, "limit")}


def _with_orders(lattice: Sequence[Component], orders: Sequence[str]) -> list[dict[str, Any]]:
    """Return components as dictionaries with their orders, None where these are not known."""
    known = orders or (None,) * len(lattice)
    return [{**plain(c), "order": order} for c, order in zip(lattice, known, strict=True)]


@dataclass(frozen=True)
class Inspection(Plotted):
    """Everything `uncheck.inspect` found.

    Where the network has several outputs, all but `outputs`, `stages` and `ledger` is about the one that
    decides: with the strongest lattice, else one that is undetermined, else the one of the worst limit.

    Attributes:
        verdict: "lattice"; "clean"; or "undetermined", when nothing was found but something was not measured,
            or something on the signal path was not understood.
        range: values of the output that stand for 0 and 255.
        lattice: components judged present in the output on the example, strongest first; of periods that
            the upsampling stages can leave there.
        orders: of each of them, "first" (unequal phase means) or "second" (unequal variances, which a
            nonlinearity turns into means).
        traces: significant, but below the threshold.
        limit: for each possible period tested and not found what would have been found.
        not_tested: possible periods that the output is too small for.
        other: what repeats at periods that the upsampling cannot leave, with its likely source.
        from_input: components that the example brought with it.
        outputs: every output of the network with positions.
        evidence: the outputs that the verdict rests on; None where there are none.
        stages: upsampling stages in forward order.
        ledger: every operation, handled, ignored or unsupported.
        probes: lattices on constant colours, noise and a ramp.
        random_lattice: of the same architecture with shuffled weights; None if not tried.
        fault: "architecture" if shuffled weights show the lattice too, "learning" if not, else None.
        boundary: the border of the output.
        gradient: of the backward pass, when asked for.
        passes: forward (and backward) passes spent, in multiples of one on the example.
        rate: samples per second of a sound, as given.
        notes: what else there is to know.
        output: (N, *spatial, C) grey levels of the output on the example; None without spatial axes.
    """

    verdict: str
    stages: tuple[StageReport, ...]
    ledger: Ledger
    passes: float
    notes: tuple[str, ...]
    range: tuple[float, float] | None = None
    lattice: tuple[Component, ...] = ()
    orders: tuple[str, ...] = ()
    traces: tuple[Component, ...] = ()
    limit: tuple[Limit, ...] = ()
    not_tested: tuple[int, ...] = ()
    other: tuple[Other, ...] = ()
    outputs: tuple[OutputReport, ...] = ()
    evidence: Evidence | None = None
    from_input: tuple[Component, ...] = ()
    probes: dict[str, Probe] = field(default_factory=dict)
    random_lattice: tuple[Component, ...] | None = None
    fault: str | None = None
    boundary: Boundary | None = None
    gradient: Gradient | None = None
    rate: float | None = None
    output: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    @property
    def finding(self) -> bool:
        """Whether there is anything but a clean bill."""
        return self.verdict != "clean" or (self.gradient is not None and self.gradient.found)

    @property
    def undetermined(self) -> bool:
        """Whether nothing was found and a lattice cannot be ruled out: exit code 3 of the command line."""
        return self.verdict == "undetermined" and not (self.gradient is not None and self.gradient.found)

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels."""
        return float(np.sqrt(sum(c.amplitude**2 for c in self.lattice)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; of a sound with levels in dB beside the amplitudes, and with frequencies."""
        names = ("traces", "limit", "not_tested", "other", "from_input", "outputs", "evidence", "stages")
        said = {
            "schema": SCHEMA,
            **as_dict(self, "verdict", "range"),
            "lattice": _with_orders(self.lattice, self.orders),
            **as_dict(self, "strength", *names),
            "operations": self.ledger.to_dict(),
            "probes": plain(self.probes),
            "random_weights": {"lattice": plain(self.random_lattice), "fault": self.fault},
            **as_dict(self, "boundary", "gradient", "passes", "rate", "notes"),
        }
        if self.output is not None and self.output.ndim == 3:
            said = self._of_sound(said, self.output)
        return advised(said)

    def pixels(self) -> dict[str, Any]:
        """Return the spectrum of the outputs, and of pictures the one with the strongest lattice.

        "spectrum" (H, W, 1) or (T, 1), dB; "output" and "lattice" (H, W, C) grey levels; "place", row and
        column of the part of it where the lattice is strongest.
        """
        if self.output is None or not self.output.size:
            return {}
        out: dict[str, Any] = {"spectrum": power_spectrum(self.output)}
        if self.output.ndim != 4:
            return out
        strengths = [sum(strengths_at(one, self.lattice)) if self.lattice else 0.0 for one in self.output]
        shown = self.output[int(np.argmax(strengths))]
        periods = [c.cycle for c in self.lattice]
        found = [c for c in find_lattice(shown).everything if c.cycle in periods] if periods else []
        lattice = sum((synthesise(one, shown.shape) for one in found), np.zeros_like(shown))
        frequencies = [line.frequency for one in found for line in one.lines]
        place = strongest_place(shown, frequencies, CROP) if frequencies else (0, 0)
        return {**out, "output": shown, "lattice": lattice, "place": place}

    def _of_sound(self, said: dict[str, Any], output: NDArray[np.float32]) -> dict[str, Any]:
        """Return the results with levels, but for the gradient and other outputs, which are no part of it."""
        apart = ("gradient", *(("outputs",) if len(self.outputs) > 1 else ()))
        out = {**decibels_of(output, self.lattice).added(said), **{name: said[name] for name in apart}}
        for name in ("lattice", "traces", "from_input") if self.rate is not None else ():
            for one, component in zip(out[name], getattr(self, name), strict=True):
                one["frequency_hz"] = [line.frequency[0] * self.rate for line in component.lines]
        return out

    def __str__(self) -> str:
        if self.verdict != "lattice":
            return f"{self.verdict}: no lattice found; {len(self.stages)} upsampling stages"
        found = ", ".join(f"{'x'.join(map(str, c.period))} ({c.amplitude:.2f} levels)" for c in self.lattice)
        guilty = max(self.stages, key=lambda s: s.blame.share if s.blame else -1.0, default=None)
        blamed = (
            f"; most to blame: {guilty.stage.name} ({guilty.blame.share:.0%})"
            if guilty is not None and guilty.blame is not None
            else ""
        )
        return f"lattice: period {found}{blamed}"
