"""Results in Python and in notebooks: short lines, the three lines and tables, nothing unescaped."""

import dataclasses
import importlib
import pkgutil
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import uncheck
from reporting.sample import inspection
from uncheck.errors import Kind, Refused
from uncheck.plain import Brief
from uncheck.reporting import notebook
from uncheck.training import LatticeTracker, lattice_trend

RNG = np.random.default_rng(0)
LATTICE = (
    (RNG.normal(128, 10, (96, 96)) + 6 * (np.indices((96, 96)).sum(0) % 2)).clip(0, 255).astype(np.uint8)
)
NOISE = RNG.normal(128, 10, (96, 96)).clip(0, 255).astype(np.uint8)


def shown():
    """One of each result that shows itself, but those of dear runs."""
    upsampler = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3, padding=1))
    x = torch.rand(1, 1, 16, 16)
    both = uncheck.measure([LATTICE, NOISE], together=True)
    steps = np.arange(100, 2100, 100)
    return {
        "measurement": uncheck.measure([LATTICE, NOISE]),
        "one": uncheck.measure(LATTICE),
        "image": both.images[0],
        "set": both.together,
        "set and images": both,
        "map": uncheck.measure(LATTICE, where=True),
        "local map": uncheck.measure(LATTICE, where=True).images[0].where,
        "overlap": uncheck.overlap(3, 2),
        "overlap of sound": uncheck.overlap(16, 6, ndim=1),
        "overlap of volumes": uncheck.overlap(3, 2, ndim=3),
        "fusion": uncheck.fuse(upsampler, x),
        "nothing fused": uncheck.fuse(nn.Conv2d(1, 1, 3), x),
        "swap": uncheck.swap(nn.Sequential(nn.ConvTranspose2d(1, 1, 3, 2)), x),
        "repair refused": uncheck.repair(nn.Conv2d(1, 1, 3), torch.zeros(2, 1, 32, 32)),
        "trend": lattice_trend(steps, 800 / steps, end=10_000),
        "trend too early": lattice_trend([], [], end=100),
        "inspection": uncheck.inspect(nn.ConvTranspose2d(1, 1, 3, 2, 1, 1, bias=False), x, seconds=1),
        "tracker": LatticeTracker(),
    }


#: Results that have more than a line to say.
TABLED = ("measurement", "set and images", "local map", "overlap", "fusion", "swap", "inspection")


@pytest.fixture(scope="module")
def results():
    return shown()


@pytest.fixture(scope="module")
def trees(results):
    return {name: parsed(one) for name, one in results.items()}


def parsed(result):
    """The HTML as a tree: it is well-formed, whatever is in it."""
    text = result._repr_html_()
    text = re.sub(r"(<img [^>]*)>", r"\1/>", text)
    return ET.fromstring(text)


def test_lines_are_short_and_name_the_class(results):
    for name, one in results.items():
        assert len(repr(one)) <= 300, name
        assert "\n" not in repr(one), name
        assert repr(one).startswith(f"<{type(one).__name__}: "), name


def test_html_has_what_and_what_to_do(trees):
    for name, tree in trees.items():
        labels = [node.text for node in tree.iter("strong")]
        assert labels[0] == "What:", name
        assert "Do:" in labels or name == "local map", name


def test_every_table_has_scopes(trees):
    for name, tree in trees.items():
        assert all(cell.get("scope") == "col" for cell in tree.iter("th")), name
        assert list(tree.iter("table")) or name not in TABLED, name


def test_pictures_are_inside_and_small(trees):
    for name in ("map", "local map", "overlap", "overlap of sound", "overlap of volumes", "inspection"):
        sources = [image.get("src") for image in trees[name].iter("img")]
        assert sources, name
        assert all(source.startswith("data:image/png;base64,") for source in sources), name
        assert sum(map(len, sources)) < 150_000, name


def test_names_from_outside_are_escaped(tmp_path):
    from PIL import Image

    path = tmp_path / "<script>alert(1)<&\u202e.png"
    Image.fromarray(LATTICE).save(path)
    found = uncheck.measure([path, NOISE])
    text = found._repr_html_()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
    assert "\u202e" not in repr(found.images[0])
    net = nn.Sequential()
    net.add_module("<b>up", nn.ConvTranspose2d(1, 1, 3, 2))
    swapped = uncheck.swap(net, torch.rand(1, 1, 8, 8))
    assert "<b>up" not in swapped._repr_html_()
    assert "&lt;b&gt;up" in swapped._repr_html_()
    refused = dataclasses.replace(swapped, refused=(Refused(Kind.unsupported, "<i>no", "a<b"),))
    assert "<i>" not in refused._repr_html_()


def test_a_planted_leak_is_seen(monkeypatch):
    monkeypatch.setattr("uncheck.reporting.html.html", SimpleNamespace(escape=lambda text: text))
    net = nn.Sequential()
    net.add_module("<b>up", nn.ConvTranspose2d(1, 1, 3, 2))
    assert "<b>up" in uncheck.swap(net, torch.rand(1, 1, 8, 8))._repr_html_()


def test_the_sample_of_an_inspection_has_its_stages():
    page = notebook.Drawing()
    text = notebook.inspect_text(notebook.Told(inspection()), page)
    for stage in inspection()["stages"]:
        assert stage["name"] in text


def test_all_dataclasses_inside_results_are_brief(results):
    """Walk everything that results hold: no dataclass writes all its fields."""
    seen, wanted = set(), []

    def walk(value):
        if id(value) in seen:
            return
        seen.add(id(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            if not isinstance(value, Brief) and len(repr(value)) > 400:
                wanted.append(type(value).__name__)
            assert len(repr(value)) <= 400 or not isinstance(value, Brief), type(value)
            for field in dataclasses.fields(value):
                walk(getattr(value, field.name))
        elif isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, tuple | list):
            for one in value:
                walk(one)

    for one in results.values():
        walk(one)
    assert not wanted


def test_a_class_may_write_its_own_line():
    @dataclasses.dataclass(frozen=True)
    class Own(Brief):
        size: int

        def __repr__(self):
            return "mine"

    @dataclasses.dataclass(frozen=True)
    class Child(Own):
        more: int = 0

    assert repr(Own(1)) == "mine"
    assert repr(Child(1)) == "mine"


def test_drawing_is_imported_only_when_something_is_drawn():
    import subprocess
    import sys

    code = (
        "import sys, uncheck; uncheck.overlap(3, 2);"
        "print([m for m in ('matplotlib', 'uncheck.reporting', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_file_of_plots_is_a_module():
    package = importlib.import_module("uncheck.reporting.plots")
    assert {m.name for m in pkgutil.iter_modules(package.__path__)} >= {*package._FILES.values(), "metric"}
