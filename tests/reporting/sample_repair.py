"""Repairs written by hand, of every kind that a report must say."""

import dataclasses
from typing import Any

import numpy as np

from uncheck.errors import Kind, Refused
from uncheck.judging.judgement import Cost, Fidelity, Judgement, Look, Strength
from uncheck.repairing.result import Repair, Tried
from uncheck.reporting.repair_page import repair_page


def look(*lattice: Strength, **changed: Any) -> Look:
    return Look(lattice, **changed)


def strength(period: tuple[int, ...], amplitude: float, significant: bool = True) -> Strength:
    return Strength(period, amplitude, 1e-20 if significant else 1.0, significant)


def pictures(size: int = 160, channels: int = 3) -> dict[str, np.ndarray]:
    """A ramp with a ripple of period 4 in one corner, and without it."""
    rows, columns = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    plain = np.repeat((60 + 0.5 * rows)[..., None], channels, axis=2)
    ripple = 20 * np.cos(np.pi * (rows + columns) / 2) * (rows >= size // 2) * (columns >= size // 2)
    noise = np.random.default_rng(0).normal(size=plain.shape)
    original = plain + noise + ripple[..., None]
    out = {"input": plain, "original": original, "repaired": plain + noise, "spun": plain}
    for name in ("original", "repaired"):
        power = np.abs(np.fft.fftshift(np.fft.fft2(out[name].mean(axis=-1)))) ** 2
        out[f"{name} spectrum"] = 10 * np.log10(power + 1e-8)[..., None]
    return {name: values.astype(np.float32) for name, values in out.items()}


def sound(size: int = 4000) -> dict[str, np.ndarray]:
    time = np.arange(size)
    plain = 20 * np.sin(time / 7.0)
    out = {"original": plain + np.cos(np.pi * time / 2), "repaired": plain}
    for name in ("original", "repaired"):
        power = np.abs(np.fft.fftshift(np.fft.fft(out[name]))) ** 2
        out[f"{name} spectrum"] = 10 * np.log10(power + 1e-8)
    return {name: values[:, None].astype(np.float32) for name, values in out.items()}


BEFORE = look(
    strength((4, 4), 10.5),
    strength((2, 1), 0.3),
    second_order=(strength((4, 4), 0.84),),
    colours={"dark": 6.6, "mean": 7.9, "bright": 8.8},
)

AFTER = look(
    strength((4, 4), 0.12, False),
    strength((2, 1), 0.2),
    strength((8, 8), 0.06),
    second_order=(strength((4, 4), 0.05, False),),
    colours={"dark": 0.0, "mean": 0.0, "bright": 0.01},
)


def judgement(**changed: Any) -> Judgement:
    return Judgement(
        **{
            "before": BEFORE,
            "after": AFTER,
            "fidelity": Fidelity(26.9, 0.81, 27.5, 22.7, 0.85, 30.01, 30.03, 0.9),
            "sharpness_change": -0.031,
            "sharpness_to_spun": 0.02,
            "bands": ((0.0, 1 / 32, -0.01), (1 / 32, 1 / 16, 0.02), (1 / 4, 0.7071, -0.4)),
            "pictures": pictures(),
            **changed,
        }
    )


REPAIRED = Repair(
    network="Style<Transfer>",
    method="distill",
    label="last 3 layers & norms",
    kind="retrained",
    before=BEFORE,
    judgement=judgement(),
    cost=Cost(290.0, 4600.0, 51.5, None),
    refused=(
        Refused(Kind.unsupported, "no stage feeds the output directly", "project"),
        Refused(Kind.unsupported, "no <b>stage</b> has it", "match"),
    ),
    tried=(
        Tried("match", "all stages", 5.2, 2.1, 22.3, "the lattice fell only from 10.6 to 5.2 grey levels"),
        Tried("distill", "last 3 layers & norms", 0.12, 89.0, 26.9, "kept"),
    ),
    notes=("training stopped after 410 steps",),
    seconds=312.0,
    keys_kept=False,
)

SOUND = dataclasses.replace(
    REPAIRED,
    before=look(strength((4,), 1.0)),
    judgement=judgement(before=look(strength((4,), 1.0)), after=look(), pictures=sound()),
)

REFUSED = dataclasses.replace(REPAIRED, method=None, label="", kind=None, judgement=None, cost=None)

CLEAN = dataclasses.replace(REFUSED, before=look(), refused=(), tried=(), notes=())

UNSEEN = dataclasses.replace(
    REFUSED,
    before=None,
    refused=(Refused(Kind.unsupported, "as_strided is not understood", "all"),),
    tried=(),
)


def page_of(repair, place=(0, 0)):
    return repair_page(repair, repair.judgement.pictures if repair.judgement else None, place)
