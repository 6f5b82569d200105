"""Figures of results: what is drawn is what was found, and errors say what to do."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

import uncheck
from reporting.test_reporting_notebook import LATTICE, NOISE
from uncheck.errors import UncheckError
from uncheck.judging.judgement import Cost, Fidelity, Judgement, Look, Strength
from uncheck.measuring.spectrum import power_spectrum
from uncheck.repairing.result import Repair
from uncheck.training import lattice_trend

pytest.importorskip("matplotlib")


def made(result, panels):
    """The figure, drawn without a warning of its layout."""
    figure = result.plot()
    figure.canvas.draw()
    titles = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert len(titles) == panels
    return figure, titles


def repair(**more):
    before = Look((Strength((2, 2), 5.0, 1e-9, True),))
    after = Look((Strength((2, 2), 0.01, 0.5, False),))
    x = np.full((96, 96, 3), 128, np.float32)
    striped = x + 5 * (np.indices((96, 96)).sum(0) % 2)[..., None].astype(np.float32)
    spectra = {
        "original spectrum": power_spectrum(striped[None]),
        "repaired spectrum": power_spectrum(x[None]),
    }
    judged = Judgement(before, after, Fidelity(40.0, 0.99), 0.0, pictures={
        "original": striped, "repaired": x, **spectra})  # fmt: skip
    given = {
        "network": "Net", "method": "spin", "label": "4 shifts", "kind": "retrained", "before": before,
        "judgement": judged, "cost": Cost(1.0, 4.0, None, None), "refused": (), "tried": (), "notes": (),
        "seconds": 1.0,
    }  # fmt: skip
    return Repair(**{**given, **more})


@pytest.mark.filterwarnings("error")
def test_overlap():
    figure, (image, phases) = made(uncheck.overlap(3, 2), 2)
    assert np.array_equal(image.images[0].get_array(), uncheck.overlap(3, 2).taps)
    assert [bar.get_height() for bar in phases.patches] == [2, 1]
    assert "4 times" in figure.get_suptitle()


@pytest.mark.filterwarnings("error")
def test_measurement_of_one_draws_its_bars_and_limits():
    found = uncheck.measure(LATTICE)
    _, (ax,) = made(found, 1)
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert tops == pytest.approx([c.amplitude for c in found.images[0].found.everything])
    limits = ax.collections[0].get_offsets()[:, 1]
    assert sorted(limits) == pytest.approx(sorted(one.amplitude for one in found.images[0].found.limits))


@pytest.mark.filterwarnings("error")
def test_measurement_of_many_has_a_row_each_and_says_what_it_leaves_out():
    _, (ax,) = made(uncheck.measure([LATTICE, NOISE]), 1)
    assert len(ax.get_yticklabels()) == 2
    _, (ax,) = made(uncheck.measure([NOISE] * 22), 1)
    assert ax.get_title() == "The strongest 20 of 22"


@pytest.mark.filterwarnings("error")
def test_a_map_lies_on_its_picture():
    half = np.where(np.arange(192)[None, :] < 96, np.tile(NOISE, (2, 2)), np.tile(LATTICE, (2, 2)))
    found = uncheck.measure(half.astype(np.uint8), where=True)
    _, (ax, _) = made(found, 2)
    over = ax.images[1].get_array()
    left, right, bottom, top = ax.images[1].get_extent()
    one = found.images[0].where.maps[0]
    # Window (i, j) is centred at ((i + 1) stride, (j + 1) stride).
    assert left + 0.5 * (right - left) / over.shape[1] == pytest.approx(one.stride)
    assert top + 0.5 * (bottom - top) / over.shape[0] == pytest.approx(one.stride)
    assert over.mask[:, : over.shape[1] // 4].all()


@pytest.mark.filterwarnings("error")
def test_repair_has_bars_spectra_and_crops():
    _, axes = made(repair(), 6)
    assert [bar.get_height() for bar in axes[0].patches] == pytest.approx([5.0, 0.01])
    assert [text.get_text() for text in axes[0].texts] == ["5.00", "\u2264 0.010"]
    _, (ax,) = made(repair(method=None, judgement=None, before=None), 1)
    assert not ax.patches


@pytest.mark.filterwarnings("error")
def test_lines_of_the_lattice_are_marked_on_the_spectrum():
    _, axes = made(repair(), 6)
    places = {tuple(place) for place in axes[1].collections[0].get_offsets()}
    assert places == {(-0.5, -0.5), (-0.5, 0.0), (0.0, -0.5)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("mode", "kernel", "times"), [("nearest", 3, 2), ("bilinear", 3, 2), ("bilinear", 5, 3)]
)
def test_fusion_counts_as_the_fused_layer_does(mode, kernel, times):
    net = nn.Sequential(nn.Upsample(scale_factor=times, mode=mode), nn.Conv2d(1, 1, kernel))
    result = uncheck.fuse(net, torch.rand(1, 1, 12, 12))
    _, (ax, _) = made(result, 2)
    before, after = (bar.get_width() for bar in ax.patches)
    assert before == (times * kernel) ** 2
    assert after == sum(p.numel() for p in result.model.parameters() if p.ndim == 4)


def test_nothing_fused_is_said():
    made(uncheck.fuse(nn.Conv2d(1, 1, 3), torch.rand(1, 1, 8, 8)), 1)


@pytest.mark.filterwarnings("error")
def test_trend_draws_the_curve():
    steps = np.arange(100, 2100, 100)
    _, (ax,) = made(lattice_trend(steps, 800 / steps, end=10_000), 1)
    assert ax.lines[0].get_ydata() == pytest.approx(800 / steps)
    assert ax.get_xscale() == "log"
    made(lattice_trend([], [], end=100), 1)
    made(lattice_trend([1, 2], [0, 0]), 1)


@pytest.mark.filterwarnings("error")
def test_inspection_has_spectrum_blame_and_crops():
    x = torch.rand(1, 1, 48, 48)
    torch.manual_seed(0)
    result = uncheck.inspect(nn.ConvTranspose2d(1, 1, 3, 2, 1, 1), x)
    _, axes = made(result, 5)
    assert axes[1].patches[0].get_width() == pytest.approx(100 * result.stages[0].blame.share)


def test_axes_that_were_given_are_drawn_in():
    from matplotlib.figure import Figure

    for one in (uncheck.overlap(3, 2), uncheck.measure(LATTICE), repair(), lattice_trend([1], [1])):
        figure = Figure()
        ax = figure.subplots()
        assert one.plot(ax) is figure
        assert ax.has_data()


def test_dollars_in_names_are_no_mathematics(tmp_path):
    from PIL import Image

    for name in ("a$b$.png", "$\\frac$.png"):
        Image.fromarray(LATTICE).save(tmp_path / name)
    uncheck.measure(tmp_path).plot().canvas.draw()


def test_a_metric_is_drawn_as_torchmetrics_does():
    pytest.importorskip("torchmetrics")
    from uncheck.training import LatticeMetric

    metric = LatticeMetric(periods=(2,), span=(0, 255))
    metric.update(torch.as_tensor(LATTICE).float()[None, None])
    figure, ax = metric.plot()
    assert ax.figure is figure
    assert ax.patches[1].get_height() == pytest.approx(float(metric.compute()["strength_2"]))
    _, ax = metric.plot([metric.compute()] * 3)
    assert len(ax.lines[0].get_ydata()) == 3
    assert metric.plot(ax=ax)[1] is ax


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        UncheckError, match=r"figures need matplotlib; install it with pip install 'uncheck\[plot\]'"
    ):
        uncheck.overlap(3, 2).plot()
    assert "What:" in uncheck.measure(LATTICE)._repr_html_()


def test_figures_show_themselves_in_notebooks():
    png = uncheck.overlap(3, 2).plot()._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 60_000
