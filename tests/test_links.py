"""Links of the pages lead somewhere, in a copy of the repository and on PyPI."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "experiments/*/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s#]+)")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REPOSITORY = PYPROJECT["project"]["urls"]["Repository"]

pytestmark = pytest.mark.skipif(not (ROOT / ".github").exists(), reason="the pages are not part of this copy")


def links(text):
    return [link for link in LINK.findall(text) if not link.startswith(("https://", "http://", "mailto:"))]


def dead(text, folder):
    return [link for link in links(text) if not (folder / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    assert dead(page.read_text(encoding="utf-8"), page.parent) == []


def test_a_dead_link_is_noticed():
    assert dead("[a](README.md) [b](nowhere.md) [c](https://example.org)", ROOT) == ["nowhere.md"]


def on_pypi(text):
    """What hatch-fancy-pypi-readme makes of README.md."""
    for rule in PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    return text


def test_on_pypi_all_links_are_absolute_and_lead_to_files_of_the_repository():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = on_pypi(text)
    assert links(shown) == []
    paths = re.findall(rf"\]\({re.escape(REPOSITORY)}/(?:blob|raw)/main/([^)#]+)", shown)
    assert sorted(paths) == sorted(links(text))
    assert f"]({REPOSITORY}/raw/main/docs/pictures/repaired.png)" in shown


def test_the_repository_has_one_address():
    for name in ("pyproject.toml", "CITATION.cff", ".github/ISSUE_TEMPLATE/config.yml"):
        addresses = re.findall(r"https://github\.com/[\w./-]*", (ROOT / name).read_text(encoding="utf-8"))
        assert addresses
        assert [a for a in addresses if not f"{a}/".startswith(f"{REPOSITORY}/")] == []
