"""The page of a repair in a real browser: at two widths, light and dark, offline, and for everyone."""

import pytest

from reporting.browser import AXE, BROWSER, NO_AXE, NO_BROWSER, browser
from reporting.sample_repair import CLEAN, REFUSED, REPAIRED, SOUND, UNSEEN, page_of

pytestmark = [pytest.mark.integration, pytest.mark.skipif(BROWSER is None, reason=NO_BROWSER)]

ALL = {"repaired": REPAIRED, "sound": SOUND, "refused": REFUSED, "clean": CLEAN, "unseen": UNSEEN}


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture
def opened(tab, tmp_path):
    def open_page(page, width=1200, dark=False):
        path = tmp_path / "report.html"
        path.write_text(page, encoding="utf-8")
        return tab.open(path, width, dark=dark)

    return open_page


@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("name", ALL)
def test_page_fits_and_fetches_nothing(opened, name, width):
    tab = opened(page_of(ALL[name]), width)
    assert tab.value("innerWidth") == width
    assert tab.sticks_out == []
    assert tab.requests == [tab.value("location.href")]


@pytest.mark.parametrize("width", [375, 1200])
def test_repaired_page_shows_its_pictures(opened, width):
    tab = opened(page_of(REPAIRED), width)
    shown = tab.value("[...document.images].map(i => i.complete ? i.naturalWidth : 0)")
    assert len(shown) == 9
    assert all(width > 0 for width in shown)
    drawn = tab.value(
        "[...document.querySelectorAll('img.crop')].map(i => getComputedStyle(i).imageRendering)"
    )
    assert set(drawn) == {"pixelated"}


def test_dark_and_light(opened):
    back = "getComputedStyle(document.body).backgroundColor"
    assert opened(page_of(REFUSED)).value(back) == "rgb(251, 251, 250)"
    assert opened(page_of(REFUSED), dark=True).value(back) == "rgb(20, 23, 26)"


@pytest.mark.skipif(not AXE.exists(), reason=NO_AXE)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_page_is_accessible(opened, name, dark):
    for width in (375, 1200):
        assert opened(page_of(ALL[name]), width, dark).axe() == []


def test_planted_faults_are_seen(opened):
    page = page_of(REFUSED)
    outside = opened(page.replace("</main>", '<img src="http://example.invalid/a.png"></main>'))
    assert "http://example.invalid/a.png" in outside.requests
    wide = opened(page.replace("</main>", '<div style="width:3000px" class="x">x</div></main>'))
    assert wide.sticks_out == ["the page itself", "DIV.x"]
    if AXE.exists():
        faint = opened(
            page.replace("</main>", '<p style="color:#ddd;background:#fff">Faint words.</p></main>')
        )
        assert any(line.startswith("color-contrast: ") for line in faint.axe())
