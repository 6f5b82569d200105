"""The oracle itself: right by hand, and wrong as soon as a defect is planted."""

import pytest

from oracles import geometry_naive
from oracles.geometry_naive import naive_map, naive_phase_taps
from uncheck.geometry import chain, layer


def test_by_hand():
    assert naive_map([layer(3, 2, ndim=1)], (2,)) == {(0,): 1, (1,): 1, (2,): 2, (3,): 1, (4,): 1}
    assert naive_phase_taps(3, 2, 0, 1) == [2, 1]


def disagrees() -> bool:
    layers = [layer(3, 2, 1, 1, ndim=1), layer(3, 2, 1, 0, 2, ndim=1, transposed=False)]
    expected = naive_map(layers, (4,))
    return {(n,): c for n, c in enumerate(chain(layers, 4).taps.tolist())} != expected


def test_agrees_without_a_defect():
    assert not disagrees()


@pytest.mark.parametrize("shift", [1, -1])
def test_a_shifted_source_is_caught(monkeypatch, shift):
    honest = geometry_naive._source

    def planted(one, pixel, tap):
        source = honest(one, pixel, tap)
        return None if source is None else tuple(n + shift for n in source)

    monkeypatch.setattr(geometry_naive, "_source", planted)
    assert disagrees()


def test_a_forgotten_tap_is_caught(monkeypatch):
    honest = geometry_naive._source
    monkeypatch.setattr(
        geometry_naive, "_source", lambda one, pixel, tap: honest(one, pixel, tap) if tap != (0,) else None
    )
    assert disagrees()
