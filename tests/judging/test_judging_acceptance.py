"""What may be kept, in words, and which of two is better."""

from dataclasses import replace

import pytest

from uncheck.errors import Kind
from uncheck.judging.acceptance import is_good, objection, rank, truth_loss, worth
from uncheck.judging.judgement import Fidelity, Judgement, Look, Strength


def at(period, amplitude, significant=True):
    return Strength((period, period), amplitude, 1e-6 if significant else 0.5, significant)


def judged(before, after, *, colours=({}, {}), sharpness=0.0, psnr=40.0, **fidelity):
    return Judgement(
        Look(tuple(before), (), colours[0]),
        Look(tuple(after), (), colours[1]),
        Fidelity(psnr, 0.9, **fidelity),
        sharpness,
    )


FOUND = [at(2, 5.0), at(4, 2.0)]
GONE = [at(2, 0.1, False), at(4, 0.05, False)]
ANY = None


def test_what_removes_the_lattice_and_little_else_is_kept():
    assert objection(judged(FOUND, GONE), ANY) is None
    assert objection(judged(FOUND, []), ANY) is None
    assert objection(judged(FOUND, [at(2, 1.0), at(4, 0.5)]), ANY) is None


OBJECTIONS = {
    "39.9 dB to the original's output, below the 40 dB asked for": (judged(FOUND, GONE, psnr=39.9), 40.0),
    "the lattice fell only from 5.4 to 1.4 grey levels": (judged(FOUND, [at(2, 1.4)]), None),
    "period 4x4 grew to 0.6 grey levels": (judged([at(2, 5.0), at(4, 0.5)], [at(4, 0.6)]), None),
    "period 3x3 grew to 0.4 grey levels": (judged(FOUND, [at(3, 0.4)]), None),
    # 1e-3 for what is free, and 4 (29 / 255^2) for the lattice of 5 and 2 grey levels
    "25.5 dB to the original's output, where taking the lattice out explains 25.6 dB": (
        judged(FOUND, GONE, psnr=25.54),
        None,
    ),
    "29.9 dB to the original's output, where taking the lattice out explains 30.0 dB": (
        judged([at(2, 0.1)], [], psnr=29.94),
        None,
    ),
    "24.9 dB to the spun network, from which the original is only 25.0 dB away": (
        judged(FOUND, GONE, psnr_to_spun=24.9, psnr_to_spun_before=25.0),
        None,
    ),
    "40% of energy was added beside the lattice": (judged(FOUND, GONE, sharpness=0.4), None),
    "0.06 dB lost to the truth, more than 0.05": (
        judged(FOUND, GONE, psnr_to_truth=29.94, psnr_to_truth_before=30.0), None,
    ),
    "16% of the sharpness is lost": (judged(FOUND, GONE, sharpness=-0.16), None),
    "constant colours show 0.5 grey levels": (
        judged(FOUND, GONE, colours=({"mean": 0.2}, {"mean": 0.5})), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", OBJECTIONS)
def test_objections_say_why(message):
    one, fidelity = OBJECTIONS[message]
    found = objection(one, fidelity)
    assert found.reason == message
    assert (found.kind is Kind.lattice) == message.startswith("the lattice fell only")


def test_just_within_each_limit_is_kept():
    assert objection(judged(FOUND, GONE, psnr=40.0), 40.0) is None
    assert objection(judged(FOUND, GONE, psnr=20.0), 20.0) is None  # asked for: no other limit
    spun = {"psnr_to_spun": 30.0, "psnr_to_spun_before": 29.0}
    assert objection(judged(FOUND, GONE, psnr=20.0, **spun), ANY) is None
    assert objection(judged(FOUND, GONE, psnr=25.56), ANY) is None
    assert objection(judged([at(2, 4.0)], [at(2, 1.0)]), ANY) is None
    near = judged(FOUND, GONE, psnr_to_truth=29.96, psnr_to_truth_before=30.0)
    assert objection(near, ANY) is None
    assert objection(judged(FOUND, GONE, sharpness=-0.14), ANY) is None
    assert objection(judged(FOUND, GONE, sharpness=0.29), ANY) is None
    # colours that showed as much before, or next to nothing
    assert objection(judged(FOUND, GONE, colours=({"mean": 2.0}, {"dark": 1.9})), ANY) is None
    assert objection(judged(FOUND, GONE, colours=({}, {"mean": 0.29})), ANY) is None
    # what grew is not told from the content
    assert objection(judged(FOUND, [at(3, 0.4, False)]), ANY) is None


def test_contrast_that_goes_with_the_phase_must_not_grow():
    def second(before, after):
        one = judged(FOUND, GONE)
        return replace(
            one,
            before=replace(one.before, second_order=(at(2, before),)),
            after=replace(one.after, second_order=(at(2, after),)),
        )

    assert objection(second(0.2, 1.3), ANY) is None
    assert objection(second(0.2, 6.0), ANY).reason == "contrast that goes with period 2x2 grew to 6 dB"


def test_good_is_every_period_gone():
    assert is_good(judged(FOUND, GONE))
    assert is_good(judged(FOUND, []))
    assert is_good(judged(FOUND, [at(2, 0.2), at(4, 0.1)]))  # by 20, though still told
    assert not is_good(judged(FOUND, [at(2, 0.3)]))
    assert is_good(judged(FOUND, [at(2, 0.3, False)]))
    assert not is_good(judged(FOUND, [at(3, 0.2)]))
    # what was not significant before need not fall
    assert is_good(judged([at(2, 5.0), at(4, 0.2, False)], [at(4, 0.2, False)]))


def test_the_lattice_counts_first_and_then_fidelity():
    def ranked(after, **more):
        return rank(judged([at(2, 6.0)], after, **more))

    some, less, none = [at(2, 1.0)], [at(2, 0.5)], []
    assert ranked(none, psnr=30) > ranked(less, psnr=50) > ranked(some, psnr=60)
    # among the good, and among the alike, what is nearer
    assert ranked(none, psnr=41) > ranked(none, psnr=40)
    assert ranked(none, psnr=41) > ranked([at(2, 0.1)], psnr=40)
    assert ranked([at(2, 0.1)], psnr=41) > ranked(none, psnr=40)
    assert ranked(some, psnr=41) > ranked(some, psnr=40)
    # to the truth, else to the spun network, else to the original
    assert ranked(none, psnr=30, psnr_to_spun=35) > ranked(none, psnr=40, psnr_to_spun=34)
    assert ranked(none, psnr=30, psnr_to_spun=3, psnr_to_truth=29) > ranked(
        none, psnr=40, psnr_to_spun=34, psnr_to_truth=28
    )


def test_loss_to_the_truth():
    one = judged(FOUND, GONE)
    assert truth_loss(one) is None
    known = replace(one, fidelity=Fidelity(40, 1, psnr_to_truth=31.0, psnr_to_truth_before=30.0))
    assert truth_loss(known) == -1.0


def near_spun(psnr, before=30.0):
    return judged(FOUND, GONE, psnr_to_spun=psnr, psnr_to_spun_before=before)


def test_worth_is_the_share_of_the_way_to_the_spun_network_for_its_cost():
    assert worth(near_spun(144.0), 16) == pytest.approx(1 / 16)
    assert worth(near_spun(40.0), 4) == pytest.approx(0.9 / 4)
    assert worth(near_spun(29.0), 1) == 0.0
    assert worth(judged(FOUND, GONE), 4) == 0.25


def test_a_lattice_that_did_not_fall_is_not_said_to_have_fallen():
    for after in (0.1, 0.098):
        said = objection(judged([at(2, 0.098)], [at(2, after)]), ANY).reason
        assert said == f"the lattice did not fall: 0.098 grey levels before, {after:.2g} after"
