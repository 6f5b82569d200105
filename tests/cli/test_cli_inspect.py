"""`uncheck inspect`: a model by name in, the layer to blame out."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

SHAPE = ("--shape", "1,1,48,48")


def test_the_fixed_keys(models, run_json):
    code, said = run_json("inspect", "models.py:Grey", *SHAPE)
    assert code == 1
    assert (said["schema"], said["verdict"]) == ("uncheck.inspect/1", "lattice")
    assert len(said["range"]) == 2
    assert [c["period"] for c in said["lattice"]] == [[2, 2]]
    assert {"period", "amplitude", "p_value"} <= set(said["lattice"][0])
    (stage,) = said["stages"]
    assert (stage["name"], stage["kind"], stage["stride"], stage["kernel_size"]) == (
        "up",
        "transposed",
        [2, 2],
        [3, 3],
    )
    assert (stage["output_period"], stage["overlap"], stage["order"]) == ([2, 2], "uneven", 0)
    assert stage["gain_spread"] > 0
    assert stage["blame"] > 0.9
    assert set(said["operations"]) == {"handled", "ignored", "unsupported"}
    assert said["gradient"] is None


def test_a_clean_network_exits_with_0(models, run_json):
    code, said = run_json("inspect", "models.py:Clean", *SHAPE)
    assert (code, said["verdict"], said["lattice"]) == (0, "clean", [])
    assert [(s["kind"], s["overlap"], s["blame"]) for s in said["stages"]] == [("linear", "none", None)]


def test_what_the_model_prints_goes_to_stderr(models, run):
    code, out, err = run("inspect", "models.py:Grey", *SHAPE, "--format", "json")
    assert code == 1
    assert json.loads(out)["verdict"] == "lattice"
    assert "imported" in err
    assert "forward" in err


def test_text_names_the_layer_first(models, run):
    code, out, _ = run("inspect", "models.py:Grey", *SHAPE)
    assert code == 1
    assert out.startswith("What: Grid of period 2, strong: ")
    assert out.splitlines()[1].startswith("Why:  Made by `up` (ConvTranspose2d 3x3, stride 2): its kernel")
    assert "\x1b" not in out


def test_weights_are_loaded(models, run_json, fails):
    weight = torch.zeros(1, 1, 3, 3)
    weight[..., 1, 1] = weight[..., 1, 2] = weight[..., 2, 1] = weight[..., 2, 2] = 1
    save_file({"up.weight": weight, "up.bias": torch.zeros(1)}, "even.safetensors")
    code, said = run_json("inspect", "models.py:Grey", *SHAPE, "--weights", "even.safetensors")
    assert (code, said["stages"][0]["gain_spread"]) == (0, pytest.approx(0, abs=1e-6))
    assert said["weights"] == {
        "file": "even.safetensors",
        "key": None,
        "prefix": "",
        "tensors": 2,
        "unused": [],
    }
    save_file({"down.weight": weight}, "other.safetensors")
    message = fails("inspect", "models.py:Grey", "--weights", "other.safetensors")
    assert "other.safetensors does not fit Grey" in message
    assert "up.weight" in message
    assert "down.weight" in message


def test_the_text_says_which_weights_there_were(models, run, run_json):
    untrained = "Weights: none were given (--weights), so this is the network as its code makes it: untrained"
    _, out, _ = run("inspect", "models.py:Grey", *SHAPE)
    assert untrained in " ".join(out.split())
    assert run_json("inspect", "models.py:Grey", *SHAPE)[1]["weights"] is None
    state = {"up.weight": torch.ones(1, 1, 3, 3), "up.bias": torch.zeros(1)}
    torch.save({"params": state, "params_ema": state | {"up.bias": torch.ones(1)}, "iter": 5}, "w.pth")
    _, out, _ = run("inspect", "models.py:Grey", *SHAPE, "--weights", "w.pth")
    assert (
        "Weights: params_ema of w.pth, 2 tensors; they fit the network exactly. "
        "Not used: params (1 tensor)." in " ".join(out.split())
    )
    assert "untrained" not in out
    with (models / "models.py").open("a") as file:
        file.write(
            "def loads():\n    net = Grey()\n    net.load_state_dict(net.state_dict())\n    return net\n"
        )
    _, out, _ = run("inspect", "models.py:loads", *SHAPE)
    assert "Weights: none were given (--weights); the network's code loads weights itself." in out


@pytest.mark.integration
def test_without_input_a_colour_picture_is_made_up_then_a_grey_one(models, run):
    _, _, err = run("inspect", "models.py:Colour")
    assert "note: no --input and no --shape given; used a made-up 1,3,256,256" in err
    _, _, err = run("inspect", "models.py:Grey")
    assert "used a made-up 1,1,256,256" in err


def test_pictures_are_made_grey_for_a_network_of_one_channel(models, run):
    pixels = np.random.default_rng(0).integers(0, 255, (70, 66, 3), np.uint8)
    Image.fromarray(pixels).save("x.png")
    code, _, err = run("inspect", "models.py:Grey", "--input", "x.png")
    assert code == 1
    assert "note: the network takes no colour pictures; they were made grey" in err
    _, _, err = run("inspect", "models.py:Colour", "--input", "x.png")
    assert "note" not in err


def test_inputs_from_an_array_and_from_a_callable(models, run_json):
    np.save("x.npy", np.random.default_rng(0).random((1, 1, 48, 48), np.float32))
    assert run_json("inspect", "models.py:Grey", "--input", "x.npy")[0] == 1
    assert run_json("inspect", "models.py:Grey", "--input", "models.py:made")[0] == 1


def test_range_and_threshold_are_used(models, run_json):
    _, narrow = run_json("inspect", "models.py:Grey", *SHAPE, "--range", "0,1")
    _, wide = run_json("inspect", "models.py:Grey", *SHAPE, "--range", "0,2")
    assert (narrow["range"], wide["range"]) == ([0, 1], [0, 2])
    assert narrow["strength"] == pytest.approx(2 * wide["strength"], rel=1e-3)
    code, said = run_json("inspect", "models.py:Grey", *SHAPE, "--threshold", "1000")
    assert (code, said["verdict"], len(said["traces"])) == (0, "clean", 1)


def test_sound_at_a_rate_is_in_hertz_and_decibels(models, run, run_json):
    sound = ("inspect", "models.py:Sound", "--shape", "1,1,512", "--rate", "16000")
    _, said = run_json(*sound)
    (found,) = [c for c in said["lattice"] if c["period"] == [2]]
    assert found["frequency_hz"] == [8000.0]
    assert 0 < found["db"] < 40  # on flat colour, and louder than the example's noise
    _, out, _ = run(*sound)
    assert out.startswith(
        f"What: Tones of period 2 samples (8000 Hz): {found['db']:.0f} dB against the rest."
    )
    assert "grey level" not in out
    assert "pixel" not in out
    _, out, _ = run(*sound[:-2], "-v")
    assert "cycles/sample" in out
    assert "Hz" not in out


def test_gradient_when_asked(models, run_json):
    _, said = run_json("inspect", "models.py:Clean", *SHAPE, "--gradient")
    assert set(said["gradient"]) >= {"lattice", "strided"}


def test_exit_zero_and_output(models, run):
    code, out, _ = run("inspect", "models.py:Grey", *SHAPE, "--exit-zero", "-o", "r.txt")
    assert (code, out) == (0, "")
    assert (models / "r.txt").read_text().startswith("What: Grid ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("models.py",),
            "'models.py' names a file but no object in it: write models.py:name, such as models.py:Grey",
        ),
        (("model.py:Grey",), "there is no file model.py: did you mean models.py?"),
        (("models.py:Gray",), "models.py has no 'Gray': did you mean Grey?"),
        (("models.py:needs",), "models.py:needs needs width"),
        (
            ("models.py:Grey", "--shape", "1,0,8,8"),
            "--shape '1,0,8,8' has the size 0; every size must be at least 1",
        ),
        (("models.py:Grey", "--shape", "1,1,-8,8"), "--shape '1,1,-8,8' has the size -8"),
        (
            ("models.py:Grey", "--shape", "big"),
            "--shape 'big' is not a list of whole numbers; write it like 1,3,256,256",
        ),
        (
            ("models.py:Grey", "--range", "1,0"),
            "--range '1,0' is empty or reversed; give the lower value first",
        ),
        (("models.py:Grey", "--seconds", "0"), "--seconds 0 is not above 0; give an ordinary number"),
        (("models.py:Grey", "--rate", "nan"), "--rate nan is not above 0; give an ordinary number"),
        (
            ("models.py:Grey", "--periods", "2-5000"),
            "period 5000 is too long; give at most 64 pixels for pictures, 4096 samples for audio",
        ),
        (("models.py:Grey", *SHAPE, "--which", "depth"), "the network returns no output 'depth'"),
        (("models.py:Grey", "--periods", "2;4"), "--periods '2;4' is not understood; write it like 2-16"),
        (("models.py:Grey", "--input-range", "x"), "--input-range 'x' is not two numbers"),
        (("models.py:Grey", "--input", "gone.png"), "gone.png: no such file; check the path"),
        (("models.py:Grey", "--weights", "gone.pth"), "there is no weight file gone.pth: check the path"),
        (("models.py:Raises", "--shape", "1,3,16,16"), "Raises raised RuntimeError in 'inner'"),
        (("models.py:Bad", *SHAPE), "output values are NaN or infinite"),
        (("models.py:Bad",), "output values are NaN or infinite"),
        (
            ("models.py:Leaves", *SHAPE),
            "models.py:Leaves ended the program (sys.exit(0)); let it return instead",
        ),
        (("models.py:Grey", "--wieghts", "x"), "there is no option --wieghts; did you mean --weights?"),
    ],
)
def test_errors_are_one_sentence(models, fails, arguments, expected):
    assert expected in fails("inspect", *arguments)


def test_when_no_made_up_input_works_the_options_are_named(models, fails):
    message = fails("inspect", "models.py:Raises")
    assert message.startswith(
        "no --input and no --shape given, and neither 1,3,256,256 nor 1,1,256,256 works (Raises"
    )
    assert message.endswith("give the network's input with --input or --shape")


def test_a_pickle_is_refused(models, fails):
    torch.save(torch.nn.Linear(1, 1), "whole.pth")
    message = fails("inspect", "models.py:Grey", "--weights", "whole.pth")
    assert "unpickling it could run any code, so it was not loaded" in message


def test_a_failure_leaves_no_file(models, fails):
    fails("inspect", "models.py:Bad", *SHAPE, "-o", "r.json")
    assert sorted(p.name for p in models.iterdir() if p.is_file()) == ["models.py"]


def test_an_interruption_ends_with_130_and_without_a_file(models, run):
    code, out, _ = run("inspect", "models.py:Stops", *SHAPE, "-o", "r.json")
    assert (code, out) == (130, "")
    assert not (models / "r.json").exists()


def test_the_network_is_taken_from_a_package_too(models, run_json):
    (models / "zoo_of_one").mkdir()
    (models / "zoo_of_one" / "nets.py").write_text("import torch\nnet = torch.nn.Upsample(scale_factor=2)\n")
    try:
        code, said = run_json("inspect", "zoo_of_one.nets:net", *SHAPE)
    finally:
        for name in ("zoo_of_one", "zoo_of_one.nets"):
            sys.modules.pop(name, None)
    assert (code, said["stages"][0]["kind"]) == (0, "nearest")
