"""Every architecture of the zoo is read as expected, and its kernels do what the layers do."""

from __future__ import annotations

import pytest

from reading.zoo import CASES, Case
from uncheck.reading import record


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_stages(case: Case) -> None:
    recording = record(case.model(), case.input())
    found = [(s.name, s.kind, s.stride, s.kernel_size, s.output_period, s.overlap) for s in recording.stages]
    expected = [(e.name, e.kind, e.stride, e.kernel_size, e.period, e.overlap) for e in case.stages]
    assert found == expected
    assert [(s.kernel is not None, s.exact) for s in recording.stages] == [
        (e.has_kernel, e.exact) for e in case.stages
    ]
    assert recording.ledger.unsupported == {}
    assert [stage.index for stage in recording.stages] == list(range(len(case.stages)))
