"""Released networks: their verdicts and what is blamed."""

import pytest

import released
from uncheck.probing import inspect


def inspected(name):
    return inspect(released.load(name), released.example_input(name))


@pytest.mark.integration
def test_style_transfer_shows_period_four_and_blames_its_first_deconvolution():
    result = inspected("style_rain_princess")
    assert result.verdict == "lattice"
    four = next(c for c in result.lattice if max(c.period) == 4)
    assert four.amplitude > 1
    names = [s.stage.name for s in result.stages]
    assert names == ["convs.13.deconv", "convs.14.deconv"]
    assert [s.stage.overlap for s in result.stages] == ["uneven", "uneven"]
    assert result.stages[0].blame.share > 0.5
    assert result.stages[0].blame.order == 2
    assert any("interact" in note for note in result.notes)
    assert result.fault == "architecture"


@pytest.mark.parametrize("name", ["cvae_sketch", pytest.param("cwgan_mnist", marks=pytest.mark.integration)])
def test_resize_generators_have_no_uneven_stage(name):
    result = inspected(name)
    assert all(s.stage.overlap != "uneven" for s in result.stages)
    assert [s.stage.kind for s in result.stages] == ["nearest", "nearest"]
    assert [s.order for s in result.stages] == [1, 1]
    assert result.verdict == "clean"


@pytest.mark.integration
@pytest.mark.parametrize("name", ["fsrcnn_x2", "upconv7_photo"])
def test_super_resolution_does_not_answer_for_the_photographs_own_lattice(name):
    # The photograph in question is one of the Kodak set.
    result = inspect(released.load(name), released.others().example_input(name))
    assert any(max(c.period) == 4 for c in result.from_input)
    assert all(max(c.period) != 4 for c in result.lattice)


@pytest.mark.integration
def test_speech_decoder_is_read_in_one_dimension():
    result = inspected("speech_decoder")
    assert [s.stage.output_period for s in result.stages] == [(320,), (160,), (80,), (16,)]
    assert result.passes <= (8 + 4 * 4) * (4 if result.evidence.passes > 1 else 1)
