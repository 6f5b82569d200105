"""Blame names the stage that was made faulty."""

import sys

import pytest
from planted import planted

from uncheck.probing import inspect

FEW, MANY = 16, 48


def run(count):
    out = []
    for seed in range(count):
        case = planted(seed)
        result = inspect(case.model, case.signal)
        assert len(result.stages) == case.stages
        budget = 8 + 4 * case.stages
        assert result.passes <= (4 * budget if result.evidence.passes > 1 else budget)
        out.append((case, result))
    return out


def share_right(outcomes):
    right = 0
    for case, result in outcomes:
        shares = [s.blame.share if s.blame else 0.0 for s in result.stages]
        right += max(range(len(shares)), key=shares.__getitem__) == case.guilty and max(shares) > 0
    return right / len(outcomes)


@pytest.mark.integration
def test_guilty_stage_ranks_first_in_a_few_networks():
    assert share_right(run(FEW)) >= 0.9


@pytest.mark.slow
def test_guilty_stage_ranks_first_in_95_percent_and_its_order_is_told():
    outcomes = run(MANY)
    assert share_right(outcomes) >= 0.95
    orders = {"gains": [], "variances": []}
    for case, result in outcomes:
        guilty = result.stages[case.guilty].blame
        if guilty is not None and guilty.order is not None:
            orders[case.fault].append(guilty.order)
    assert sum(o == 2 for o in orders["variances"]) >= 0.8 * len(orders["variances"])
    assert sum(o == 1 for o in orders["gains"]) > sum(o == 1 for o in orders["variances"])


def test_a_counterfactual_that_does_nothing_blames_nobody(monkeypatch):
    """Planted defect: were evening an empty gesture, the ranking above could not come out."""
    module = sys.modules["uncheck.probing.trial"]
    monkeypatch.setattr(module, "evening", lambda stages, *, second_order: {})
    monkeypatch.setattr(module, "scrambling", lambda stages: {})
    case = planted(1)
    result = inspect(case.model, case.signal)
    assert all(s.blame.share == 0.0 for s in result.stages)
