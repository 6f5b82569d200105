import pytest
import torch
from torch import nn

from uncheck.reading import record
from uncheck.training import Measurement, StageGains
from uncheck.training.alarm import Alarm, warning_of


def at(step, strength, p_value=1e-9, period=4):
    return Measurement(step, strength, strength, {period: strength}, {period: p_value})


def warned(strengths, end=100.0, start=50, p_value=1e-9):
    """The indices at which period 4 is warned of; 100 steps of training, from step 50 on."""
    alarm, history, found = Alarm(0.3, 1e-3), [], []
    for i, strength in enumerate(strengths):
        history.append(at(start + i, strength, p_value))
        if alarm.periods(history, end):
            found.append(i)
    return found


def test_two_in_a_row_warn_once():
    assert warned([1.0, 1.0, 1.0, 1.0]) == [1]
    assert warned([1.0, 0.0, 1.0, 0.0, 1.0]) == []
    assert warned([0.3, 0.3]) == [1]
    assert warned([0.29] * 9) == []
    assert warned([1.0] * 9, p_value=1e-3) == []


def test_hysteresis():
    wobbling = [1.0, 1.0, 0.2, 1.0, 1.0, 0.2, 0.2, 1.0, 1.0, 0.1, 1.0, 1.0]
    assert warned(wobbling) == [1], "not below half of what is visible twice in a row"
    assert warned([1.0, 1.0, 0.1, 0.1, 1.0, 1.0]) == [1, 5]


def test_not_early():
    assert warned([1.0] * 20, start=0) == [10], "a tenth of 100 steps"
    assert warned([1.0] * 9, end=None, start=0) == [5], "five measurements"


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (
            nn.Sequential(nn.ConvTranspose2d(2, 2, 3, 2), nn.ConvTranspose2d(2, 1, 4, 2)),
            "period 4: 1.00 grey levels at step 7, the period of stage 0; its gain spread is ",
        ),
        (
            nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(2, 1, 3)),
            "its gains are even, so it is of second order: add lattice_penalty to the loss",
        ),
        (nn.Sequential(nn.Upsample(scale_factor=8)), "uncheck.inspect tells which layer makes it"),
        (
            nn.Sequential(nn.Upsample(scale_factor=2)),
            "no stage of the network has this period, so look at what its padding does at the border, ",
        ),
    ],
)
def test_what_it_says(network, expected):
    x = torch.randn(1, 2, 8, 8)
    gains = StageGains(network, x)
    measured = at(7, 1.0)
    measured = Measurement(7, 1.0, 1.0, measured.strengths, measured.p_values, gains.spreads(network))
    assert expected in warning_of(4, measured, gains.named)
    assert record(network, x).stages[0].output_period[0] == gains.stages[0].output_period[0]
