"""`uncheck measure`: pictures in, verdicts out, bad files named."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

import uncheck.measuring  # noqa: F401 -- so that its modules can be found


def test_the_fixed_keys(pictures, run_json):
    code, said = run_json("measure", "shots/b-grid.png")
    assert code == 1
    (image,) = said["images"]
    assert said["schema"] == "uncheck.measure/1"
    assert (image["path"], image["verdict"], image["rival"]) == ("shots/b-grid.png", "lattice", None)
    (found,) = image["lattice"]
    assert found["period"] == [2, 2]
    assert found["amplitude"] == pytest.approx(6, abs=0.3)
    assert found["p_value"] < 1e-6
    assert image["strength"] == pytest.approx(found["amplitude"])


def test_a_clean_picture_exits_with_0(pictures, run_json):
    code, said = run_json("measure", "shots/a-clean.png")
    assert code == 0
    (image,) = said["images"]
    assert (image["verdict"], image["lattice"], image["strength"]) == ("clean", [], 0)


def test_in_a_folder_the_bad_file_is_named_and_the_rest_measured(pictures, run):
    code, out, err = run("measure", "shots", "--format", "json")
    said = json.loads(out)
    assert code == 2
    assert [i["path"] for i in said["images"]] == ["shots/a-clean.png", "shots/b-grid.png"]
    assert [e["path"] for e in said["errors"]] == ["shots/c-damaged.png"]
    assert err.startswith("error: shots/c-damaged.png: damaged or truncated picture")
    assert len(err.splitlines()) == 1


def test_odd_things_with_a_picture_s_name_do_not_stop_a_folder(pictures, run):
    # Planted: the folder was listed, and each of its names taken for a glob once more.
    shots = pictures / "shots"
    (shots / "c-damaged.png").unlink()
    (shots / "d[1].png").mkdir()
    (shots / "e[x].png").symlink_to("gone")
    os.mkfifo(shots / "f.png")
    np.save(shots / "g.npy", np.ones((8, 8)).astype(object), allow_pickle=True)
    code, out, _ = run("measure", "shots", "--format", "json")
    said = json.loads(out)
    assert code == 2
    assert [i["path"] for i in said["images"]] == ["shots/a-clean.png", "shots/b-grid.png"]
    assert [e["error"].split(": ", 1)[1][:20] for e in said["errors"]] == [
        "is a folder, not a p",
        "no such file; check ",
        "is a pipe, socket or",
        "holds pickled object",
    ]


def test_whatever_goes_wrong_with_a_file_has_its_name(pictures, run, monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(sys.modules["uncheck.measuring.measure"], "measure_signal", fails)
    code, _, err = run("measure", "shots/a-clean.png", "shots/b-grid.png")
    assert code == 2
    assert err.startswith("error: shots/a-clean.png: MemoryError (no message); please report it")


def test_a_pattern_without_files_does_not_stop_the_others(pictures, run):
    code, out, err = run("measure", "x*.png", "shots/a-clean.png", "gone.png")
    assert code == 2
    assert out.startswith("What: 3 pictures: 1 clean and 2 not measured.")
    assert [line.split(":")[1] for line in err.splitlines()] == [" x*.png", " gone.png"]


def test_a_rival_exits_with_0(pictures, run_json, monkeypatch):
    monkeypatch.setattr(sys.modules["uncheck.measuring.one_signal"], "name_rival", lambda *_, **__: "jpeg")
    code, said = run_json("measure", "shots/b-grid.png")
    assert code == 0
    assert (said["images"][0]["verdict"], said["images"][0]["rival"]) == ("rival", "jpeg")


def test_periods_threshold_and_range_are_used(pictures, run_json):
    assert run_json("measure", "shots/b-grid.png", "--periods", "3,5-7")[1]["images"][0]["lattice"] == []
    code, said = run_json("measure", "shots/b-grid.png", "--threshold", "10")
    assert (code, said["images"][0]["verdict"]) == (0, "clean")
    y, x = np.mgrid[:64, :64]
    np.save("x.npy", 0.1 * (-1.0) ** (x + y) + np.random.default_rng(0).normal(0, 0.01, x.shape))
    amplitudes = [
        run_json("measure", "x.npy", "--range", span)[1]["images"][0]["strength"] for span in ("-1,1", "-2,2")
    ]
    assert amplitudes == pytest.approx([12.75, 6.375], rel=0.02)


def test_exit_zero_forgives_findings_but_not_errors(pictures, run):
    assert run("measure", "shots/b-grid.png", "--exit-zero")[0] == 0
    assert run("measure", "shots", "--exit-zero")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("gone.png",), "gone.png: no such file; check the path"),
        (("shots/c-damaged.png",), "shots/c-damaged.png: damaged or truncated picture"),
        (("empty",), "empty: no pictures in this folder"),
        (("shots", "--periods", "16-2"), "--periods '16-2' runs backwards at 16-2; write 2-16"),
        (("shots", "--periods", "two"), "--periods 'two' is not understood; write it like 2-16 or 2,4,8"),
        (("shots", "--periods", "1-4"), "period 1 cannot be tested"),
        (("shots", "--range", "1,-1"), "--range '1,-1' is empty or reversed; give the lower value first"),
        (("shots", "--range", "0"), "--range '0' is not two numbers; write it like -1,1"),
        (("shots", "--range", "0,inf"), "--range '0,inf' is not finite"),
        (("shots", "--threshold", "-1"), "--threshold -1 is not a number of grey levels; give 0 or more"),
        (("shots", "--threshold", "nan"), "--threshold nan is not a number of grey levels"),
        (("shots", "-o", "no/x.json"), "-o no/x.json lies in no folder that exists; make no first"),
        (("shots", "-o", "shots"), "-o shots is a folder; name a file in it"),
        (("shots", "--periods", "2-65"), "period 65 is too long for pictures; give at most 64 pixels"),
        (
            ("shots", "--periods", "2,5000"),
            "period 5000 is too long; give at most 64 pixels for pictures, 4096",
        ),
        (("shots", "--mosaic", "64x"), "--mosaic '64x' is not a size; write it like 64, or 64x48 for height"),
        (("shots", "--mosaic", "0"), "mosaic tiles of 0 x 0 pixels with gaps of 0 are not possible"),
        (("shots", "--mosaic", "8", "--gap", "-1"), "with gaps of -1 are not possible"),
        (("shots/b-grid.png", "--mosaic", "50"), "96 x 96 pixels are not a mosaic of tiles of 50 x 50"),
        (("shots/b-grid.png", "--rate", "8000"), "b-grid.png: is a picture and has no sample rate"),
        (("shots", "--rate", "0"), "sample rate 0 is not possible; give samples per second, above 0"),
        (("shots", "--as", "volume", "--rate", "1"), "a sample rate goes with audio, not with volume"),
        (("shots", "--as", "film"), "'film' is not one of 'pictures', 'frames', 'volume', 'audio'"),
        (("shots", "--audible", "nan"), "audible nan is not a level; give decibels, such as -60"),
        ((), "missing argument"),
    ],
)
def test_errors_are_one_sentence(pictures, fails, arguments, expected):
    (pictures / "empty").mkdir()
    assert expected in fails("measure", *arguments)


def test_text_named_png_and_other_bad_pictures(pictures, fails):
    (pictures / "note.png").write_text("hello")
    assert "note.png: not a picture" in fails("measure", "note.png")
    Image.fromarray(np.zeros((3, 3), np.uint8)).save("tiny.png")
    assert "tiny.png" in fails("measure", "tiny.png")
    np.save("nan.npy", np.full((32, 32), np.nan))
    assert "nan.npy: 1024 of 1024 values are NaN or infinite" in fails("measure", "nan.npy")


def test_a_constant_picture_is_clean(pictures, run_json):
    Image.fromarray(np.full((64, 64), 200, np.uint8)).save("flat.png")
    code, said = run_json("measure", "flat.png")
    assert (code, said["images"][0]["verdict"]) == (0, "clean")


def test_audio(pictures, run_json, run):
    clock = np.arange(16000)
    noise = np.random.default_rng(0).normal(size=len(clock)) * 1000
    wavfile.write("a.wav", 16000, (noise + 100 * np.cos(2 * np.pi * clock / 4)).astype(np.int16))
    code, said = run_json("measure", "a.wav")
    (sound,) = said["images"]
    assert code == 1
    assert (sound["kind"], sound["sample_rate"], sound["verdict"]) == ("audio", 16000, "lattice")
    (component,) = sound["lattice"]
    assert (component["period"], component["frequency_hz"]) == ([4], [4000])
    assert component["db"] == pytest.approx(-23, abs=1)
    code, said = run_json("measure", "a.wav", "--audible", "-10")
    assert (code, said["images"][0]["verdict"], len(said["images"][0]["traces"])) == (0, "clean", 1)
    code, out, _ = run("measure", "a.wav")
    assert out.startswith("What: Tones of period 4 samples (4000 Hz): -2")
    assert "Tones of period 4 samples (4000 Hz): -22 dB" in out
    assert run_json("measure", "a.wav", "--periods", "1000-1024")[1]["images"][0]["not_tested"] != []


def test_volumes_frames_and_units(pictures, run_json, run):
    grid = np.indices((12, 32, 32))
    values = 3 + np.random.default_rng(0).normal(size=grid[0].shape) * 0.1 + 0.2 * (-1.0) ** grid.sum(axis=0)
    np.save("v.npy", values)
    code, said = run_json("measure", "v.npy", "--unit", "m")
    (volume,) = said["images"]
    assert (code, volume["kind"], volume["unit"]) == (1, "volume", "m")
    assert volume["range"] == [values.min(), values.max()]
    assert volume["lattice"][0]["period"] == [2, 2, 2]
    assert volume["lattice"][0]["amplitude_in_unit"] == pytest.approx(0.2, rel=0.05)
    assert volume["notes"][0].startswith("Shape (12, 32, 32) was taken as a volume")
    _, said = run_json("measure", "v.npy", "--as", "frames")
    assert [(i["path"], i["kind"]) for i in said["images"]] == [(f"v.npy[{i}]", "picture") for i in range(12)]
    _, out, _ = run("measure", "v.npy", "--unit", "m")
    assert out.startswith("What: Grid of period 2, strong: ")
    assert "(0.2" in out
    assert "v.npy: Shape (12, 32, 32) was taken" in run("measure", "v.npy", "-v")[1]


def test_mosaics(pictures, run_json):
    code, said = run_json("measure", "shots/b-grid.png", "--mosaic", "48x32")
    assert code == 1
    assert [i["path"] for i in said["images"]] == [f"shots/b-grid.png[{i}]" for i in range(6)]
    assert {i["verdict"] for i in said["images"]} == {"lattice"}


def test_a_damaged_sound_among_pictures(pictures, run):
    (pictures / "shots" / "c-damaged.png").unlink()
    (pictures / "shots" / "d.wav").write_bytes(b"no sound")
    code, out, err = run("measure", "shots")
    assert code == 2
    assert err.startswith("error: shots/d.wav: damaged, truncated or not a WAV file")
    assert out.startswith("What: 3 pictures: 1 with a grid, 1 clean and 1 not measured.")


def test_a_picture_is_never_overwritten_by_its_report(pictures, fails):
    before = Path("shots/b-grid.png").read_bytes()
    for paths in (("shots/b-grid.png",), ("shots",)):
        said = fails("measure", *paths, "-o", "shots/b-grid.png")
        assert "-o shots/b-grid.png is one of the files to read and would be lost" in said
    assert Path("shots/b-grid.png").read_bytes() == before


def test_folders_are_walked_and_what_is_passed_over_is_said(pictures, run):
    dated = pictures / "outputs" / "2026-11-30"
    dated.mkdir(parents=True)
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(dated / "a.png")
    (dated / "workflow.json").write_text("{}")
    code, out, _ = run("measure", "outputs", "-v")
    assert code == 0
    assert "2026-11-30/a.png" in out
    assert "Passed over in folders: 1 other file." in out
