"""A repair as text and as a page: every fact is said once, and nothing is fetched."""

import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from reporting.sample import whole
from reporting.sample_repair import (
    CLEAN,
    REFUSED,
    REPAIRED,
    SOUND,
    UNSEEN,
    judgement,
    look,
    page_of,
    pictures,
    strength,
)
from uncheck.judging.judgement import Fidelity
from uncheck.measuring.lines import strongest_place
from uncheck.reporting.repair import band, repair_text, tone
from uncheck.reporting.repair_page import crop_frequencies, lattice_frequencies, repair_page

ALL = {"repaired": REPAIRED, "sound": SOUND, "refused": REFUSED, "clean": CLEAN, "unseen": UNSEEN}

#: Attributes by which a page could fetch something.
FETCHING = {"src", "href", "srcset", "data", "poster", "action", "background"}


class Markup(HTMLParser):
    """What a page would fetch, its text, and whether tags are closed."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self, page):
        super().__init__()
        self.fetched, self.images, self.open, self.words = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in FETCHING and not value.startswith("data:"):
                self.fetched.append(value)
            if tag == "img" and name == "src":
                self.images.append(value)
            if name == "style":
                self.handle_data(value)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        self.fetched += re.findall(r"url\([^)]*\)|@import[^;]*", data)


def flat(text):
    return " ".join(text.split())


def test_text_of_a_repair():
    text = flat(repair_text(REPAIRED, whole(200)))
    assert text.startswith(
        "What: Grid of Style<Transfer> too weak to be seen now, at 16 times the cost, but the octave above "
        "1/4 lost 40% of its energy: 10.5 of 255 grey levels before, 0.24 now. "
        "Why: By the method distill (last 3 layers & norms), training a copy without the fault; retrained."
    )
    assert "The output is 26.9 dB from the original's, and its detail changed by -3.1% in the mean" in text
    assert tone(REPAIRED.to_dict()) == "mixed"
    for fact in (
        "4 10.5 ≤ 0.12 ≥ 88 no longer",
        "2x1 0.30 0.20 1.5 yes",
        "8 none 0.060 - yes",
        "bright 8.80 0.010",
        "the original - 26.90 0.810",
        "the original averaged over shifts 22.70 27.50 0.850",
        "the truth 30.03 30.01 0.900",
        "above 1/4 -40.0%",
        "below 1/32 -1.0%",
        "time 290 ms 4600 ms 16 times",
        "match all stages 5.20 2.1 22.30 the lattice fell only from 10.6 to 5.2 grey levels",
        "project: no stage feeds the output directly.",
        "Note: training stopped after 410 steps.",
    ):
        assert text.count(fact) == 1, fact
    assert "memory" not in text


def test_text_of_refusals():
    clean = flat(repair_text(CLEAN))
    assert clean.startswith("What: Nothing to repair: the outputs of Style<Transfer> show no grid. Do:")
    text = flat(repair_text(REFUSED, whole(200)))
    assert "None of 2 methods could do it (project: no stage feeds the output directly; -v has all)." in text
    assert "period before ────────────── 4 10.5" in text.replace("─" * 15, "─" * 14)
    unseen = flat(repair_text(UNSEEN))
    assert unseen.startswith(
        "What: Style<Transfer> was not repaired: it could not be judged. Why: As_strided is not understood."
    )


def test_equal_outputs_are_said_to_be():
    same = judgement(after=look(strength((4, 4), 0.1, False)), fidelity=Fidelity(144.49, 1.0))
    text = flat(repair_text(dataclasses.replace(REPAIRED, judgement=same, cost=None), whole(200)))
    assert "Grid of Style<Transfer> gone, but the octave" in text
    assert "The output is the same." in text
    assert "the original - equal 1.000" in text


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0, 1 / 32, "below 1/32"),
        (1 / 8, 1 / 4, "1/8 to 1/4"),
        (1 / 4, 0.71, "above 1/4"),
        (0.25, 0.5, "above 1/4"),
    ],
)
def test_octaves_are_named(low, high, name):
    assert band(low, high) == name


@pytest.mark.parametrize("name", ALL)
def test_page_is_whole_and_fetches_nothing(name):
    page = page_of(ALL[name])
    markup = Markup(page)
    assert markup.open == []
    assert markup.fetched == []
    assert "<script src" not in page
    assert "Style<Transfer>" not in page
    assert "<b>stage" not in page


def test_planted_requests_are_caught():
    for planted in (
        '<img src="http://a/b.png">',
        "<style>@import 'x';</style>",
        '<p style="color:url(x)"></p>',
    ):
        assert Markup(f"<main>{planted}</main>").fetched


def test_pictures_of_the_page_are_those_of_the_judgement():
    top, left = place = strongest_place(pictures()["original"], crop_frequencies(REPAIRED), 64)
    images = Markup(page_of(REPAIRED, place)).images
    shown = [np.asarray(Image.open(io.BytesIO(base64.b64decode(i.partition(",")[2])))) for i in images]
    assert [i.shape for i in shown[:4]] == [(64, 64, 3)] * 4
    assert min(top, left) >= 64
    for image, name in zip(shown, ("original", "repaired", "spun"), strict=False):
        part = pictures()[name][top : top + 64, left : left + 64]
        assert np.abs(image - np.clip(part, 0, 255)).max() <= 0.5
    # spectra, and whole outputs
    assert [i.shape for i in shown[4:]] == [(160, 160)] * 2 + [(160, 160, 3)] * 3


def test_page_says_what_the_text_says():
    words = flat(" ".join(Markup(page_of(REPAIRED)).words))
    for fact in (
        "≥ 88",
        "no longer",
        "30.03",
        "-40.0%",
        "16 times",
        "kept",
        "5.2 minutes",
        "load_repaired",
    ):
        assert fact in words
    refused = flat(" ".join(Markup(page_of(REFUSED)).words))
    for fact in ("Not repaired", "no stage feeds the output directly.", "10.5"):
        assert fact in refused


def test_sound_is_drawn_as_curves():
    page = page_of(SOUND)
    assert page.count("<path") == 2
    assert page.count("<line") == 2  # +1/4 and -1/4 on the same place
    assert "<img" not in page


@pytest.mark.parametrize("shape", [(24, 40, 1), (64, 64, 3), (600, 900, 3), (100, 100, 2), (100, 100, 5)])
def test_pictures_of_any_size_are_drawn(shape):
    values = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    given = dict.fromkeys(("original", "repaired"), values)
    given |= {f"{name} spectrum": values[..., :1] for name in ("original", "repaired")}
    images = Markup(repair_page(REPAIRED, given)).images
    assert len(images) == 7
    for image in images:
        drawn = Image.open(io.BytesIO(base64.b64decode(image.partition(",")[2])))
        assert max(drawn.size) <= 512


def test_frequencies_belong_to_their_period_alone():
    assert lattice_frequencies([(4, 1)]) == [(-0.25, 0.0), (0.25, 0.0)]
    assert lattice_frequencies([(2, 2)]) == [(-0.5, -0.5), (-0.5, 0.0), (0.0, -0.5)]
    assert len(lattice_frequencies([(4, 4)])) == 12
    assert lattice_frequencies([]) == []


def test_control_characters_are_escaped_in_text_and_page():
    named = dataclasses.replace(REFUSED, network="Up\x1b[2J\x9b\n", notes=("\u202eb\x07",))
    page, text = page_of(named), repair_text(named, whole(200))
    for said in (page, text):
        assert r"Up\x1b[2J\x9b\n" in said
        assert r"\u202eb" in said
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
