"""The zoo of published architectures: its truths and its judge."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "architectures"
sys.path.insert(0, str(FOLDER))

from zoo_case import CURES, LIBRARIES, Up, cases, pyramid, up  # noqa: E402
from zoo_judge import compare, impossible, judged, longest, possible, unmeasured  # noqa: E402
from zoo_page import stages  # noqa: E402

ZOO = cases()
KINDS = {
    "transposed",
    "sub-pixel",
    "nearest",
    "linear",
    "cubic",
    "un-patchify",
    "unpool",
    "zero insertion",
    "overlap-add",
}


def row(*found, **more):
    listed = [
        {"name": "up", "kind": kind, "stride": stride, "period": period} for kind, stride, period in found
    ]
    return {"stages": listed, "lattice": [], "verdict": "clean", "measured": True, **more}


def component(*period):
    return {"period": list(period), "amplitude": 1.0}


def test_the_zoo_has_sixty_architectures_or_more_and_loads_without_their_libraries():
    assert len(ZOO) >= 60
    assert {case.library for case in ZOO.values()} == set(LIBRARIES)
    assert not {"diffusers", "monai", "timm"} & set(sys.modules)


def test_every_truth_is_of_known_kinds_and_enlarges_something():
    for case in ZOO.values():
        assert case.cure in CURES
        for one in case.truth:
            assert set(one.kind.split("|")) <= KINDS, case.name
            assert max(one.stride) > 1, case.name
            assert one.period is None or all(isinstance(p, int) and p >= 1 for p in one.period), case.name


def test_a_pyramid_leaves_the_product_of_the_strides_after_it():
    assert [one.period for one in pyramid("nearest", 2, 3)] == [(8, 8), (4, 4), (2, 2)]
    assert up("linear", (1, 2), (1, 2), times=2) == (Up("linear", (1.0, 2.0), (1, 2)),) * 2


def test_stages_are_compared_as_multisets():
    truth = pyramid("nearest", 2, 2)
    right = [("nearest", (2.0, 2.0), (2, 2)), ("nearest", (2.0, 2.0), (4, 4))]
    assert compare(right, truth) == ([], [])
    assert compare(right[:1], truth) == ([right[1]], [])
    twice = [right[0], right[0]]
    assert compare(twice, truth) == ([right[1]], [right[0]])


@pytest.mark.parametrize(
    "wrong",
    [
        [["nearest", [2, 2], [8, 8]]],
        [["linear", [2, 2], [2, 2]]],
        [["nearest", [4, 4], [2, 2]]],
        [["nearest", [2, 2], None]],
        [["nearest", [2, 2], [2, 2]]] * 2,
        [],
    ],
)
def test_another_period_kind_stride_or_number_is_wrong(wrong):
    case = ZOO["Unet"]
    one = type(case)("smp", "x", "x", "resize", pyramid("nearest", 2, 1), case.build)
    assert judged(row(["nearest", [2, 2], [2, 2]]), one)["stages_right"]
    assert not judged(row(*wrong), one)["stages_right"]


def test_frames_folded_into_the_batch_are_the_last_axes():
    truth = up("nearest", (1, 2, 2), (1, 4, 4), ndim=3)
    found = row(["nearest", [2, 2], [4, 4]])["stages"]
    one = ZOO["Unet"]
    case = type(one)("smp", "x", "x", "resize", truth, one.build)
    assert judged(row(["nearest", [2, 2], [4, 4]]), case)["stages_right"], found
    assert longest(pyramid("nearest", 2, 2), 3) == (1, 4, 4)


def test_a_component_must_divide_the_longest_period_on_every_axis():
    truth = (*pyramid("nearest", 2, 2), *up("transposed", 3, 3))
    assert longest(truth, 2) == (12, 12)
    assert possible((1, 6), (12, 12))
    assert not possible((5, 1), (12, 12))
    assert not possible((2, 2), None)
    outputs = [{"lattice": [component(3, 7)], "verdict": "lattice"}]
    assert impossible({"lattice": [component(8, 8), component(4, 1)], "outputs": outputs}, truth) == [
        [8, 8],
        [3, 7],
    ]


def test_clean_about_what_was_not_measured_is_seen():
    assert unmeasured(row(measured=False))
    assert unmeasured(row(outputs=[{"name": "a", "verdict": "undetermined", "lattice": []}]))
    assert not unmeasured(row(outputs=[{"name": "a", "verdict": "clean", "lattice": []}]))
    assert not unmeasured(row(measured=False, verdict="undetermined"))


def test_stages_are_written_with_how_often():
    assert stages((*pyramid("nearest", 2, 2), *up("linear", (1, 2), (1, 2)))) == "2 nearest x2, linear x1x2"
