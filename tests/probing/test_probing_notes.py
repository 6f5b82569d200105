"""Notes are true or absent, the worst first, five at most."""

import dataclasses

import pytest
import torch
from torch import nn

from uncheck.measuring import Component
from uncheck.probing import inspect
from uncheck.probing.blame import PeriodBlame, StageBlame
from uncheck.probing.control import Control
from uncheck.probing.evidence import Evidence
from uncheck.probing.notes import MOST, Known, amount, notes, sizes
from uncheck.probing.result import Probe
from uncheck.reading import record


@pytest.fixture(scope="module")
def stages():
    net = nn.Sequential(nn.ConvTranspose2d(1, 1, 2, 2), nn.ConvTranspose2d(1, 1, 2, 2))
    return record(net, torch.rand(1, 1, 8, 8)).stages


FOUND = (Component((4, 4), 2.0, 1e-9),)


def blamed(index, after, before=2.0):
    part = PeriodBlame((4, 4), before, before, after, 0.0, 0.5)
    return StageBlame(index, 0.5, 1, (part,), after > 1.25 * before)


def test_upsampling_is_innocent_only_where_all_was_understood():
    assert notes(Known(())) == ("no upsampling stages: upsampling is not to blame",)
    (unread,) = notes(Known((), unread="fold"))
    assert unread == "not understood on the way to the output: fold"


def test_something_else_is_named_only_where_mending_every_stage_leaves_it(stages):
    kept, gone = Control((4, 4), 2.0, 2.1, 1.9), Control((2, 2), 2.0, 1.9, 0.1)
    (note,) = notes(Known(stages, FOUND, controls=(kept, gone)))
    assert note.startswith("95% of period 4 (2.00 levels) stays with all stages evened and scrambled")
    assert notes(Known(stages, FOUND, controls=(gone,))) == ()
    assert (kept.order, gone.order) == ("second", "second")
    assert Control((2, 2), 2.0, 0.9, 0.9).order == "first"


def test_stages_interact_where_mending_one_brings_more(stages):
    (note,) = notes(Known(stages, FOUND, (blamed(0, 0.1), blamed(1, 6.0))))
    assert note.startswith("stages interact: evening 1 alone brings period 4 from 2.00 levels to 6.00 levels")
    assert notes(Known(stages, FOUND, (blamed(0, 0.1), blamed(1, 2.0)))) == ()
    assert notes(Known(stages[:1], FOUND, (blamed(0, 6.0),))) == ()  # one alone interacts with nothing


def test_a_limit_above_the_threshold_is_said_with_what_to_give(stages):
    (note,) = notes(Known(stages, evidence=Evidence(17, 16.0, "passes", 0.9)))
    assert note == (
        "passes ran out at 0.90 levels after 17 inputs: a fainter lattice may hide; give more inputs"
    )
    assert notes(Known(stages, evidence=Evidence(17, 16.0, "limit", 0.28))) == ()
    assert notes(Known(stages, evidence=Evidence(1, 1.0, "nothing", None))) == ()
    assert notes(Known(stages, FOUND, evidence=Evidence(17, 16.0, "lattice", 0.9))) == ()


def test_five_at_most_and_the_worst_first(stages):
    many = Known(
        stages,
        FOUND,
        (blamed(0, 0.1), blamed(1, 6.0)),
        (Control((4, 4), 2.0, 2.0, 2.0),),
        probes={"dark": Probe((Component((2, 2), 9.0, 1e-9),), ())},
        shown_on="mean",
        constant=True,
        unread="fold",
        unused=("a", "b"),
        dropped=("border",),
    )
    found = notes(many)
    assert len(found) == MOST
    assert found[0].startswith("the output has one colour")
    assert found[1].startswith("left out for want of time: border")
    rest = notes(dataclasses.replace(many, constant=False, unread="", dropped=(), controls=(), shown_on=""))
    assert [note.split()[0] for note in rest] == ["stages", "the", "a", "b"]


def test_a_sound_has_no_grey_levels():
    (note,) = notes(
        Known((), unread="x", probes={"dark": Probe((Component((8,), 1.275, 0.0),), ())}, ndim=1)
    )[1:]
    assert note == 'the "dark" probe shows more: period 8 at -40 dB of full scale'
    assert amount(2.0, 3) == "2.00 levels"
    assert sizes((1, 8)) == "1x8"


@pytest.mark.integration
def test_a_dead_output_is_said_to_be_constant():
    net = nn.Sequential(nn.ConvTranspose2d(3, 3, 2, 2), nn.ReLU())
    nn.init.constant_(net[0].bias, -9.0)
    assert any("one colour" in note for note in inspect(net, (1, 3, 32, 32)).notes)
