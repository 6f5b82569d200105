"""The table of arguments agrees with what torch itself declares."""

import inspect

import pytest
from torch.overrides import get_testing_overrides

from uncheck.reading.signatures import SIGNATURES

#: Read of no call, and given in either order by torch's own declarations.
EITHER = {"ceil_mode", "return_indices"}

#: Torch's names for what has one name here, one of them misspelled.
ALSO = {
    "tensor": "input",
    "output_adding": "output_padding",
    **dict.fromkeys(("chunks", "split_size_or_sections", "indices_or_sections"), "pieces"),
}


def declared():
    """The names of the arguments of every function of torch, in order, by its name."""
    out = {}
    for function, stand_in in get_testing_overrides().items():
        names = [ALSO.get(name, name) for name in inspect.signature(stand_in).parameters]
        out.setdefault(getattr(function, "__name__", ""), []).append(names)
    return out


def wrong(signatures):
    known = declared()
    found = []
    for name, words in signatures.items():
        pairs = [(place, word) for place, word in enumerate(words.split()) if word not in EITHER]
        fits = [all(names[p : p + 1] in ([], [w]) for p, w in pairs) for names in known.get(name, ())]
        found += [name] if fits and not any(fits) else []
    return found


def test_the_table_says_what_torch_declares():
    assert wrong(SIGNATURES) == []
    assert len(set(SIGNATURES) & set(declared())) >= 50


@pytest.mark.parametrize("name", ["fold", "narrow", "fft_irfft2", "chunk", "conv_transpose2d"])
def test_arguments_that_changed_places_are_caught(name):
    first, second, *rest = SIGNATURES[name].split()
    last = rest.pop()
    assert wrong({**SIGNATURES, name: " ".join((first, last, *rest, second))}) == [name]
