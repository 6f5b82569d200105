"""The text of an inspection: verdict and blame first, everything else below, plain unless asked."""

import pytest

from reporting.sample import ALL, GRADIENT, Sample, component, stage, whole
from uncheck.reporting import Page, inspect_text

CLEAN = {
    "verdict": "clean",
    "lattice": [],
    "traces": [],
    "from_input": [],
    "random_weights": {"lattice": None, "fault": None},
}


def rows(text, start):
    return [" ".join(line.split()) for line in text.splitlines() if line.startswith(start)]


def test_the_headline_names_periods_amplitudes_and_the_layers_to_blame():
    lines = inspect_text(Sample(), Page(300)).splitlines()
    assert lines[0] == "What: Grid of period 4 and 2x1, strong: 4.60 of 255 grey levels."
    assert lines[1] == (
        "Why:  Made by `decoder.0` (ConvTranspose2d 3x3, stride 2): within each cell of its output some "
        "pixels have more contrast than others (second order), which a nonlinearity after it turns into "
        "brightness. So does `decoder.3` (PixelShuffle)."
    )


def test_stages_are_listed_in_forward_order_with_bars():
    text = inspect_text(Sample(), whole(100))
    assert rows(text, "decoder.0  ") == ["decoder.0 transposed 3 /2 uneven 4 0.781 0 █████████ 90% *"]
    assert rows(text, "decoder.3  ") == ["decoder.3 sub-pixel 3x5 /2x1 2x1 - - █▌ 15%"]
    assert "* interacts with other stages" in text


def test_the_order_of_each_guilty_stage_is_explained():
    text = inspect_text(Sample(), whole(200))
    assert "`decoder.0` (ConvTranspose2d): its phases, the places within a cell of its output, get" in text
    assert "get unequal means (first order)." in text


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("architecture", "It is built in"), ("learning", "It was learned"), (None, None)],
)
def test_architecture_or_learning(fault, expected):
    text = inspect_text(Sample(random_weights={"lattice": [], "fault": fault}), ALL)
    assert [word for word in ("It is built in", "It was learned") if word in text] == [expected] * bool(
        expected
    )


def test_the_lattice_says_which_stage_each_period_comes_from_and_what_is_a_trace():
    lines = [" ".join(line.split()) for line in inspect_text(Sample(), whole(100)).splitlines()]
    assert "4 4.42 1e-09 decoder.0 97%" in lines
    assert "2x1 1.25 1e-09 decoder.3 80%, decoder.0 20%" in lines
    assert "8 0.061 < 1e-300 trace, below the threshold" in lines
    assert "16 0.40 1e-09 the input brought it" in lines


def test_probes_border_operations_and_notes():
    text = inspect_text(Sample(), whole(100))
    assert rows(text, "dark") == ["dark none none"]
    assert rows(text, "noise") == ["noise period 4: 5.40 period 2: 0.70"]
    assert rows(text, "shuffled weights") == ["shuffled weights period 4: 78.1"]
    assert rows(text, "Border") == [
        "Border: on a constant input it differs 10 pixels deep, by up to 8.70 grey levels.",
        "Border: made by the padding of `encoder.0` (zero, 75%).",
    ]
    assert "Operations: 9 handled, 3 ignored on purpose, none that was not understood." in text
    assert "\nNote: stages interact.\n" in text


def test_a_clean_network():
    text = inspect_text(Sample(**CLEAN, stages=[stage("up", "nearest", overlap="none")], boundary=None), ALL)
    assert text.splitlines()[0] == "What: Clean: no grid in the output."
    assert rows(text, "up ") == ["up nearest 3 /2 4 0.781 0 -"]
    assert "Lattice of the output" not in text
    assert "Border" not in text


def test_a_lattice_without_stages_is_not_blamed_on_upsampling():
    text = inspect_text(Sample(stages=[]), whole(200))
    assert "There is no upsampling layer, so upsampling is not to blame" in text.splitlines()[1]
    assert "There are no upsampling stages." in text


def test_a_lattice_nobody_answers_for():
    text = inspect_text(Sample(stages=[stage("up", blame=0.05)]), whole(200))
    assert "No upsampling layer answers for it" in text.splitlines()[1]


def test_undetermined_names_what_was_not_understood():
    unknown = {"handled": {}, "ignored": {}, "unsupported": {"grid_sample": 2}}
    text = inspect_text(Sample(**{**CLEAN, "verdict": "undetermined"}, operations=unknown), whole(200))
    assert text.splitlines()[0] == (
        "What: Undetermined: no grid was found, but grid_sample on the way to the output is not understood."
    )
    assert "not understood: grid_sample (2)." in text


def test_the_gradient_names_the_strided_layer():
    text = inspect_text(Sample(gradient=GRADIENT), whole(200))
    assert "Gradient with respect to the input: period 4: 9.10; its magnitude: no lattice" in text
    assert rows(text, "stem") == ["stem convolution 4 /4 4 █████ 50%"]


def test_a_clean_output_with_a_gradient_lattice():
    text = inspect_text(Sample(**CLEAN, gradient=GRADIENT), ALL)
    assert text.splitlines()[0] == "What: Clean: no grid in the output; but the gradient has a grid."


def test_a_shared_layer_and_a_nameless_one():
    text = inspect_text(Sample(stages=[stage("up", call=1, blame=0.5), stage("", blame=0.4)]), whole(200))
    assert "Made by `up` (call 2) (ConvTranspose2d 3x3, stride 2)" in text.splitlines()[1]
    assert text.splitlines()[1].endswith("So does the model itself (ConvTranspose2d).")


def test_plain_text_has_no_escape_codes_and_no_trailing_blanks_and_colour_has():
    plain, coloured = inspect_text(Sample(), whole(100)), inspect_text(Sample(), Page(120, colour=True))
    assert "\x1b" not in plain
    assert all(line == line.rstrip() for line in plain.splitlines())
    assert "\x1b[" in coloured


def test_names_that_look_like_markup_stay_whole():
    name = "[bold]blocks[0].up" + ".inner" * 30
    text = inspect_text(Sample(stages=[stage(name, blame=1.0)], lattice=[component([2, 2], 1.0)]), ALL)
    assert f"Made by `{name}` (" in text
