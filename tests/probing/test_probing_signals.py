"""Probe signals, shuffled weights and the user's inputs."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from uncheck.errors import UncheckError
from uncheck.probing import load_input, made_up, probe_signals, random_weights
from uncheck.probing.forward import levels, output_range
from uncheck.probing.inputs import is_white
from uncheck.reading import spatial_output


def test_probe_signals_stay_in_the_range_of_the_example():
    example = torch.rand(2, 3, 8, 10) * 4 - 1
    signals = probe_signals(example)
    assert list(signals) == ["dark", "mean", "bright", "noise", "ramp"]
    for signal in signals.values():
        assert signal.shape == example.shape
        assert signal.min() >= example.min()
        assert signal.max() <= example.max() + 1e-6
    for name in ("dark", "mean", "bright"):
        assert float(signals[name].std(dim=(2, 3)).max()) < 1e-6
    assert torch.equal(signals["ramp"][0, 0, 0].sort().values, signals["ramp"][0, 0, 0])


def test_white_noise_is_told_from_pictures():
    assert is_white(torch.randn(1, 3, 32, 32))
    assert is_white(torch.rand(1, 4, 100))
    assert not is_white(made_up((1, 3, 64, 64)))
    assert not is_white(torch.ones(1, 3, 32, 32))
    assert not is_white(torch.randn(16, 100))


def test_codes_get_no_ramp():
    assert list(probe_signals(torch.randn(4, 16))) == ["mean", "noise"]


def test_made_up_pictures_have_a_natural_spectrum_and_are_the_same_each_time():
    picture = made_up((1, 3, 64, 64))
    assert torch.equal(picture, made_up((1, 3, 64, 64)))
    assert 0 <= picture.min() < 0.3 < 0.7 < picture.max() <= 1
    power = torch.fft.fft2(picture - picture.mean()).abs().square().mean(dim=(0, 1))
    assert power[1, 1] > 100 * power[20, 20]
    codes = made_up((8, 100))
    assert abs(float(codes.mean())) < 0.1
    assert abs(float(codes.std()) - 1) < 0.1


def test_random_weights_shuffle_and_come_back_bit_for_bit():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    identity = [p.data_ptr() for p in model.parameters()]

    def fail_while_shuffled():
        with random_weights(model):
            shuffled = model[0].weight
            assert not torch.equal(shuffled, before["0.weight"])
            assert torch.equal(shuffled.flatten().sort().values, before["0.weight"].flatten().sort().values)
            assert torch.equal(model[0].bias, before["0.bias"])
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail_while_shuffled()
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert [p.data_ptr() for p in model.parameters()] == identity


def test_random_weights_keep_old_style_weight_norm():
    model = torch.nn.utils.weight_norm(nn.ConvTranspose1d(2, 2, 4, 2))
    x = torch.randn(1, 2, 9)
    with torch.no_grad():
        before = model(x)
        with random_weights(model):
            assert not torch.allclose(model(x), before, rtol=1e-3, atol=1e-3)
        assert torch.equal(model(x), before)


def test_inputs_from_pictures_folders_and_arrays(tmp_path):
    for i, size in enumerate([(40, 50), (36, 64)]):
        Image.fromarray(np.full((*size, 3), 51 * i, np.uint8)).save(tmp_path / f"{i}.png")
    one = load_input(str(tmp_path / "1.png"), None)[0]
    assert one.shape == (1, 3, 32, 64)
    torch.testing.assert_close(one.mean(), torch.tensor(0.2), rtol=0, atol=1e-6)
    assert load_input(str(tmp_path), None)[0].shape == (2, 3, 32, 48)
    assert load_input(str(tmp_path), (1, 1, 20, 20))[0].shape == (2, 1, 20, 20)
    assert float(load_input(str(tmp_path / "1.png"), None, (-1.0, 1.0))[0].max()) == pytest.approx(
        -0.6, abs=1e-6
    )
    np.save(tmp_path / "a.npy", np.zeros((2, 5)))
    assert load_input(str(tmp_path / "a.npy"), None)[0].dtype == torch.float32
    assert load_input(str(tmp_path / "a.npy"), (1, 10))[0].shape == (1, 10)


def test_inputs_that_cannot_be_read_say_so(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "nan.npy", np.array([np.nan, 1.0]))
    (tmp_path / "f.py").write_text("def broken():\n    return 1 / 0\ndef text():\n    return 'x'\n")
    cases = [
        ((None, None), "no input given"),
        ((str(tmp_path / "none.npy"), None), "no such file"),
        ((str(tmp_path / "o.npy"), None), "holds pickled objects or no array"),
        ((str(tmp_path / "nan.npy"), None), "1 of 2 values are NaN"),
        ((str(tmp_path / "none.png"), None), "no such file"),
        ((f"{tmp_path}/f.py:broken", None), "raised ZeroDivisionError"),
        ((f"{tmp_path}/f.py:text", None), "returned str"),
    ]
    for arguments, message in cases:
        with pytest.raises(UncheckError, match=message):
            load_input(*arguments)


@pytest.mark.parametrize(
    ("output", "ndim", "shape"),
    [
        (torch.zeros(2, 3, 8, 8), 2, (2, 3, 8, 8)),
        (torch.zeros(3, 8, 8), 2, (1, 3, 8, 8)),
        (torch.zeros(5, 8, 8), 2, (5, 1, 8, 8)),
        (torch.zeros(8, 8), 2, (1, 1, 8, 8)),
        (torch.zeros(2, 8, 9, 3), 2, (2, 3, 8, 9)),
        ({"count": torch.zeros(2), "picture": [torch.zeros(2, 1, 8, 8)]}, 2, (2, 1, 8, 8)),
        ((torch.zeros(2, 1, 100),), 1, (2, 1, 100)),
        (torch.zeros(2, 100), 1, (2, 1, 100)),
    ],
)
def test_outputs_of_many_forms_become_one(output, ndim, shape):
    assert spatial_output(output, ndim).shape == shape


def test_outputs_that_use_little_of_a_range_are_measured_against_their_own():
    noise = torch.rand(1, 1, 64, 64)
    assert output_range(noise.numpy()) == (0.0, 1.0)
    faint = (0.5 + 0.02 * noise).numpy()
    assert output_range(faint) == (float(faint.min()), float(faint.max()))
    rounding = (0.5 + 1e-6 * noise).numpy()
    assert output_range(rounding) == (0.0, 1.0)
    narrow = (0.5 + 1e-5 * noise).numpy()  # a sigmoid before training
    assert output_range(narrow) == (float(narrow.min()), float(narrow.max()))
    assert levels((0.5 + 1e-3 * noise).half(), None)[1] == (0.0, 1.0)


def test_output_without_positions_or_with_nan():
    assert spatial_output(torch.zeros(2, 10), 2, strict=True) is None
    assert spatial_output(torch.zeros(1, 197, 768), 2, strict=True) is None
    with pytest.raises(UncheckError, match="1 of 16 output values are NaN or infinite"):
        levels(torch.tensor([float("nan")] + [0.0] * 15).reshape(1, 1, 4, 4), None)


@pytest.mark.parametrize("share", [0.04, 0.1, 0.2, 0.6])
def test_outputs_of_tanh_and_of_a_sigmoid_have_ranges_alike(share):
    # Planted: a tenth of -1..1, as tanh leaves it, was measured against 0..1, a tenth of that against itself.
    drawn = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 3, 64, 64)) * share
    ends, lower = output_range((0.5 + drawn).astype(np.float32)), output_range((2 * drawn).astype(np.float32))
    assert 2 * (ends[1] - ends[0]) == pytest.approx(lower[1] - lower[0], rel=1e-5)
    assert (ends == (0.0, 1.0)) == (share > 1 / 8)


def test_overshoot_below_0_leaves_the_range():
    drawn = np.random.default_rng(0).uniform(-0.05, 0.9, (1, 3, 64, 64))
    assert output_range(drawn.astype(np.float32)) == (0.0, 1.0)
