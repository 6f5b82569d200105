"""The page of each cause: complete, found by its names, its figures committed, and the same in docs."""

import importlib.util
import re
from pathlib import Path

import pytest

from uncheck.advising import explain
from uncheck.advising.causes import CAUSES
from uncheck.advising.explain import index, page
from uncheck.advising.glossary import GLOSSARY
from uncheck.advising.inspected import REASONS
from uncheck.advising.measured import RIVALS
from uncheck.errors import UncheckError

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")

FINDINGS = [(name, one) for name, cause in CAUSES.items() for one in cause.findings]


def figures(text):
    """The numbers of a sentence that are results: not the sizes of kernels, strides, periods and places."""
    plain = re.sub(
        r"k\d|(?:stride|period|order|kernel of|windows? .*?\(|detail changed by) ?-?\d+(?:\.\d+)?", "", text
    )
    return NUMBER.findall(plain)


@pytest.mark.parametrize(("name", "finding"), FINDINGS, ids=lambda one: one if isinstance(one, str) else "")
def test_every_figure_stands_in_the_source_that_is_named(name, finding):
    source = ROOT / finding.source
    if not source.exists():
        pytest.skip("the results are not part of this copy")
    known = set(NUMBER.findall(source.read_text(encoding="utf-8")))
    assert [number for number in figures(finding.text) if number not in known] == []


def test_the_check_of_figures_sees_a_wrong_one():
    assert figures("k3 with stride 2 leaves 1.57 levels, 3 times k4") == ["1.57", "3"]


def test_every_cause_that_a_report_can_name_has_a_page():
    assert set(REASONS) <= set(CAUSES)
    assert set(RIVALS.values()) <= set(CAUSES)
    for name, cause in CAUSES.items():
        assert cause.name == name
        assert explain(name) == page(cause)
        assert cause.meaning.endswith(".")
        assert cause.signs
        assert cause.cures or name == "invisible"
        for cure in cause.cures:
            assert (cure.command or cure.code) is not None


def test_a_page_says_what_to_do_with_commands():
    said = explain("uneven")
    assert said.startswith("# Uneven overlap of a transposed convolution\n")
    assert "uncheck repair model.py:make --weights weights.safetensors --input photos -o repaired" in said
    assert "uncheck.layers.ResizeConv2d(128, 64, 3, scale_factor=2)" in said
    assert "1.57" in said
    assert "(docs/upsampling.md)" in said


def test_every_other_name_leads_to_its_page_or_to_a_word():
    for cause in CAUSES.values():
        for word in cause.synonyms:
            said = explain(word.upper())
            assert cause.title in said or f"uncheck explain {cause.name}" in said, word
    for word in GLOSSARY:
        assert word in CAUSES or explain(word).startswith((f"{word}: ", "# "))


def test_no_name_leads_to_two_causes():
    words = [word.lower() for cause in CAUSES.values() for word in (cause.name, *cause.synonyms)]
    assert sorted({word for word in words if words.count(word) > 1}) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("chekerboard", "nothing is known of 'chekerboard'; did you mean uneven-overlap?"),
        ("zzz", "nothing is known of 'zzz'; `uncheck explain` lists all"),
    ],
)
def test_wrong_names(asked, expected):
    with pytest.raises(UncheckError, match="nothing is known of") as caught:
        explain(asked)
    assert str(caught.value) == expected


def test_the_index_names_all():
    assert all(f"{name} " in index() and cause.title in index() for name, cause in CAUSES.items())


def test_the_pages_of_the_docs_are_those_of_the_package():
    script = ROOT / "docs" / "explained.py"
    if not script.exists():
        pytest.skip("the pages are not part of this copy")
    spec = importlib.util.spec_from_file_location("explained", script)
    explained = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(explained)
    assert explained.main(["--check"]) == 0
