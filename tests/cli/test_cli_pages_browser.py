"""The pages that commands write, in a real browser: they fit two widths and fetch nothing, for everyone."""

import shutil

import numpy as np
import pytest
from PIL import Image

from reporting.browser import AXE, BROWSER, NO_AXE, NO_BROWSER, browser
from uncheck.cli import main

pytestmark = [pytest.mark.integration, pytest.mark.skipif(BROWSER is None, reason=NO_BROWSER)]

NET = """from torch import nn

def make():
    return nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), nn.Upsample(scale_factor=2), nn.Conv2d(8, 3, 3, 1, 1))
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each command, of small files with long and hostile names."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "net.py").write_text(NET)
        (folder / "shots").mkdir()
        y, x = np.mgrid[:96, :96]
        for i in range(34):
            pixels = np.random.default_rng(i).normal(128, 4, (96, 96)) + (i % 3) * 4 * (-1.0) ** (x + y)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(f"shots/{i:02d}.png")
        shutil.copy("shots/01.png", f"shots/<script>alert(1)<marquee> {'long' * 40}.png")
        (folder / "shots" / "broken.png").write_bytes(b"no picture")
        for name, words in {
            "inspect": ["inspect", "uncheck.demo:load", "--input", "uncheck.demo:pictures"],
            "measure": ["measure", "shots"],
            "one": ["measure", "shots/01.png"],
            "fuse": ["fuse", "net.py:make", "--shape", "1,3,32,32"],
            "overlap": ["overlap", "3", "2"],
        }.items():
            main([*words, "--html", f"{name}.html", "-q"])
    return folder


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


NAMES = ["inspect", "measure", "one", "fuse", "overlap"]


@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("name", NAMES)
def test_every_page_fits_and_fetches_nothing(pages, tab, name, width):
    tab.open(pages / f"{name}.html", width)
    assert tab.sticks_out == []
    assert tab.requests == [tab.value("location.href")]
    assert tab.value("document.querySelectorAll('marquee').length") == 0, "names of files are text"
    shown = tab.value("[...document.images].map(i => i.complete ? i.naturalWidth : 0)")
    assert all(pixels > 0 for pixels in shown)
    # What to do comes before pictures and tables; the command and the versions come last.
    below = tab.value("document.querySelector('footer').getBoundingClientRect().top + scrollY")
    assert tab.value("document.querySelector('h1').getBoundingClientRect().top + scrollY") < 200
    assert below > tab.value("document.querySelector('main').getBoundingClientRect().bottom + scrollY") - 1
    assert "uncheck" in tab.value("document.querySelector('footer').innerText")


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_dark_in_the_dark(pages, tab, name):
    back = "getComputedStyle(document.body).backgroundColor"
    assert tab.open(pages / f"{name}.html").value(back) == "rgb(251, 251, 250)"
    assert tab.open(pages / f"{name}.html", dark=True).value(back) == "rgb(20, 23, 26)"


@pytest.mark.skipif(not AXE.exists(), reason=NO_AXE)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_accessible(pages, tab, name, dark):
    for width in (375, 1200):
        assert tab.open(pages / f"{name}.html", width, dark=dark).axe() == []


def test_columns_are_side_by_side_only_where_there_is_room(pages, tab):
    tops = "new Set([...document.querySelectorAll('.tile')].map(t => Math.round(t.offsetTop))).size"
    tiles = tab.open(pages / "inspect.html").value("document.querySelectorAll('.tile').length")
    assert tiles == 4
    assert tab.open(pages / "inspect.html", 1200).value(tops) == 1
    assert tab.open(pages / "inspect.html", 375).value(tops) == 2


def test_the_slider_moves_the_edge(pages, tab):
    for width in (375, 1200):
        tab.open(pages / "inspect.html", width)
        assert tab.value("document.querySelector('input[type=range]').offsetWidth") > 200
        before = tab.value("document.querySelector('input[type=range]').parentElement.outerHTML")
        tab.value(
            "(() => { const s = document.querySelector('input[type=range]'); s.value = 20;"
            " s.dispatchEvent(new Event('input', {bubbles: true})); return 0 })()"
        )
        assert tab.value("document.querySelector('input[type=range]').parentElement.outerHTML") != before
