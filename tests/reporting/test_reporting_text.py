"""Measurements and overlaps as text, JSON, and how numbers are written."""

import json

import numpy as np
import pytest

from reporting.sample import ALL, whole
from uncheck.geometry import chain, layer, overlap, surviving_periods
from uncheck.geometry.result import picture
from uncheck.measuring import Measurement, measure
from uncheck.plain import plain
from uncheck.reporting import Page, json_text, measure_text, overlap_text
from uncheck.reporting.page import Detail, bar, chance, components, levels, listed, sizes


def checkered(amplitude, n=64, slope=0.0):
    y, x = np.mgrid[:n, :n]
    noise = np.random.default_rng(0).normal(128, 3, (n, n))
    return noise + (amplitude + slope * x) * (-1.0) ** (x + y)


def text_of(result, page=None):
    return overlap_text(
        result, plain(result.layers), result.axis_taps, surviving_periods(result), page or ALL
    )


def test_one_row_per_picture_and_a_headline_that_counts():
    result = measure([checkered(5.0), checkered(0.0)], span=(0, 255))
    text = measure_text(Measurement(result.images, (("bad.png", "bad.png: damaged"),)), whole(80))
    assert text.startswith("What: 3 pictures: 1 with a grid, 1 clean and 1 not measured. The strongest: ")
    cells = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith(("[", "bad"))}
    assert cells["[0]"][1] == "lattice"
    assert float(cells["[0]"][2]) == pytest.approx(5.0, abs=0.2)
    assert cells["[0]"][3:5] == ["period", "2:"]
    assert cells["[1]"][1:] == ["clean", "0"]
    assert cells["bad.png"][1:] == ["not", "measured"]


def test_long_paths_stay_whole_in_plain_text():
    image = measure(checkered(5.0), span=(0, 255)).images[0]
    path = "folder/" * 30 + "x.png"
    named = Measurement((type(image)(path, image.verdict, image.rival, image.found),))
    quiet = measure_text(named, Page(detail=Detail.quiet))
    assert quiet.startswith(f"{path}: Grid of period 2, visible: ")
    table = measure_text(named, whole(80)).partition("\n\n")[2].splitlines()
    assert max(map(len, table)) <= 120


def test_a_single_picture_tells_how_the_lattice_goes_with_brightness():
    y, x = np.mgrid[:128, :128]
    ramp = 60 + x + np.random.default_rng(1).normal(0, 1, x.shape)
    text = measure_text(measure(ramp + 0.05 * ramp * (-1.0) ** (x + y), span=(0, 255)), ALL)
    assert "The lattice is stronger where the picture is brighter:" in text
    assert "+0.05" in text


def test_uneven_overlap():
    text = text_of(overlap(3, 2), ALL)
    assert text.splitlines()[0] == (
        "What: Uneven: some output pixels get 4 times the taps of others; period 2."
    )
    assert "▒▒██▒▒██" in text
    assert [" ".join(line.split()) for line in text.splitlines()][-2:] == ["0 2 1", "1 2 1"]


def test_even_overlap_and_a_hole():
    assert text_of(overlap(4, 2)).startswith("What: Even: every output pixel")
    assert "some output pixels get no tap at all; period 3" in text_of(overlap(2, 3, 1))


def test_a_chain_lists_its_layers_and_scales():
    layers = [
        layer(3, 2, ndim=1, padding=1, output_padding=1),
        layer(3, 2, ndim=1),
        layer(2, ndim=1, transposed=False),
    ]
    lines = [" ".join(line.split()) for line in text_of(chain(layers)).splitlines()]
    assert "1. transposed convolution, kernel 3, stride 2, padding 1, output padding 1" in lines
    assert "3. convolution, kernel 2, stride 1" in lines
    assert "1 4 2:1 yes" in lines
    assert "2 2 2:1 no, a later layer evens it" in lines


def test_a_scale_that_is_even_itself_needs_no_later_layer():
    lines = [" ".join(line.split()) for line in text_of(chain([layer(4, 2), layer(4, 2)])).splitlines()]
    assert "1 4 1:1 no, it is even" in lines
    assert "2 2 1:1 no, it is even" in lines


def test_many_phases_are_counted():
    assert "... (20 phases)" in text_of(overlap(3, 20, 1))


def test_json_keeps_the_keys_and_refuses_nan():
    assert json.loads(json_text(overlap(2, 3, 1)))["ratio"] is None
    broken = measure(checkered(5.0), span=(0, 255))
    object.__setattr__(broken.images[0].found.present[0], "amplitude", float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(broken)


def test_numbers_as_people_read_them():
    assert [sizes(v) for v in ([2, 2], [2, 1], [1.5, 1.5], None)] == ["2", "2x1", "1.5", "-"]
    assert [levels(v) for v in (0.0412, 1.234, 45.67)] == ["0.041", "1.23", "45.7"]
    assert [chance(p) for p in (0.0, 3.2e-35, 0.04)] == ["< 1e-300", "3e-35", "0.04"]
    assert [bar(v) for v in (None, 0.0, 0.5, 1.2)] == [
        "-",
        "           " + "  0%",
        "█████       50%",
        "██████████ 120%",
    ]
    assert components([]) == "none"
    many = [{"period": [p, p], "amplitude": 1.0} for p in (2, 3, 4, 5, 6)]
    assert components(many) == "period 2: 1.00, period 3: 1.00, period 4: 1.00, 2 more"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_the_picture_of_an_overlap_keeps_its_empty_rows():
    made = overlap(4, 2, padding=1, dilation=2)
    drawn = picture(made.taps)
    assert drawn.endswith("\n")
    assert f"\n{drawn}\n\nTaps per phase" in text_of(made)
