"""From a network and inputs to a case: calls, checks, periods, and what there is to repair."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import released
from uncheck.errors import UncheckError
from uncheck.probing.forward import levels
from uncheck.reading import record
from uncheck.repairing import prepare as prepare_module
from uncheck.repairing.inputs import split_samples
from uncheck.repairing.prepare import possible_left, prepare


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


class Uneven(nn.Module):
    """One channel, twice as large, with a strong lattice of period 2."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(1, 1, 3, 2, 1, 1)
        nn.init.constant_(self.up.weight, 0.3)
        nn.init.zeros_(self.up.bias)

    def forward(self, x):
        return self.up(x)


class Fn(nn.Module):
    """Any function as a network, beside a layer of its own."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def bilinear(_, x):
    return F.interpolate(x, scale_factor=2, mode="bilinear")


# --- calls ------------------------------------------------------------------------------------------------


@given(st.integers(2, 30))
def test_every_third_map_is_held_out(count):
    whole = torch.arange(count).float().reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    fit, held = split_samples(whole)
    numbers = [[int(call[0][0, 0, 0, 0]) for call in calls] for calls in (fit, held)]
    assert sorted(numbers[0] + numbers[1]) == list(range(count))
    assert numbers[1] == ([n for n in range(count) if n % 3 == 2] or [1])
    assert all(call[0].shape == (1, 1, 8, 8) for call in (*fit, *held))


@pytest.mark.parametrize("shape", [(9, 5), (9, 5, 1, 1), (9, 5, 7, 7)])
def test_codes_stay_two_batches(shape):
    codes = noise(*shape)
    (fit,), (held,) = split_samples(codes)
    assert torch.equal(torch.cat([fit[0], held[0]]), codes)
    assert len(fit[0]) == 5


def test_a_tuple_is_split_along_the_batch_axis_and_the_rest_repeated():
    x, label, style = noise(3, 1, 8, 8), torch.arange(3), noise(1, 4)
    fit, held = split_samples((x, {"label": label}, style, 0.5, None))
    assert (len(fit), len(held)) == (2, 1)
    one = held[0]
    assert torch.equal(one[0], x[2:3])
    assert one[1]["label"].tolist() == [2]
    assert one[2] is style
    assert one[3:] == (0.5, None)


def test_a_list_holds_one_call_each():
    fit, held = split_samples([noise(4, 7, seed=i) for i in range(3)])
    assert ([c[0].shape for c in fit], len(held)) == ([(4, 7), (4, 7)], 1)
    fit, _ = split_samples([(noise(1, 1, 8, 8), i) for i in range(2)])
    assert fit[0][1] == 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (noise(1, 1, 8, 8), "at least 2 inputs, some to fit on and others to judge on; got 1"),
        ([noise(1, 1, 8, 8)], "got 1"),
        ([], "got 0"),
        (noise(5), "got 1"),
        ([noise(1, 1, 8, 8), noise(1, 1, 8, 9), noise(1, 1, 8, 8)], r"of 2 sizes \(1x8x8, 1x8x9\)"),
        ((noise(4, 1, 8, 8), noise(3, 2)), r"hold 4 samples and 3 \(shape \(3, 2\)\)"),
        (noise(2, 1, 8, 8).fill_(float("nan")), "128 of 128 input values are NaN or infinite"),
        ([noise(1, 1, 8, 8), noise(1, 1, 8, 8) / 0], "64 of 64 input values are NaN or infinite"),
        ("pictures", "got str"),
        ((), "got an empty tuple"),
        ([1, 2], "got int"),
    ],
)
def test_inputs_that_will_not_do(inputs, message):
    with pytest.raises(UncheckError, match=message):
        split_samples(inputs)


# --- the case ---------------------------------------------------------------------------------------------


def test_a_case_of_a_faulty_upsampler():
    net, seen = Uneven().train(), []
    net.up.weight.requires_grad_(True)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    torch.manual_seed(7)
    state = torch.get_rng_state()
    case = prepare(net, noise(6, 1, 24, 32), progress=lambda *step: seen.append(step))
    assert (len(case.fit), len(case.held)) == (4, 2)
    assert (case.periods, case.faulty, case.scale, case.ndim) == ((2,), (2,), (2.0, 2.0), 2)
    assert case.span == (0.0, 1.0)
    assert not case.spinnable
    assert not any(p.requires_grad for p in case.model.parameters())
    assert not any(m.training for m in case.model.modules())
    # the user's own is as it was
    assert all(m.training for m in net.modules())
    assert net.up.weight.requires_grad
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert case.model.up.weight.data_ptr() != net.up.weight.data_ptr()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(done <= total for _, done, total in seen)
    assert {label for label, *_ in seen} == {
        "reading the network", "running the network", "looking for the lattice"
    }  # fmt: skip


def test_the_span_is_inferred_over_all_outputs_or_given():
    net = Fn(lambda self, x: self.up(x) * 2 - 1, up=Uneven())
    assert prepare(net, noise(3, 1, 24, 24)).span == (-1.0, 1.0)
    assert prepare(net, noise(3, 1, 24, 24), span=(-2.0, 2.0)).span == (-2.0, 2.0)


@pytest.mark.parametrize("sampled", [1 << 22, 1000])
def test_the_span_is_that_of_all_outputs_together(monkeypatch, sampled):
    monkeypatch.setattr(prepare_module, "SAMPLED", sampled)
    outputs = [noise(1, 1, 40, 40, seed=i) * 3 * i for i in range(4)]
    expected = levels(torch.cat(outputs), None)[1]
    got = prepare_module._span(outputs)
    assert got == pytest.approx(expected, abs=0 if sampled > 1000 else 1e-6)
    assert prepare_module._span([(one * 20).to(torch.uint8) for one in outputs]) == (0.0, 255.0)


def test_a_clean_upsampler_has_nothing_to_repair():
    case = prepare(Fn(bilinear), noise(9, 1, 24, 24))
    assert (case.periods, case.faulty) == ((2,), ())


def test_codes_have_no_scale():
    torch.manual_seed(0)
    net = Fn(lambda self, z: self.up(1 + self.fc(z).view(-1, 1, 12, 12)), fc=nn.Linear(5, 144), up=Uneven())
    case = prepare(net, noise(64, 5))
    assert case.scale is None
    assert case.faulty == (2,)
    assert case.fit[0][0].shape == (32, 5)


def test_an_unsupported_operation_is_left_to_the_caller():
    net = Fn(lambda self, x: torch.special.bessel_j0(self.up(x)), up=Uneven())
    assert prepare(net, noise(2, 1, 24, 24)).recording.ledger.unsupported


def test_time_may_be_short_where_nothing_lengthens_it():
    net = Fn(lambda _, x: F.interpolate(x, scale_factor=(1, 2, 2)))
    assert prepare(net, noise(2, 1, 3, 16, 16)).periods == (2,)


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (Uneven(), noise(3, 1, 7, 12), r"output is 14 x 24 pixels, and .* told from 16 x 16 on; give larger"),
        (
            Fn(lambda _, x: F.pixel_shuffle(x, 8)),
            noise(3, 64, 3, 30),
            r"output is 24 x 240 pixels, and .* told from 32 x 32 on",
        ),
        (Fn(lambda _, x: bilinear(_, x) / 0), noise(3, 1, 12, 12), "output values are NaN or infinite"),
        (
            Fn(lambda _, x: x.mean((2, 3))),
            noise(3, 1, 12, 12),
            "holds no map of 2 spatial axes, so it has no",
        ),
        (Fn(lambda _, x: x @ x), noise(3, 1, 12, 14), "raised RuntimeError"),
        ("net", noise(3, 1, 12, 12), "repair needs a torch.nn.Module"),
        (
            Fn(lambda self, x: self.drop(bilinear(self, x)), drop=Fn(lambda _, x: F.dropout(x))),
            noise(3, 1, 12, 12),
            "dropout in drop is active in eval mode, .* call it with training=self.training",
        ),
        (
            Fn(lambda self, x: bilinear(self, x) + self.n(x), n=Fn(lambda _, x: torch.randn(1, 1, 24, 24))),
            noise(3, 1, 12, 12),
            "randn in n draws random numbers, .* pass them in as an input",
        ),
        (
            Fn(lambda _, x: bilinear(_, x) * float(np.random.default_rng().uniform())),
            noise(3, 1, 12, 12),
            "Fn gives another output in each run, so that repairs cannot be compared",
        ),
    ],
)
def test_what_cannot_be_prepared(net, inputs, message):
    with pytest.raises(UncheckError, match=message):
        prepare(net, inputs)


def test_dropout_that_rests_in_eval_mode_is_no_fault():
    net = Fn(lambda self, x: self.drop(self.up(x)), up=Uneven(), drop=nn.Dropout(0.5))
    assert prepare(net.train(), noise(3, 1, 12, 12)).faulty == (2,)


def test_noise_that_does_not_reach_the_output_is_no_fault():
    def function(self, x):
        torch.randn(3)
        return bilinear(self, x)

    assert prepare(Fn(function), noise(3, 1, 12, 12)).faulty == ()


# --- several outputs --------------------------------------------------------------------------------------


def several(_, x):
    big = bilinear(_, x)
    return {"a": big, "aux": (big * 2, x), "labels": (big > 0.5).long()}


def test_outputs_of_equal_standing_are_named():
    expected = r"2 outputs of equal standing \(a \(1, 1, 24, 24\), aux.0 \(1, 1, 24, 24\)\): .* --which"
    with pytest.raises(UncheckError, match=expected):
        prepare(Fn(several), noise(3, 1, 12, 12))
    case = prepare(Fn(several), noise(3, 1, 12, 12), which="aux.0")
    assert case.which == "aux.0"
    assert case.levels(case.run(case.model, case.fit[0])).shape == (1, 24, 24, 1)


def test_which_that_names_nothing():
    with pytest.raises(UncheckError, match=r"no output 'b' of 'b'; it returns a, aux, labels"):
        prepare(Fn(several), noise(3, 1, 12, 12), which="b")


def test_the_same_tensor_twice_and_smaller_maps_are_no_question():
    def function(_, x):
        big = bilinear(_, x)
        return big, big, x

    assert prepare(Fn(function), noise(3, 1, 12, 12)).which is None


# --- periods and faults -----------------------------------------------------------------------------------


def test_periods_are_those_of_the_stages_and_their_divisors_as_far_as_they_fit():
    net = nn.Sequential(
        nn.Upsample(scale_factor=6), nn.Conv2d(1, 1, 3, padding=1), nn.Upsample(scale_factor=2)
    )
    assert prepare(net, noise(2, 1, 12, 12)).periods == (2, 3, 4, 6, 12)
    assert possible_left(record(net, noise(1, 1, 2, 2)), None, 2).cycles == (2, 3, 4, 6, 12)


def test_a_network_that_was_understood_leaves_nothing_else():
    assert prepare(nn.Conv2d(1, 1, 3, padding=1), noise(2, 1, 64, 64)).periods == ()
    unread = Fn(lambda _, x: torch.special.bessel_j0(F.avg_pool2d(x, 1)))
    assert prepare(unread, noise(2, 1, 128, 128)).periods == tuple(range(2, 17))


# --- released networks ------------------------------------------------------------------------------------

FAULTY = {
    "style_rain_princess": (2, 4),
    "fsrcnn_x2": (2,),
    "upconv7_photo": (2,),
    "espcn_x3": (3,),
    "dcgan_svhn": (2, 4),
    "cwgan_mnist": (),
    "cvae_sketch": (),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in released.BUNDLED else pytest.mark.integration) for n in FAULTY]
)
def test_released_networks(name):
    if name in ("dcgan_svhn", "cwgan_mnist", "cvae_sketch"):
        inputs = released.example_input(name, 512 if name == "dcgan_svhn" else 128)
    elif name == "style_rain_princess":
        inputs = released.kodak(128) * 255
    elif name == "espcn_x3":
        inputs = released.crops(128).mean(1, keepdim=True)
    else:
        inputs = released.crops(96)
    case = prepare(released.load(name), inputs)
    assert case.faulty == FAULTY[name]


def test_photographs_bring_nothing_of_their_own():
    pictures = released.kodak(256)
    same = Fn(lambda _, x: F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="bilinear"))
    assert prepare(same, pictures).faulty == ()
    assert prepare(Fn(lambda _, x: x * 0.9), pictures).faulty == ()
