"""The first lines of an inspection: strength, order, limits, reasons, and what to do next."""

import json
from pathlib import Path

import pytest

from reporting.sample import ALL, Sample, component, sound, stage, whole
from uncheck.reporting import Page, inspect_text
from uncheck.reporting.page import Detail
from uncheck.reporting.verdict import EVEN, TRANSPOSED

ROWS = Path(__file__).parents[2] / "experiments" / "gan" / "results" / "results.json"

CLEAN = {
    "verdict": "clean",
    "lattice": [],
    "traces": [],
    "from_input": [],
    "random_weights": {"lattice": None, "fault": None},
}


def first(**changed):
    return inspect_text(Sample(**changed), Page(1000)).splitlines()[0].removeprefix("What: ")


def ordered(period, amplitude, order):
    return {**component([period, period], amplitude), "order": order}


def limit(*amplitudes):
    return [{"period": [p, p], "amplitude": a} for p, a in amplitudes]


def output(name, verdict="clean", lattice=(), limits=((2, 0.1),)):
    return {"name": name, "verdict": verdict, "lattice": list(lattice), "limit": limit(*limits)}


def test_the_table_names_the_order_of_each_period():
    mixed = [ordered(4, 4.42, "second"), ordered(2, 1.78, "first")]
    lines = [" ".join(line.split()) for line in inspect_text(Sample(lattice=mixed), ALL).splitlines()]
    assert any(line.startswith("4 4.42") and line.endswith("(second order)") for line in lines)
    assert any(line.startswith("2 1.78") and line.endswith("(first order)") for line in lines)


def test_many_periods_are_counted():
    many = [ordered(p, 9.0 - p, "first") for p in (2, 3, 4, 5, 6)]
    assert first(lattice=many).startswith("Grid of period 2, 3, 4 and 2 more, strong: ")


def test_clean_has_limits_the_worst_first():
    some = limit((2, 0.14), (4, 0.3))
    assert first(**CLEAN, limit=some) == "Clean: nothing above 0.30 grey levels (period 4), 0.14 (period 2)."
    many = limit((2, 0.14), (3, 0.2), (4, 0.3), (6, 0.4), (8, 0.05))
    assert first(**CLEAN, limit=many).endswith("(period 3), 0.14 (period 2), 1 more.")


def test_clean_names_traces():
    trace = [component([2, 2], 0.11)]
    assert first(**{**CLEAN, "traces": trace}) == "Clean: only traces, period 2 at 0.11 grey levels."
    assert first(**{**CLEAN, "traces": trace}, limit=limit((4, 0.2))) == (
        "Clean: nothing above 0.20 grey levels (period 4); only traces, period 2 at 0.11 grey levels."
    )


def test_the_limit_of_a_network_with_a_lattice_in_its_gradient():
    gradient = {"lattice": [component([4, 4], 9.1)], "magnitude": [], "strided": []}
    assert first(**CLEAN, limit=limit((2, 0.14)), gradient=gradient) == (
        "Clean: nothing above 0.14 grey levels (period 2); but the gradient has a grid."
    )


def test_a_lattice_of_one_output_among_several_is_named():
    outputs = [output("depth"), output("normals", "lattice", [component([2, 2], 1.0)])]
    assert first(outputs=outputs).startswith("Grid in `normals` of period 4 and 2x1, ")
    assert first(outputs=outputs[1:]).startswith("Grid of period 4 and 2x1, ")


def test_all_outputs_are_listed():
    outputs = [
        output("depth"),
        output("normals", "lattice", [component([2, 2], 1.0)]),
        output("mask", "undetermined", limits=()),
    ]
    lines = [
        " ".join(line.split()) for line in inspect_text(Sample(outputs=outputs), whole(100)).splitlines()
    ]
    assert "depth clean - 0.10 grey levels (period 2)" in lines
    assert "normals lattice period 2: 1.00 0.10 grey levels (period 2)" in lines
    assert "mask undetermined - not measured" in lines
    assert "Outputs" not in inspect_text(Sample(outputs=outputs[:1]), ALL)


@pytest.mark.parametrize(
    ("unsupported", "notes", "expected"),
    [
        ({"fft": 1, "sort": 2}, ["x"], "but fft and sort on the way to the output are not understood."),
        ({}, ["the output is constant"], "but the output is constant."),
        ({}, [], "but something on the way to the output is not understood."),
    ],
)
def test_undetermined_says_why_and_what_to_do_next(unsupported, notes, expected):
    operations = {"handled": {}, "ignored": {}, "unsupported": unsupported}
    text = inspect_text(
        Sample(**{**CLEAN, "verdict": "undetermined"}, operations=operations, notes=notes), whole(300)
    )
    lines = text.splitlines()
    assert lines[0] == f"What: Undetermined: no grid was found, {expected}"
    assert "uncheck.inspect(" in text or "uncheck.reading.register(" in text
    assert ("uncheck.reading.register(" in text) == bool(unsupported)
    assert "none that was not understood" not in text
    assert text.count("the output is constant") <= 1


def test_clean_without_stages():
    assert first(**CLEAN, stages=[]) == (
        "Clean: no grid in the output, and no upsampling layer that could leave one."
    )


def test_a_lattice_without_stages_where_something_was_not_understood_is_not_called_innocent():
    operations = {"handled": {}, "ignored": {}, "unsupported": {"opaque": 1}}
    text = inspect_text(Sample(stages=[], operations=operations), Page(300))
    assert text.splitlines()[1] == "Why:  opaque was not understood, so what makes it is not known."
    assert "not to blame" not in text


def test_where_a_note_says_what_was_not_understood_the_operations_do_not_deny_it():
    text = inspect_text(Sample(notes=["not understood: what enlarges 1 pixels to 64"]), ALL)
    assert "Operations: 9 handled, 3 ignored on purpose." in text


def test_what_to_do_about_a_lattice():
    text = inspect_text(Sample(), Page(300))
    assert "Do:   Repair the trained weights (" in text
    assert "        repaired = uncheck.repair(model, inputs).model\n" in text
    assert "Do:   Nothing to do.\n" in inspect_text(Sample(**CLEAN))


def test_evidence():
    text = inspect_text(Sample(evidence={"inputs": 64, "passes": 12.25}), ALL)
    assert "Evidence: 64 inputs, 12.2 forward passes." in text
    assert "Evidence" not in inspect_text(Sample(), ALL)
    assert "Evidence: 2 inputs." in inspect_text(Sample(evidence={"inputs": 2, "passes": 1.0}), ALL)
    ended = inspect_text(
        Sample(evidence={"inputs": 1, "passes": 1.0, "stopped": "inputs", "limit": 0.9}), ALL
    )
    assert "Evidence: 1 input; no others alike could be made: give more inputs" in ended
    none = inspect_text(
        Sample(evidence={"inputs": 1, "passes": 1.0, "stopped": "nothing", "limit": None}), ALL
    )
    assert "Evidence: 1 input; nothing to test." in none


def resized(**changed):
    return stage(
        "up", "nearest", overlap="none", order=1, gain_spread=0.0, blame=0.6, blame_order=2, **changed
    )


def test_a_second_order_lattice_of_even_layers_is_compared_with_transposed_convolutions():
    second = [ordered(4, 1.4, "second")]
    text = inspect_text(Sample(lattice=second, stages=[resized()]), ALL)
    assert f"leave {TRANSPOSED[0]} to {TRANSPOSED[1]} grey levels" in text
    assert f"as here, at most {EVEN[1]} (experiments/gan)" in text
    uneven = {**resized(), "order": 0, "kind": "transposed"}
    assert "For comparison" not in inspect_text(Sample(lattice=second, stages=[uneven]), ALL)
    assert "For comparison" not in inspect_text(Sample(lattice=second, stages=[resized(), uneven]), ALL)
    assert "For comparison" not in inspect_text(
        Sample(lattice=[ordered(4, 1.4, "first")], stages=[resized()])
    )
    assert "For comparison" not in inspect_text(
        Sample(lattice=[*second, ordered(2, 1.4, "first")], stages=[resized()])
    )


@pytest.mark.skipif(not ROWS.exists(), reason="the experiments are not part of this copy")
def test_the_numbers_of_the_comparison_are_those_of_the_committed_rows():
    rows = [row for row in json.loads(ROWS.read_text(encoding="utf-8"))["rows"] if "strengths" in row]
    before = {"transposed": [], "even": []}
    for row in rows:
        assert row["steps"][0] == 0
        kinds = {layer.split()[0] for layer in row["layers"]}
        in_the_mean = float((row["amplitude_2"][0] ** 2 + row["amplitude_4"][0] ** 2) ** 0.5)
        where = (
            "transposed"
            if "deconv" in kinds
            else "even"
            if kinds <= {"nearest", "linear", "smooth"}
            else None
        )
        if where:
            before[where] += [row["strengths"][0], in_the_mean]
    assert (round(min(before["transposed"])), round(max(before["transposed"]))) == TRANSPOSED
    assert (round(min(before["even"]), 1), round(max(before["even"]), 1)) == EVEN


def test_what_else_repeats_is_apart_and_never_red():
    other = [{**component([13, 13], 2.5), "source": "windows of attention"}]
    coloured = inspect_text(
        Sample(**CLEAN, limit=limit((2, 0.1)), other=other), Page(100, True, Detail.verbose)
    )
    assert "\x1b[1;31m" not in coloured
    text = inspect_text(Sample(other=other, **{"from_input": []}), whole(100))
    title, _, _, row = text[text.index("Also repeats") :].splitlines()[:4]
    assert title == "Also repeats in the output, at periods that no upsampling stage can leave"
    assert row.split() == ["13", "2.50", "1e-09", "windows", "of", "attention"]
    assert "13" not in text.splitlines()[0]


def test_what_the_input_brought_is_listed_once():
    other = [{**component([16, 16], 0.4), "source": "the input"}]
    text = inspect_text(Sample(other=other), ALL)
    assert "the input brought it" not in text
    assert "the input brought it" in inspect_text(Sample(other=[{**other[0], "period": [13, 13]}]), ALL)


def test_possible_periods_that_were_not_tested_are_named():
    text = inspect_text(Sample(**CLEAN, not_tested=[32, 64]), Page(1000))
    line = "Not tested: periods 32, 64, too long for the output; give a larger input."
    assert line in text
    assert "Not tested" not in inspect_text(Sample(not_tested=[]))


def test_long_tables_are_cut():
    traces = [component([p, p], 0.1) for p in range(2, 17)]
    text = inspect_text(Sample(traces=traces), ALL)
    assert "10 more are in the JSON." in text
    other = [{**component([p, p], 0.5), "source": "unknown"} for p in range(2, 17)]
    assert "7 more are in the JSON." in inspect_text(Sample(other=other), ALL)


def test_a_lattice_of_many_stages_fits_the_page():
    shares = [{"period": [4, 4], "share": 0.3 - 0.02 * i} for i in range(9)]
    stages = [
        stage(f"decoder.up_blocks.{i}.up", blame=0.3 - 0.02 * i, periods=[share])
        for i, share in enumerate(shares)
    ]
    probes = {
        "noise": {
            "lattice": [component([p, p], 123.4) for p in (128, 64, 32, 16)],
            "second_order": [component([p, p], 123.4) for p in (128, 64, 32, 16)],
        }
    }
    text = inspect_text(Sample(lattice=[ordered(4, 2.0, "second")], stages=stages, probes=probes), whole(80))
    assert max(map(len, text.splitlines())) <= 120
    assert "and `decoder.up_blocks.3.up` (ConvTranspose2d)" in " ".join(text.split())


def test_the_cell_of_origins_is_cut():
    share = {"period": [4, 4], "share": 0.2}
    names = [f"decoder.up_blocks.{i}.upsamplers.0.interpolate" for i in range(9)]
    text = inspect_text(
        Sample(lattice=[ordered(4, 2.0, "second")], stages=[stage(name, periods=[share]) for name in names]),
        whole(100),
    )
    (row,) = [line for line in text.splitlines() if "8 more" in line]
    assert row.split(maxsplit=3)[3] == "...up_blocks.8.upsamplers.0.interpolate 20%, 8 more (second order)"
    assert len(row) <= 100


def test_sound_speaks_of_samples_decibels_and_hertz():
    text = inspect_text(Sample(**sound(rate=16000.0)), ALL)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "What: Tones of period 16 samples (1000 Hz): -17 dB against the rest."
    assert "16 1000, 2000, 3000, ... -17.2 1e-09 decoder.0 97% (second order)" in lines
    assert "noise period 16: -12 none" in lines
    assert "Border: on a constant input it differs 10 samples deep, by up to -3 dB." in lines
    assert "grey level" not in text
    assert "pixel" not in text


def test_sound_at_an_unknown_rate_has_cycles_per_sample():
    text = inspect_text(Sample(**sound(rate=None)), ALL)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "What: Tones of period 16 samples: -17 dB against the rest."
    assert "period cycles/sample dB p-value comes from" in lines
    assert "16 0.0625 -17.2 1e-09 decoder.0 97% (second order)" in lines


def test_the_limit_of_sound():
    limits = [
        {"period": [16], "amplitude": 0.1, "db": -58.2},
        {"period": [2], "amplitude": 0.05, "db": -64.0},
    ]
    assert (
        first(**{**sound(None), **CLEAN, "limit": limits})
        == "Clean: nothing above -58 dB (period 16), -64 (period 2)."
    )


def test_control_characters_in_names_are_escaped():
    name = "up\x1b[2J\nsecond"
    text = inspect_text(Sample(stages=[stage(name, blame=1.0)], outputs=[output(name), output("b")]))
    assert "\x1b" not in text
    assert "up\\x1b[2J\\nsecond" in text


def test_blame_that_was_not_looked_for_acquits_nobody():
    silent = {**resized(), "blame": None, "blame_order": None, "periods": []}
    text = inspect_text(Sample(lattice=[ordered(4, 1.4, None)], stages=[silent]), Page(1000))
    assert "Which layer makes it was not looked for, as the time was over" in text
    assert "No upsampling layer answers" not in text
