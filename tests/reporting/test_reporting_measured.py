"""Volumes, sounds and maps as text."""

import numpy as np

from uncheck.measuring import Measurement, measure
from uncheck.reporting import measure_text

CLOCK = np.arange(8000)
HISS = np.random.default_rng(0).normal(size=len(CLOCK))


def block(*shape):
    random = np.random.default_rng(1)
    return 128 + random.normal(size=shape) * 4 + 6 * (-1.0) ** np.indices(shape).sum(axis=0)


def rows(text):
    return {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines() if line.strip()}


def test_sounds_have_hertz_and_decibels():
    loud = HISS + 0.8 * (CLOCK % 4 == 0)
    text = measure_text(measure([loud], rate=8000))
    assert text.splitlines()[0] == "1 sound: 1 with a lattice."
    row = rows(text)["[0]"]
    assert "dB" in row
    assert "period 2 (4000 Hz): -1" in row
    assert "period 4 (2000 Hz): -1" in row
    clean = rows(measure_text(measure([HISS], rate=8000)))["[0]"]
    assert clean == "clean -"
    assert "Hz" not in rows(measure_text(measure(loud, kind="audio")))["array"]


def test_volumes_name_the_period_of_each_axis():
    wave = np.cos(2 * np.pi * np.indices((24, 24, 24))[0] / 4)
    result = measure(block(24, 24, 24) * 0 + 128 + 6 * wave + block(24, 24, 24) / 50, span=(0, 255))
    text = measure_text(result)
    assert text.splitlines()[0] == "1 volume: 1 with a lattice."
    assert "period 4x1x1: 6.0" in text


def test_maps_are_given_in_their_unit():
    text = measure_text(measure(block(48, 48) / 10, unit="km", span=(0, 25.5)))
    assert "period 2: 5.91 (0.591 km)" in text


def test_kinds_together_and_remarks_once():
    result = measure([block(48, 48), block(8, 16, 16), block(8, 16, 16)], span=(0, 255))
    text = measure_text(result)
    assert text.splitlines()[0] == "3 signals: 3 with a lattice."
    assert text.count("was taken as a volume") == 1
    assert "[1] and 1 more: Shape (8, 16, 16) was taken as a volume" in " ".join(text.split())


def test_many_remarks_are_cut():
    image = measure(block(16, 16)).images[0]
    many = Measurement(
        tuple(type(image)(f"{i}", "clean", None, image.found, notes=(f"Note {i}.",)) for i in range(9))
    )
    text = measure_text(many)
    assert "4: Note 4." in text
    assert "Note 5." not in text
    assert "4 more remarks are in the JSON." in text


def test_str_of_sounds():
    said = str(measure(HISS + 0.2 * np.cos(np.pi * CLOCK / 2), rate=8000))
    assert said.startswith("array: lattice, period 4 -16 dB (p = ")
