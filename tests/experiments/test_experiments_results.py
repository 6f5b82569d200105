"""The page of the calibration says what the committed results say."""

import re

import pytest
from detection import divides, strength
from false_alarms import TARGET, Tally
from figures import read
from inject import names_period
from pictures import Picture
from tables import PAGE, TABLES, rendered

from uncheck.measuring import Component, Lattice

PIXELS = None


def test_the_tables_of_the_page_are_made_from_the_results():
    text = PAGE.read_text()
    assert rendered(text) == text


def test_a_number_changed_by_hand_is_noticed():
    text = PAGE.read_text()
    changed = re.sub(r"(\| photograph, original \| )\d+", r"\g<1>1", text)
    assert changed != text
    assert rendered(changed) == text


def test_a_page_without_the_markers_of_a_table_is_refused():
    name = next(iter(TABLES))
    with pytest.raises(SystemExit, match=f"no markers for the table {name}; add <!-- {name} -->"):
        rendered("# Calibration\n")


@pytest.mark.parametrize("part", ["false_alarms", "detection", "sets", "comparison"])
def test_results_say_what_they_were_made_with_and_name_no_host(part):
    result = read(part)
    assert {"date", "versions", "processor"} <= set(result["machine"])
    assert "uncheck" in result["machine"]["versions"]


def lattice(*components):
    return Lattice(tuple(Component(p, a, 1e-9) for p, a in components), (), (2, 4), ())


def test_a_tally_counts_pictures_and_their_sources():
    tally = Tally()
    for source, verdict in (("a", "lattice"), ("a", "clean"), ("b", "rival")):
        picture = Picture(TARGET[0], "original", source, source, PIXELS)
        tally.count(picture, verdict, lattice(((4, 2), 1.0), ((4, 4), 1.0)))
    out = tally.to_dict()
    assert (out["lattice"]["hits"], out["lattice"]["of"]) == (1, 3)
    assert (out["by_source"]["hits"], out["by_source"]["of"]) == (1, 2)
    assert (out["rival"], out["clean"], out["periods"]) == (1, 1, {"4": 1})


def test_strength_is_that_of_the_period_put_in_and_its_harmonics():
    found = lattice(((4, 4), 3.0), ((2, 2), 4.0), ((3, 3), 7.0)).present
    assert strength(found, (4, 4)) == pytest.approx(5.0, rel=1e-12)
    assert divides((1, 2), (4, 4))
    assert not divides((8, 4), (4, 4))
    assert names_period([c.period for c in found], (4, 4))
