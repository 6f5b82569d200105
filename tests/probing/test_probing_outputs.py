"""Networks with several outputs, or with outputs on axes of their own: each is judged, or named."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from uncheck.errors import UncheckError
from uncheck.measuring.components import Limit
from uncheck.probing import inspect, made_up
from uncheck.probing.finding import Finding


class Two(nn.Module):
    """One head with an even upsampling and one with an uneven."""

    def __init__(self, nest=lambda depth, normals: {"depth": depth, "normals": normals}):
        super().__init__()
        torch.manual_seed(0)
        self.trunk = nn.Conv2d(3, 16, 3, 2, 1)
        self.depth = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 1))
        self.normals = nn.ConvTranspose2d(16, 3, 3, 2, 1, 1)
        self.nest = nest

    def forward(self, x):
        h = self.trunk(x).relu()
        return self.nest(self.depth(h), self.normals(h))


@dataclass
class Heads:
    depth: torch.Tensor
    normals: torch.Tensor


PICTURE = made_up((1, 3, 64, 64))


@pytest.mark.parametrize(
    ("nest", "names"),
    [
        (lambda depth, normals: {"depth": depth, "normals": normals}, ("depth", "normals")),
        (lambda depth, normals: (depth, [normals]), ("0", "1.0")),
        (Heads, ("depth", "normals")),
    ],
)
def test_the_worst_of_several_outputs_decides(nest, names):
    result = inspect(Two(nest).eval(), PICTURE)
    assert result.verdict == "lattice"
    assert {one.name: one.verdict for one in result.outputs} == dict(
        zip(names, ("clean", "lattice"), strict=True)
    )
    judged = {one.name: one for one in result.outputs}
    assert judged[names[1]].lattice == result.lattice
    assert [max(limit.period) for limit in judged[names[0]].limit] == [2]
    assert {s.stage.name: s.blame.share > 0.8 for s in result.stages} == {"depth.0": False, "normals": True}
    made = result.to_dict()["outputs"]
    assert [set(one) for one in made] == [{"name", "verdict", "lattice", "limit"}] * 2


def test_one_output_can_be_chosen():
    model = Two().eval()
    result = inspect(model, PICTURE, which="depth")
    assert result.verdict == "clean"
    assert [one.name for one in result.outputs] == ["depth"]
    assert inspect(model, PICTURE, which="normals").verdict == "lattice"
    with pytest.raises(UncheckError, match=r"no output 'colour'.*depth, normals"):
        inspect(model, PICTURE, which="colour")


def test_a_volume_beside_a_picture_and_scores():
    class Ranks(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.volume = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv3d(2, 2, 1))
            self.slice = nn.ConvTranspose2d(2, 3, 3, 2, 1, 1)
            self.scores = nn.Linear(2, 10)

        def forward(self, x):
            return self.volume(x), self.slice(x[:, :, 0]), self.scores(x.mean((2, 3, 4)))

    result = inspect(Ranks().eval(), (1, 2, 10, 24, 24))
    assert result.verdict == "lattice"
    assert {one.name: one.verdict for one in result.outputs} == {"0": "clean", "1": "lattice"}
    assert {c.period for c in result.lattice} == {(2, 2)}
    assert any("output 2" in note and "left out" in note for note in result.notes)


class Frames(nn.Module):
    """Frames folded into the batch for an upsampling in two dimensions."""

    def __init__(self, up):
        super().__init__()
        torch.manual_seed(0)
        self.up = up()

    def forward(self, x):
        b, c, t, h, w = x.shape
        y = self.up(x.transpose(1, 2).reshape(b * t, c, h, w))
        return y.view(b, t, 3, 2 * h, 2 * w).transpose(1, 2)


class Sources(nn.Module):
    """An axis of sources between batch and samples."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.up = nn.ConvTranspose1d(4, 4, 3, 2, 1, 1)

    def forward(self, x):
        return self.up(x).view(len(x), 2, 2, -1)


def test_frames_are_measured_on_the_axes_of_their_stage():
    uneven = inspect(Frames(lambda: nn.ConvTranspose2d(4, 3, 3, 2, 1, 1)), (1, 4, 5, 24, 24))
    assert uneven.verdict == "lattice"
    assert {c.period for c in uneven.lattice} == {(2, 2)}
    assert uneven.output.shape[:3] == (5, 48, 48)
    even = inspect(
        Frames(lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 3, 1))), (1, 4, 5, 24, 24)
    )
    assert even.verdict == "clean"
    assert [limit.period for limit in even.limit] == [(2, 2)]


def test_sources_are_measured_on_the_axis_of_their_stage():
    sound = inspect(Sources(), (1, 4, 800))
    assert sound.verdict == "lattice"
    assert {c.period for c in sound.lattice} == {(2,)}


def test_a_dead_output_tells_nothing():
    up = nn.ConvTranspose2d(3, 3, 3, 2, 1, 1)
    nn.init.constant_(up.bias, -9.0)
    result = inspect(nn.Sequential(up, nn.ReLU()).eval(), PICTURE)
    assert result.verdict == "undetermined"
    assert [one.verdict for one in result.outputs] == ["undetermined"]
    assert "one colour all over" in result.notes[0]
    assert result.finding


def test_labels_beside_a_picture_are_left_out_and_do_not_spoil_the_verdict():
    class Segmenter(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.up = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 4, 1))

        def forward(self, x):
            y = self.up(x)
            return y, y.argmax(1)

    result = inspect(Segmenter().eval(), PICTURE)
    assert result.verdict == "clean"
    assert [one.name for one in result.outputs] == ["0"]


def test_infinite_numbers_in_one_of_several_outputs_leave_it_undetermined():
    def nest(depth, normals):
        return depth, torch.full_like(normals, float("inf"))

    result = inspect(Two(nest).eval(), PICTURE)
    assert result.verdict == "undetermined"
    assert {one.name: one.verdict for one in result.outputs} == {"0": "clean", "1": "undetermined"}
    assert any("NaN or infinite" in note for note in result.notes)


def test_the_lattice_of_every_output_has_its_orders():
    torch.manual_seed(0)
    heads = {name: nn.ConvTranspose2d(3, channels, 3, 2, 1, 1) for name, channels in (("a", 3), ("b", 2))}
    net = nn.ModuleDict(heads)
    net.forward = lambda x: {name: layer(x) for name, layer in net.items()}
    outputs = inspect(net, made_up((1, 3, 48, 48))).to_dict()["outputs"]
    assert [one["verdict"] for one in outputs] == ["lattice", "lattice"]
    assert {c["order"] for one in outputs for c in one["lattice"]} == {"first"}


def test_a_rate_is_for_sound():
    net = nn.ConvTranspose2d(3, 3, 3, 2, 1, 1)
    with pytest.raises(UncheckError, match="rate 16000 is for sound, but the output has 2 spatial axes"):
        inspect(net, made_up((1, 3, 48, 48)), rate=16000)


def test_white_noise_given_is_judged_as_white_noise_made_up():
    torch.manual_seed(0)
    net = nn.ConvTranspose2d(4, 3, 3, 2, 1, 1)
    given, made = inspect(net, made_up((1, 4, 48, 48))), inspect(net, (1, 4, 48, 48))
    assert given.verdict == made.verdict == "lattice"


def test_a_limit_above_black_and_white_in_turn_is_no_measurement():
    limits = (Limit((2, 2), 0.1), Limit((4, 4), 200.0))
    seen = SimpleNamespace(possible=SimpleNamespace(cycles=(2, 4)))
    hidden = Finding(seen, np.zeros((1, 8, 8, 1), np.float32), limits=limits)
    assert (hidden.verdict, hidden.hidden) == ("undetermined", (4,))
    assert Finding(seen, hidden.batch, limits=limits[:1]).verdict == "clean"
