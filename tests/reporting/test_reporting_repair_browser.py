"""The page of a repair in a real browser: it opens from a file, shows its pictures, and asks for nothing."""

import json
import re
import shutil
import subprocess

import pytest

from reporting.sample_repair import REFUSED, REPAIRED, SOUND, page_of

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium here (Debian: apt-get install chromium)"),
]

#: Added to a copy of the page: says what the browser made of it, in the title.
REPORT = """<script>addEventListener("load", () => { document.title = JSON.stringify({
  images: [...document.images].map(i => i.complete ? i.naturalWidth : 0),
  fetched: performance.getEntriesByType("resource").map(e => e.name),
  wide: document.documentElement.scrollWidth, window: innerWidth,
  crops: [...document.querySelectorAll("img.crop")].map(i => [getComputedStyle(i).imageRendering, i.width]),
  back: getComputedStyle(document.body).backgroundColor,
}) })</script>"""


def opened(page, folder, *options, width=1100):
    """What Chromium, off the network, makes of a page opened from a file."""
    path = folder / "report.html"
    path.write_text(page + REPORT, encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},1600",
        "--virtual-time-budget=5000",
        *options,
        "--dump-dom",
        path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL).group(1)
    return json.loads(title.replace("&quot;", '"').replace("&amp;", "&"))


@pytest.mark.parametrize(("width", "most"), [(1100, 1100), (500, 500)])
def test_repaired_page_shows_its_pictures(tmp_path, width, most):
    seen = opened(page_of(REPAIRED), tmp_path, width=width)
    assert len(seen["images"]) == 9
    assert all(width > 0 for width in seen["images"])
    assert seen["fetched"] == []
    assert seen["crops"] == [["pixelated", 256]] * 4
    # nothing sticks out to the right
    assert seen["wide"] <= seen["window"] <= most


def test_dark_and_light(tmp_path):
    light = opened(page_of(REFUSED), tmp_path)
    dark = opened(page_of(REFUSED), tmp_path, "--blink-settings=preferredColorScheme=0")
    assert light["back"] == "rgb(251, 251, 250)"
    assert dark["back"] == "rgb(20, 23, 26)"
    assert light["images"] == []


def test_sound_and_refusals_open(tmp_path):
    for repair in (SOUND, REFUSED):
        seen = opened(page_of(repair), tmp_path, width=500)
        assert seen["fetched"] == []
        assert seen["wide"] <= seen["window"]


def test_planted_faults_are_seen(tmp_path):
    page = page_of(REFUSED)
    outside = page.replace("</main>", '<img src="http://example.invalid/a.png"></main>')
    seen = opened(outside, tmp_path)
    assert seen["images"] == [0]
    assert seen["fetched"] == ["http://example.invalid/a.png"]
    broken = page.replace("</main>", '<img src="data:image/png;base64,AAAA"></main>')
    assert opened(broken, tmp_path)["images"] == [0]
    wide = page.replace("</main>", '<div style="width:3000px">x</div></main>')
    seen = opened(wide, tmp_path)
    assert seen["wide"] > seen["window"]
