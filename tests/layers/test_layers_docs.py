"""docs/layers.md: its examples run, and it leaves no layer out."""

import re
from pathlib import Path

import pytest
import torch

from uncheck import layers

PAGE = (Path(__file__).parents[2] / "docs" / "layers.md").read_text(encoding="utf-8")


def blocks(text):
    """(first line number, code) of every Python block."""
    found = re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, m.start(1)) + 1, m[1]) for m in found]


START, *EXAMPLES = blocks(PAGE)


def run(*codes):
    names = {}
    for line, code in codes:
        # so that an error names the line of the page
        exec(compile("\n" * (line - 1) + code, "docs/layers.md", "exec"), names)
    return names


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"line {e[0]}")
def test_every_example_runs_by_itself(example):
    torch.manual_seed(0)
    run(START, example)


def test_a_wrong_example_is_noticed():
    with pytest.raises(AssertionError):
        run(*blocks("```python\nassert 1 == 2\n```\n"))


def test_every_public_layer_is_on_the_page():
    families = {re.sub(r"[123]d$", "", name) for name in layers.__all__}
    assert {name for name in families if f"`{name}`" not in PAGE} == set()


def test_every_family_is_used_in_an_example():
    code = "\n".join(code for _, code in EXAMPLES)
    families = {re.sub(r"[123]d$", "", name) for name in layers.__all__} - {"FusedResizeConv"}
    assert {name for name in families if not re.search(rf"\b{name}\w?\w?\(", code)} == set()
