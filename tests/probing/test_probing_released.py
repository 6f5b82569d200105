"""Released networks, where they are at hand."""

import sys
from pathlib import Path

import pytest

from uncheck.probing import inspect

CASES = Path(__file__).parents[3] / "shared" / "cases"
pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason="the released networks are not beside this checkout"
)


def load(name):
    if str(CASES) not in sys.path:
        sys.path.insert(0, str(CASES))
    import networks

    return inspect(networks.load(name), networks.example_input(name))


def test_style_transfer_shows_period_four_and_blames_its_first_deconvolution():
    result = load("style_rain_princess")
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


@pytest.mark.parametrize("name", ["cwgan_mnist", "cvae_sketch"])
def test_resize_generators_have_no_uneven_stage(name):
    result = load(name)
    assert all(s.stage.overlap != "uneven" for s in result.stages)
    assert [s.stage.kind for s in result.stages] == ["nearest", "nearest"]
    assert [s.order for s in result.stages] == [1, 1]
    assert result.verdict == "clean"


@pytest.mark.parametrize("name", ["fsrcnn_x2", "upconv7_photo"])
def test_super_resolution_does_not_answer_for_the_photographs_own_lattice(name):
    result = load(name)
    assert any(max(c.period) == 4 for c in result.from_input)
    assert all(max(c.period) != 4 for c in result.lattice)


def test_speech_decoder_is_read_in_one_dimension():
    result = load("speech_decoder")
    assert [s.stage.output_period for s in result.stages] == [(320,), (160,), (80,), (16,)]
    assert result.passes <= 8 + 4 * 4
