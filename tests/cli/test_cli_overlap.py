"""`uncheck overlap`: sizes in, the map out."""

import json
import textwrap
from pathlib import Path

import pytest

from uncheck.cli.overlap import parse_layer


def test_the_fixed_keys(run_json):
    code, said = run_json("overlap", "3", "2", "--ndim", "1", "--input-size", "3")
    assert code == 1
    assert said["taps_per_phase"] == [2, 1]
    assert said["taps"] == [1, 1, 2, 1, 2, 1, 1]
    assert (said["ratio"], said["even"]) == (2.0, False)


def test_two_axes_multiply(run_json):
    code, said = run_json("overlap", "-k", "3", "-s", "2")
    assert (code, said["taps_per_phase"], said["ratio"]) == (1, [[4, 2], [2, 1]], 4.0)


@pytest.mark.parametrize(
    "arguments", [("4", "2"), ("--kernel-size", "4"), ("4x6", "2,3"), ("-k", "3,3", "-s", "3")]
)
def test_even_overlap_exits_with_0(run_json, arguments):
    code, said = run_json("overlap", *arguments)
    assert (code, said["even"], said["ratio"]) == (0, True, 1.0)


def test_all_sizes_reach_the_geometry(run_json):
    _, said = run_json(
        *("overlap", "5x3", "2", "--padding", "2x1", "--output-padding", "1", "--dilation", "1x2"),
        *("--input-size", "4x5"),
    )
    assert (len(said["taps"]), len(said["taps"][0])) == (8, 12)


def test_a_chain(run_json):
    code, said = run_json("overlap", "3", "2", "--ndim", "1", "--then", "k3s2", "--then", "convk4")
    assert code == 0
    assert said["even"]
    assert [scale["survives"] for scale in said["scales"]] == [False, False]


def test_text_is_the_default_and_draws(run):
    code, out, err = run("overlap")
    assert (code, err) == (1, "")
    assert out.startswith("What: Uneven: some output pixels get 4 times the taps of others; period 2.")
    assert "▒▒██" in out
    assert "\x1b" not in out


def test_the_example_of_the_page(run):
    page = (Path(__file__).parents[2] / "docs" / "overlap.md").read_text(encoding="utf-8")
    example = page.split("$ uncheck overlap 3 2\n")[1].split("    ...")[0]
    assert run("overlap", "3", "2")[1].startswith(textwrap.dedent(example))


def test_exit_zero(run):
    assert run("overlap", "3", "2", "--exit-zero")[0] == 0


def test_output_goes_to_the_file_alone(run, tmp_path):
    code, out, err = run("overlap", "3", "2", "--format", "json", "-o", tmp_path / "o.json")
    assert (code, out, err) == (1, "", "")
    assert json.loads((tmp_path / "o.json").read_text())["ratio"] == 4.0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("0", "2"), "kernel_size must be at least 1, not 0"),
        (("3", "0"), "stride must be at least 1, not 0"),
        (("3", "-2"), "no such option: -2"),
        (("-k", "3", "-s", "-2"), "stride must be at least 1, not -2"),
        (("3", "99999999"), "lower stride, kernel or input"),
        (("3", "9" * 30), "stride '99999"),
        (("3.5", "2"), "kernel size '3.5' is not a size; write a whole number, or one per axis like 3x3"),
        (("3", "two"), "stride 'two' is not a size"),
        (("3x3", "2x2x2"), "stride (2, 2, 2) has 3 axes where 2 were expected"),
        (("3", "2", "--ndim", "4"), "a layer has 1, 2 or 3 axes, not 4"),
        (("3", "2", "-k", "5"), "the kernel size is given twice, as 3 and as 5; give it once"),
        (("3", "2", "--then", "3s2"), "--then '3s2' is no layer; write kernel and stride like k3s2"),
        (("3", "2", "--then", "k0"), "kernel_size must be at least 1, not 0"),
        (("3", "2", "--padding", "9", "--input-size", "2"), "the output would have -13 pixels"),
    ],
)
def test_bad_sizes_are_one_sentence(fails, arguments, expected):
    assert expected in fails("overlap", *arguments)


def test_layers_in_letters():
    one = parse_layer("k3x5s2x1p1op1x0d1", 2)
    assert (one.kernel_size, one.stride, one.padding, one.output_padding) == ((3, 5), (2, 1), (1, 1), (1, 0))
    assert one.transposed
    plain = parse_layer("ConvK7", 1)
    assert (plain.kernel_size, plain.stride, plain.transposed) == ((7,), (1,), False)
