"""Inspection end to end, on small networks."""

import json
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from uncheck.errors import UncheckError
from uncheck.probing import inspect, made_up


def conv(a, b, mode="reflect"):
    return nn.Conv2d(a, b, 3, padding=1, padding_mode=mode)


def decoder(up, seed=0):
    torch.manual_seed(seed)
    layers = [conv(3, 8), nn.ReLU(), *up, nn.ReLU(), conv(8, 3)]
    return nn.Sequential(*layers).eval()


def uneven():
    torch.manual_seed(0)
    return decoder([nn.ConvTranspose2d(8, 8, 3, 2, 1, 1)])


def test_uneven_decoder_has_a_lattice_of_period_two_and_is_blamed():
    result = inspect(uneven(), made_up((1, 3, 64, 64)))
    assert result.verdict == "lattice"
    assert result.finding
    assert max(result.lattice[0].period) == 2
    (stage,) = result.to_dict()["stages"]
    assert stage["name"] == "2"
    assert stage["overlap"] == "uneven"
    # Evening global means leaves what the lattice gains and loses with local brightness.
    assert stage["blame"] > 0.6
    assert result.fault == "architecture"
    assert "most to blame: 2" in str(result)


def test_resize_convolution_without_a_nonlinearity_after_it_is_clean():
    torch.manual_seed(0)
    model = nn.Sequential(conv(3, 8), nn.ReLU(), nn.Upsample(scale_factor=2), conv(8, 3)).eval()
    result = inspect(model, made_up((1, 3, 64, 64)))
    assert result.verdict == "clean"
    assert not result.finding
    assert [s.blame for s in result.stages] == [None]
    for probe in ("dark", "mean", "bright"):
        assert result.probes[probe].lattice == ()


def test_json_has_the_fixed_keys_and_nothing_that_json_lacks():
    made = inspect(uneven(), made_up((1, 3, 64, 64)), gradient=True).to_dict()
    json.dumps(made, allow_nan=False)
    assert {"schema", "verdict", "range", "lattice", "stages", "operations", "gradient"} <= set(made)
    assert {"period", "amplitude", "p_value"} <= set(made["lattice"][0])
    wanted = {
        "name",
        "kind",
        "stride",
        "kernel_size",
        "output_period",
        "overlap",
        "gain_spread",
        "order",
        "blame",
    }
    assert wanted <= set(made["stages"][0])
    assert set(made["operations"]) == {"handled", "ignored", "unsupported"}


def test_what_is_not_understood_forbids_a_clean_verdict():
    class Odd(nn.Module):
        def forward(self, x):
            return x.gather(3, torch.arange(x.shape[3]).expand(x.shape))

    result = inspect(Odd(), made_up((1, 3, 32, 32)))
    assert result.verdict == "undetermined"
    assert result.ledger.unsupported
    assert result.finding


def test_no_upsampling_is_news():
    result = inspect(nn.Sequential(conv(3, 3)), made_up((1, 3, 32, 32)))
    assert result.verdict == "clean"
    assert result.stages == ()
    assert any("not to blame" in note for note in result.notes)
    assert result.passes <= 8


def test_classifier_has_no_lattice_but_a_gradient():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
    )
    result = inspect(model, made_up((2, 3, 64, 64)), gradient=True)
    assert result.verdict == "clean"
    assert result.gradient.found
    assert result.finding
    assert any("no spatial axes" in note for note in result.notes)


def test_the_inputs_own_lattice_is_not_the_networks():
    picture = made_up((1, 3, 64, 64))
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    picture = (picture + 0.02 * (-1.0) ** (rows + columns)).clamp(0, 1)
    model = nn.Sequential(nn.Upsample(scale_factor=2)).eval()
    result = inspect(model, picture)
    assert result.verdict == "clean"
    assert any(max(c.period) == 4 for c in result.from_input)


def test_flat_colours_count_where_the_input_is_made_up():
    torch.manual_seed(0)
    model = nn.ConvTranspose2d(4, 3, 3, 2, 1, 1)
    nn.init.constant_(model.bias, 0.0)
    made = inspect(model, (1, 4, 32, 32))
    assert made.verdict == "lattice"
    assert made.stages[0].blame.share > 0.9
    assert any("probe, not on the example" in note for note in made.notes)


def test_border_of_constant_input_is_named_and_kept_out_of_the_lattice():
    torch.manual_seed(0)
    model = nn.Sequential(conv(3, 8), nn.ReLU(), conv(8, 8, "zeros"), nn.ReLU(), conv(8, 3)).eval()
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Conv2d):
                layer.weight.add_(0.05)
    result = inspect(model, made_up((1, 3, 128, 128)))
    assert result.verdict == "clean"
    assert 1 <= result.boundary.constant.depth <= 3
    assert result.boundary.constant.strength > 1
    assert [p.name for p in result.boundary.paddings] == ["2"]
    assert result.boundary.paddings[0].mode == "zero"


@pytest.mark.parametrize("first", [nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(3, 16, 4, 2, 1)])
def test_strided_first_layer_is_blamed_for_the_gradient(first):
    torch.manual_seed(0)
    model = nn.Sequential(first, nn.LeakyReLU(0.2), conv(16, 16), nn.LeakyReLU(0.2), conv(16, 1)).eval()
    gradient = inspect(model, made_up((1, 3, 64, 64)), gradient=True).gradient
    assert max(gradient.lattice[0].period) == 2
    (step,) = gradient.strided
    assert (step.name, step.input_period) == ("0", (2, 2))
    assert step.share > 0.8


def test_stride_one_has_no_gradient_lattice():
    torch.manual_seed(0)
    gradient = inspect(
        nn.Sequential(conv(3, 8), nn.Tanh(), conv(8, 1)), made_up((1, 3, 64, 64)), gradient=True
    ).gradient
    assert not gradient.found
    assert gradient.strided == ()


def state(model):
    return (
        {k: v.clone() for k, v in model.state_dict().items()},
        [m.training for m in model.modules()],
        [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()],
        [(p.requires_grad, p.grad is None) for p in model.parameters()],
        torch.get_rng_state(),
        torch.is_grad_enabled(),
    )


def same(a, b):
    return (
        all(torch.equal(a[0][k], b[0][k]) for k in a[0])
        and a[1:4] == b[1:4]
        and torch.equal(a[4], b[4])
        and a[5] == b[5]
    )


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 3, 3, 2)
        self.norm = nn.BatchNorm2d(3)
        self.norm.eval()  # frozen, inside a model in training
        self.calls = 0
        self.fail_at = 0

    def forward(self, x):
        self.calls += 1
        if self.calls == self.fail_at:
            raise ValueError("no more")
        return self.norm(self.up(nn.functional.dropout(x, 0.5, self.training)))


@pytest.mark.parametrize("fail_at", [0, 1, 4])
def test_model_is_left_as_found_also_when_it_raises(fail_at):
    model = Failing().train()
    model.norm.eval()
    model.fail_at = fail_at
    before = state(model)
    # The fourth pass is a probe: the network may refuse a flat colour, the inspection goes on.
    expectation = pytest.raises(UncheckError, match="no more") if fail_at == 1 else nullcontext()
    with expectation:
        inspect(model, made_up((1, 3, 32, 32)), gradient=True)
    assert same(before, state(model))


def test_forward_that_raises_names_the_module_reached():
    with pytest.raises(UncheckError, match=r"raised RuntimeError in '0'"):
        inspect(uneven(), torch.rand(1, 5, 32, 32))


def test_infinite_outputs_and_wrong_inputs_are_refused():
    model = uneven()
    with torch.no_grad():
        model[0].weight[0] = float("inf")
    with pytest.raises(UncheckError, match="output values are NaN or infinite"):
        inspect(model, made_up((1, 3, 32, 32)))
    with pytest.raises(UncheckError, match="expected a tensor"):
        inspect(uneven(), "picture.png")


def test_progress_is_told():
    told = []
    inspect(
        uneven(),
        made_up((1, 3, 32, 32)),
        progress=lambda label, done, total: told.append((label, done, total)),
    )
    assert told[0][0] == "recording"
    assert all(done <= total for _, done, total in told)
    assert any("equal covariances" in label for label, _, _ in told)


class Inside(nn.Module):
    """The uneven decoder with something done before and after it."""

    def __init__(self, before=lambda x: x, after=lambda y: y):
        super().__init__()
        self.net, self.before, self.after = uneven(), before, after

    def forward(self, x):
        return self.after(self.net(self.before(x)))


def test_integer_pictures_are_measured():
    model = Inside(after=lambda y: (y.sigmoid() * 255).round().to(torch.uint8))
    result = inspect(model, made_up((1, 3, 64, 64)))
    assert result.range == (0.0, 255.0)
    assert result.verdict == "lattice"


def test_a_model_that_writes_to_its_input_is_probed_with_the_same_input_each_time():
    picture = made_up((1, 3, 64, 64))
    before = picture.clone()
    writes = inspect(Inside(before=lambda x: x.mul_(2).sub_(1)), picture)
    assert torch.equal(picture, before)
    reads = inspect(Inside(before=lambda x: x * 2 - 1), picture)
    assert writes.stages[0].blame.share == pytest.approx(reads.stages[0].blame.share, abs=1e-6)


@pytest.mark.integration
def test_a_compiled_model_is_inspected_as_written():
    result = inspect(torch.compile(uneven()), made_up((1, 3, 64, 64)))
    assert result.verdict == "lattice"
    assert result.stages[0].stage.name.endswith("2")


def test_enlarging_that_was_not_read_is_said():
    class Matrices(nn.Module):
        """Larger along both axes, by products with a matrix that nobody can read a grid from."""

        def __init__(self):
            super().__init__()
            self.register_buffer("wide", torch.eye(64)[torch.arange(112) * 4 // 7])

        def forward(self, x):
            return self.wide @ x @ self.wide.T

    bare = inspect(Matrices(), made_up((1, 3, 64, 64)))
    assert bare.verdict == "undetermined"
    assert [(one.name, one.verdict) for one in bare.outputs] == [("output", "undetermined")]
    result = inspect(nn.Sequential(Matrices(), nn.Conv2d(3, 3, 1)), made_up((1, 3, 64, 64)))
    assert result.verdict == "undetermined"
    assert any("what enlarges 64 pixels to 112" in note for note in result.notes)
    assert not any("not to blame" in note for note in result.notes)


def test_the_largest_of_several_outputs_is_measured():
    class TwoScales(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = uneven()

        def forward(self, x):
            y = self.net(x)
            return nn.functional.avg_pool2d(y, 4), y

    result = inspect(TwoScales(), made_up((1, 3, 64, 64)))
    assert result.output.shape[1:3] == (128, 128)
    assert result.stages[0].stage.output_period == (2, 2)


def test_weights_in_double_precision_take_a_made_up_input():
    assert inspect(uneven().double(), (1, 3, 64, 64)).verdict == "lattice"


@pytest.mark.parametrize("level", [0.5, 7.0, 900.0])
def test_constant_outputs_of_any_level_tell_nothing_and_the_report_says_so(level):
    class Constant(nn.Module):
        def forward(self, x):
            return x * 0 + level

    for model in (Constant(), nn.Upsample(scale_factor=2)):
        result = inspect(model, torch.full((1, 3, 32, 32), level))
        assert result.verdict == "undetermined"
        assert result.lattice == ()
        assert any("one colour all over" in note for note in result.notes)
