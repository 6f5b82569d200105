"""Volumes, sounds and maps as text."""

import numpy as np
import pytest

from reporting.sample import ALL
from uncheck.measuring import Measurement, measure
from uncheck.reporting import Page, measure_text, measured

CLOCK = np.arange(8000)
HISS = np.random.default_rng(0).normal(size=len(CLOCK))


def block(*shape):
    random = np.random.default_rng(1)
    return 128 + random.normal(size=shape) * 4 + 6 * (-1.0) ** np.indices(shape).sum(axis=0)


def rows(text):
    return {line.split()[0]: " ".join(line.split()[1:]) for line in text.splitlines() if line.strip()}


def test_sounds_have_hertz_and_decibels():
    loud = HISS + 0.8 * (CLOCK % 4 == 0)
    text = measure_text(measure([loud], rate=8000), ALL)
    assert text.startswith("What: Tones of period 4 and 2 samples (2000 Hz): -1")
    row = rows(text)["[0]"]
    assert "dB" in row
    assert "period 2 (4000 Hz): -1" in row
    assert "period 4 (2000 Hz): -1" in row
    clean = rows(measure_text(measure([HISS], rate=8000), ALL))["[0]"]
    assert clean == "clean -"
    assert "Hz" not in rows(measure_text(measure(loud, kind="audio"), ALL))["array"]


def test_volumes_name_the_period_of_each_axis():
    wave = np.cos(2 * np.pi * np.indices((24, 24, 24))[0] / 4)
    result = measure(block(24, 24, 24) * 0 + 128 + 6 * wave + block(24, 24, 24) / 50, span=(0, 255))
    text = measure_text(result, ALL)
    assert text.startswith("What: Grid of period 4x1x1, strong: 6.0")
    assert "period 4x1x1: 6.0" in text


def test_maps_are_given_in_their_unit():
    text = measure_text(measure(block(48, 48) / 10, unit="km", span=(0, 25.5)), ALL)
    assert "period 2: 5.91 (0.591 km)" in text


def test_kinds_together_and_remarks_once():
    result = measure([block(48, 48), block(8, 16, 16), block(8, 16, 16)], span=(0, 255))
    text = measure_text(result, ALL)
    assert text.startswith("What: 3 signals: 3 with a grid. The strongest: grid of period 2, visible: ")
    assert text.count("was taken as a volume") == 1
    assert "[1] and 1 more: Shape (8, 16, 16) was taken as a volume" in " ".join(text.split())


def test_many_remarks_are_cut():
    image = measure(block(16, 16)).images[0]
    many = Measurement(
        tuple(type(image)(f"{i}", "clean", None, image.found, notes=(f"Note {i}.",)) for i in range(9))
    )
    text = measure_text(many, ALL)
    assert "4: Note 4." in text
    assert "Note 5." not in text
    assert "4 more remarks are in the JSON." in text


def test_str_of_sounds():
    said = str(measure(HISS + 0.2 * np.cos(np.pi * CLOCK / 2), rate=8000))
    assert said.startswith("array: lattice, period 4 -16 dB (p = ")


class Said:
    """What reporting asks of a measurement: a dictionary."""

    def __init__(self, *images, **more):
        self.report = {"schema": "uncheck.measure/1", "images": list(images), "errors": [], **more}

    def to_dict(self):
        return self.report


def entry(period, amplitude, **more):
    said = {"period": [period, period], "amplitude": amplitude, "p_value": 7e-99, "signed": False}
    return {**said, **more}


def image(path="a.png", verdict="clean", **more):
    said = {"path": path, "verdict": verdict, "rival": None, "kind": "picture", "strength": 1.0, "notes": []}
    lists = {name: [] for name in ("lattice", "traces", "second_order", "brightness", "limit")}
    return {**said, **lists, **more}


def below(*images, **more):
    """The lines under the table, each in one piece."""
    return measure_text(Said(*images, **more), ALL).rpartition("\n\n")[2].splitlines()


def test_a_clean_picture_has_limits_the_worst_first():
    limits = [entry(p, a) for p, a in ((2, 0.1), (3, 0.2), (4, 0.42), (5, 0.3), (6, 0.05))]
    assert below(image(limit=limits)) == [
        "Clean: nothing above 0.42 grey levels (period 4), 0.30 (period 5), 0.20 (period 3), "
        "0.10 (period 2), 1 more."
    ]
    found = image(verdict="lattice", lattice=[entry(8, 3.0)], limit=limits[:1])
    assert below(found) == ["Nothing else above 0.10 grey levels (period 2)."]


def test_of_many_pictures_the_worst_limit_is_told():
    pictures = [
        image("a.png", limit=[entry(2, 0.1), entry(4, 0.2)]),
        image("b.png", limit=[entry(2, 0.7), entry(4, 0.3)]),
        image("c.png", "lattice", lattice=[entry(8, 3.0)], limit=[entry(2, 9.0)]),
    ]
    assert below(*pictures) == [
        "Clean: nothing above 0.70 grey levels (period 2), the limit of b.png; the JSON has that of each."
    ]


def test_a_range_that_nobody_stated_is_said():
    own = {"range": [0.00211, 0.0184], "range_source": "data"}
    assert below(image(**own, unit="kg/kg")) == [
        "255 grey levels are the range 0.00211 to 0.0184 kg/kg, taken from the data; --range sets another."
    ]
    usual = image("b.npy", range=[0.0, 1.0], range_source="usual")
    assert below(image("a.npy", **own), usual) == [
        "a.npy: 255 grey levels are the range 0.00211 to 0.0184, taken from the data; --range sets another. "
        "1 more has another range, in the JSON."
    ]
    known = [image(range=[0, 255], range_source="type"), image(range=[0, 9], range_source="given")]
    assert "range" not in measure_text(Said(*known), ALL)


def test_rows_are_sorted_the_worst_first():
    images = [
        image("clean.png", strength=0.0),
        image("weak.png", "lattice", lattice=[entry(2, 1.0)], strength=1.0),
        image("jpeg.png", "rival", rival="jpeg", lattice=[entry(8, 9.0)], strength=9.0),
        image("strong.png", "lattice", lattice=[entry(2, 4.0)], strength=4.0),
        image("also.png", strength=0.0),
    ]
    text = measure_text(Said(*images), ALL)
    order = ["strong.png", "weak.png", "jpeg.png", "clean.png", "also.png"]
    assert sorted(order, key=text.index) == order
    sounds = [
        image(f"{db}.wav", "lattice", kind="audio", lattice=[entry(2, 1.0, db=db, frequency_hz=None)])
        for db in (-50.0, -20.0)
    ]
    assert "-20.0.wav" in measure_text(Said(*sounds), ALL).partition("-50.0.wav")[0]


def test_of_very_many_the_worst_are_shown(monkeypatch):
    monkeypatch.setattr(measured, "MOST_ROWS", 10)
    many = [image(f"{i}.png", strength=0.0) for i in range(20)]
    worst = image("z.png", "lattice", lattice=[entry(2, 1.0)])
    text = measure_text(Said(*many, worst), ALL)
    assert "What: 21 pictures: 1 with a grid and 20 clean." in text
    assert "z.png" in text
    assert "11 more rows are in the JSON." in text


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (image(verdict="lattice", lattice=[entry(2, 4.0)]), "uncheck measure a.png --map maps"),
        (image(verdict="lattice", lattice=[entry(2, 0.4)]), "Do:   Nothing to do: it is too weak to be seen"),
        (image(), "Do:   Nothing to do; several outputs together (--set) would show much weaker grids."),
        (image(verdict="rival", rival="jpeg"), "Measure the picture as it was before"),
        (image(verdict="rival", rival="tiles"), "uncheck measure a.png --map maps"),
    ],
)
def test_what_to_do_next_about_one_picture(one, said):
    assert said in measure_text(Said(one), Page(1000))


def test_the_strongest_traces_and_contrasts_come_first():
    images = [image(f"{a}.png", traces=[entry(2, a)]) for a in (0.1, 0.2)]
    assert below(*images) == [
        "Traces, too weak to count: 0.2.png (period 2: 0.20), 0.1.png (period 2: 0.10)."
    ]
    one = {"period": [2, 2], "p_value": 1e-5}
    images = [image(f"{db}.png", second_order=[{**one, "modulation_db": db}]) for db in (0.5, 0.9)]
    assert below(*images)[0].index("0.9.png") < below(*images)[0].index("0.5.png")


def test_the_limit_of_sound_is_in_decibels():
    limits = [
        {"period": [480], "amplitude": 0.3, "db": -61.2},
        {"period": [2], "amplitude": 0.1, "db": -70.0},
    ]
    assert below(image("a.wav", kind="audio", sample_rate=16000.0, limit=limits)) == [
        "Clean: nothing above -61 dB (period 480), -70 (period 2)."
    ]


def test_the_limit_of_a_set():
    made = {
        "count": 64,
        "verdict": "clean",
        "rival": None,
        "lattice": [],
        "notes": [],
        "limit": [entry(4, 0.02)],
    }
    text = measure_text(Said(image(), set=made), ALL)
    assert text.splitlines()[0] == (
        "What: All 64 together: clean, nothing above 0.020 grey levels (period 4). One by one: 1 clean."
    )
    assert "\nSet of 64: clean, nothing above 0.020 grey levels (period 4)." in text


def test_traces_are_printed():
    trace = entry(2, 0.15)
    assert below(image(traces=[trace])) == ["Traces, too weak to count: period 2: 0.15 (p = 7e-99)."]
    many = [image(f"{name}.png", traces=[trace, entry(4, 0.01)]) for name in "abcde"]
    assert below(image("clean.png"), *many) == [
        "Traces, too weak to count: a.png (period 2: 0.15), b.png (period 2: 0.15), "
        "c.png (period 2: 0.15), 2 more."
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_which_have_contrast_that_repeats(count):
    one = {"period": [2, 2], "modulation_db": 0.5, "p_value": 1e-5}
    images = [image(f"{i}.png", second_order=[one] if i == count - 1 else []) for i in range(count)]
    said = "period 2: 0.50 dB (p = 1e-05)"
    named = said if count == 1 else f"2.png ({said})"
    assert below(*images) == [
        f"Contrast that repeats (second order, as resizing and JPEG coding leave it): {named}."
    ]
