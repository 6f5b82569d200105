"""Results as plain values: every kind of value that a result holds, and the same for json.dumps."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from uncheck.plain import Plain, as_dict, plain


@dataclass(frozen=True)
class Part:
    name: str
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Whole(Plain):
    parts: tuple[Part, ...]
    levels: Any
    named: dict[str, Part]
    nothing: float | None = None
    network: Any = field(default=None, repr=False)

    @property
    def strength(self):
        return 2.0


WHOLE = Whole((Part("a", (2, 1)),), np.float32([[1.5]]), {"b": Part("b", ())}, network=object())


def test_nested_results_become_lists_and_dictionaries_without_what_repr_leaves_out():
    expected = {
        "parts": [{"name": "a", "sizes": [2, 1]}],
        "levels": [[1.5]],
        "named": {"b": {"name": "b", "sizes": []}},
        "nothing": None,
    }
    assert WHOLE.to_dict() == json.loads(json.dumps(WHOLE.to_dict())) == expected
    assert list(WHOLE.to_dict()) == list(expected)


def test_chosen_names_come_in_the_order_asked_for_properties_too():
    assert list(as_dict(WHOLE, "strength", "nothing").items()) == [("strength", 2.0), ("nothing", None)]


def test_a_result_inside_has_the_last_word():
    class Own:
        def to_dict(self):
            return {"mine": 1}

    assert plain([Own()]) == [{"mine": 1}]
