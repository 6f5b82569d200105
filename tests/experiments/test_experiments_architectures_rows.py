"""The committed rows of the zoo of published architectures, and the page made of them."""

import json
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "architectures"
sys.path.insert(0, str(FOLDER))

from zoo_case import LIBRARIES, cases  # noqa: E402
from zoo_judge import judged  # noqa: E402
from zoo_page import PAGE, PARTS, rendered, results, rows  # noqa: E402

ZOO = cases()


def test_rows_are_of_the_zoo_and_of_every_library():
    found = results()
    assert set(found) == set(LIBRARIES)
    assert set(rows(found)) <= set(ZOO)
    assert len(rows(found)) >= 60


@pytest.mark.parametrize("library", LIBRARIES)
def test_results_say_what_they_were_made_with_and_name_no_host_or_path(library):
    text = (FOLDER / "results" / f"{library}.json").read_text()
    machine = json.loads(text)["machine"]
    assert {"date", "versions", "processor"} <= set(machine)
    assert {"uncheck", "torch", "diffusers", "monai"} <= set(machine["versions"])
    assert "site-packages" not in text
    assert not re.search(r'"/(work|home|root|usr)/', text)


def test_the_stages_of_95_in_100_are_right():
    said = [judged(one, ZOO[name])["stages_right"] for name, one in rows(results()).items()]
    assert sum(said) >= 0.95 * len(said)


def test_no_component_is_at_a_period_that_no_stage_leaves():
    found = {name: judged(one, ZOO[name])["impossible"] for name, one in rows(results()).items()}
    assert {name: periods for name, periods in found.items() if periods} == {}


def test_nothing_is_clean_that_was_not_measured():
    assert [name for name, one in rows(results()).items() if judged(one, ZOO[name])["unmeasured"]] == []


def test_fused_networks_compute_the_same():
    for name, one in rows(results()).items():
        if one.get("fuse", {}).get("places"):
            assert one["fuse"]["difference"] < 1e-3, name


def test_the_page_is_made_from_the_rows():
    text = PAGE.read_text()
    assert rendered(text, results()) == text


def test_a_number_changed_by_hand_is_noticed():
    text = PAGE.read_text()
    changed = re.sub(r"(\| list of stages right \| 95% or more \| )\d", r"\g<1>0", text)
    assert changed != text
    assert rendered(changed, results()) == text


def test_a_page_without_the_markers_of_a_part_is_refused():
    name = next(iter(PARTS))
    with pytest.raises(SystemExit, match=f"no markers for {name}; add <!-- {name} -->"):
        rendered("# Architectures\n", results())
