"""Which of the candidates judged is kept."""

from judging.test_judging_acceptance import FOUND, at, judged, near_spun
from uncheck.editing.edits import KINDS, Candidate, Spun
from uncheck.errors import Kind, Refused
from uncheck.repairing.trials import Trial, best_of


def trial(judgement, runs=1, objection=None):
    edits = (Spun(tuple((i, 0) for i in range(runs))),) if runs > 1 else ()
    return Trial(Candidate("any", f"{runs} runs", KINDS[1], edits), judgement, objection)


def test_four_shifts_are_kept_over_sixteen_that_leave_as_little():
    four, sixteen = trial(near_spun(45.0), 4), trial(near_spun(144.0), 16)
    assert best_of([four, sixteen]) is four
    assert best_of([sixteen, four]) is four


def test_all_shifts_are_kept_where_fewer_leave_something():
    left = judged(FOUND, [at(2, 1.0)], psnr_to_spun=45.0, psnr_to_spun_before=30.0)
    assert best_of([trial(left, 4), trial(near_spun(144.0), 16)]).candidate.runs == 16


def test_all_shifts_are_kept_where_fewer_go_a_small_part_of_the_way():
    assert best_of([trial(near_spun(30.5), 4), trial(near_spun(144.0), 16)]).candidate.runs == 16


def test_of_one_cost_the_nearest_is_kept_and_none_where_all_are_objected_to():
    far, near = trial(near_spun(40.0)), trial(near_spun(41.0))
    assert best_of([far, near]) is near
    refused = Refused(Kind.harm, "blurred")
    assert best_of([trial(near_spun(41.0), objection=refused)]) is None
