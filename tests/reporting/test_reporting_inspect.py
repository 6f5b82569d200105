"""The text of an inspection: verdict and blame first, everything else below, plain unless asked."""

import pytest

from reporting.sample import GRADIENT, Sample, component, stage
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
    first = inspect_text(Sample(), Page(200)).splitlines()[0]
    assert first == (
        "Lattice: period 4 at 4.42 and period 2x1 at 1.25 grey levels (of 255); "
        "to blame: decoder.0 (90%) and decoder.3 (15%)."
    )


def test_stages_are_listed_in_forward_order_with_bars():
    text = inspect_text(Sample())
    assert rows(text, "decoder.0  ") == ["decoder.0 transposed 2 3 uneven 4 0.781 0 █████████ 90% *"]
    assert rows(text, "decoder.3  ") == ["decoder.3 sub-pixel 2x1 3x5 - 2x1 - - █▌ 15%"]
    assert "* interacts with other stages" in text


def test_the_order_of_each_guilty_stage_is_explained():
    text = inspect_text(Sample(), Page(200))
    assert "decoder.0: its output phases get unequal variances, which a nonlinearity" in text
    assert "decoder.3: its output phases get unequal means (first order)." in text


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("architecture", "It is built in"), ("learning", "It was learned"), (None, None)],
)
def test_architecture_or_learning(fault, expected):
    text = inspect_text(Sample(random_weights={"lattice": [], "fault": fault}))
    assert [word for word in ("It is built in", "It was learned") if word in text] == [expected] * bool(
        expected
    )


def test_the_lattice_says_which_stage_each_period_comes_from_and_what_is_a_trace():
    lines = [" ".join(line.split()) for line in inspect_text(Sample()).splitlines()]
    assert "4 4.42 1e-09 decoder.0 97%" in lines
    assert "2x1 1.25 1e-09 decoder.3 80%, decoder.0 20%" in lines
    assert "8 0.061 < 1e-300 trace, below the threshold" in lines
    assert "16 0.40 1e-09 the input brought it" in lines


def test_probes_border_operations_and_notes():
    text = inspect_text(Sample())
    assert rows(text, "dark") == ["dark none none"]
    assert rows(text, "noise") == ["noise period 4: 5.40 period 2: 0.70"]
    assert rows(text, "shuffled weights") == ["shuffled weights period 4: 78.1"]
    assert rows(text, "Border") == [
        "Border: on a constant input it differs 10 pixels deep, by up to 8.70 grey levels.",
        "Border: made by the padding of encoder.0 (zero, 75%).",
    ]
    assert "Operations: 9 handled, 3 ignored on purpose, none that was not understood." in text
    assert text.endswith("Note: stages interact.")


def test_a_clean_network():
    text = inspect_text(Sample(**CLEAN, stages=[stage("up", "nearest", overlap="none")], boundary=None))
    assert text.splitlines()[0] == "Clean: no lattice in the output."
    assert rows(text, "up ") == ["up nearest 2 3 - 4 0.781 0 -"]
    assert "Lattice of the output" not in text
    assert "Border" not in text


def test_a_lattice_without_stages_is_not_blamed_on_upsampling():
    text = inspect_text(Sample(stages=[]), Page(200))
    assert "there is no upsampling stage, so upsampling is not to blame" in text.splitlines()[0]
    assert "There are no upsampling stages." in text


def test_a_lattice_nobody_answers_for():
    assert "no upsampling stage answers for it" in inspect_text(
        Sample(stages=[stage("up", blame=0.05)]), Page(200)
    )


def test_undetermined_names_what_was_not_understood():
    unknown = {"handled": {}, "ignored": {}, "unsupported": {"grid_sample": 2}}
    text = inspect_text(Sample(**{**CLEAN, "verdict": "undetermined"}, operations=unknown), Page(200))
    assert text.splitlines()[0] == (
        "Undetermined: no lattice was found, but grid_sample on the way to the output is not understood."
    )
    assert "not understood: grid_sample (2)." in text


def test_the_gradient_names_the_strided_layer():
    text = inspect_text(Sample(gradient=GRADIENT), Page(200))
    assert "Gradient with respect to the input: period 4: 9.10; its magnitude: no lattice" in text
    assert rows(text, "stem") == ["stem convolution 4 4 4 █████ 50%"]


def test_a_clean_output_with_a_gradient_lattice():
    text = inspect_text(Sample(**CLEAN, gradient=GRADIENT))
    assert text.splitlines()[0] == "Clean: no lattice in the output, but the gradient has one."


def test_a_shared_layer_and_a_nameless_one():
    text = inspect_text(Sample(stages=[stage("up", call=1, blame=0.5), stage("", blame=0.4)]), Page(200))
    assert "to blame: up (call 2) (50%) and the model itself (40%)" in text.splitlines()[0]


def test_plain_text_has_no_escape_codes_and_no_trailing_blanks_and_colour_has():
    plain, coloured = inspect_text(Sample()), inspect_text(Sample(), Page(120, colour=True))
    assert "\x1b" not in plain
    assert all(line == line.rstrip() for line in plain.splitlines())
    assert "\x1b[" in coloured


def test_names_that_look_like_markup_stay_whole():
    name = "[bold]blocks[0].up" + ".inner" * 30
    text = inspect_text(Sample(stages=[stage(name, blame=1.0)], lattice=[component([2, 2], 1.0)]))
    assert any(line.startswith(name + " ") for line in text.splitlines())
