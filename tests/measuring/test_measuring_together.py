"""`measure(together=True)`: one verdict for all outputs of one network, in groups of one size."""

import json

import numpy as np
import pytest
from PIL import Image

import released
from tiers import cases
from uncheck.cli import main
from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.measuring.together import LOOKED_AT, Together
from uncheck.signals.signal import Signal

SHAPE = (64, 64)
CHECKS = ((-1.0) ** np.add.outer(np.arange(128), np.arange(128)))[..., None]


def outputs(count, shape=SHAPE, amplitude=0.0, seed=1, sigma=12.0):
    values = np.random.default_rng(seed).normal(128, sigma, (count, *shape, 3))
    values += amplitude * CHECKS[: shape[0], : shape[1]]
    return [np.clip(np.rint(v), 0, 255).astype(np.uint8) for v in values]


def save(folder, pictures, suffix="png", **options):
    folder.mkdir(exist_ok=True)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{suffix}{i:03}.{suffix}", **options)
    return folder


@pytest.mark.integration
def test_a_set_is_judged_as_one():
    pictures = outputs(40, amplitude=0.25)
    alone = measure(pictures)
    assert alone.verdict == "clean"
    assert alone.together is None
    assert "set" not in alone.to_dict()
    result = measure(pictures, together=True)
    assert {image.verdict for image in result.images} == {"clean"}
    assert result.verdict == result.together.verdict == "lattice"
    (group,) = result.together.groups
    assert (group.shape, group.count, group.rival) == ((64, 64, 3), 40, None)
    assert [c.period for c in group.found.present] == [(2, 2)]
    assert group.found.strength == pytest.approx(0.25, rel=0.2)
    assert result.together.found is group.found
    assert result.together.notes == ()


def test_keys():
    made = measure([*outputs(20, amplitude=1), *outputs(3, (48, 40))], together=True).to_dict()
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert {"path", "verdict", "rival", "lattice", "strength"} <= set(made["images"][0])
    whole = made["set"]
    assert set(whole) == {
        *("shape", "count", "verdict", "rival", "lattice", "strength", "traces", "not_tested"),
        *("limit", "groups", "notes"),
    }
    assert (whole["shape"], whole["count"], whole["verdict"], whole["rival"]) == (
        [64, 64],
        23,
        "lattice",
        None,
    )
    assert whole["lattice"][0]["period"] == [2, 2]
    assert {"period", "amplitude", "p_value"} <= set(whole["lattice"][0])
    assert [group["count"] for group in whole["groups"]] == [20, 3]


def test_mixed_sizes_are_groups():
    pictures = [*outputs(12), *outputs(30, (48, 56), amplitude=1.0), *outputs(5, (40, 40))]
    result = measure(pictures, together=True).together
    assert [(g.shape, g.count, g.verdict) for g in result.groups] == [
        ((48, 56, 3), 30, "lattice"),
        ((64, 64, 3), 12, "clean"),
        ((40, 40, 3), 5, "clean"),
    ]
    assert result.notes == ("3 sizes, measured in groups: images of different size share no grid.",)
    assert result.verdict == "lattice"


def test_grey_and_colour_of_one_size_are_groups():
    grey = [p[..., 0] for p in outputs(4)]
    result = measure([*outputs(5), *grey], together=True).together
    assert [g.shape for g in result.groups] == [(64, 64, 3), (64, 64, 1)]


def test_a_single_image_says_so():
    (picture,) = outputs(1, amplitude=3)
    result = measure(picture, together=True).together
    assert result.notes == ("A group of a single image is no set; its verdict has the reach of one image.",)
    assert result.verdict == "lattice"


def test_sounds_are_left_out():
    together = Together((2, 3, 4), 1e-3)
    values = np.random.default_rng(1).normal(size=(1000, 1)).astype(np.float32)
    together.add(Signal("a.wav", values, kind="audio", rate=8000.0))
    with pytest.raises(
        UncheckError, match="sounds have no common grid to be measured on together; leave out"
    ):
        together.result()
    for picture in outputs(3):
        together.add(Signal("picture", picture.astype(np.float32)))
    result = together.result()
    assert result.notes == ("1 sound was left out: only images and volumes form sets.",)
    assert result.verdict == "clean"
    with pytest.raises(UncheckError, match="sounds have no common grid"):
        measure(np.zeros((3, 1, 4000)) + values.T[:, :1], rate=8000.0, together=True)


def test_volumes_form_sets():
    values = np.random.default_rng(1).normal(128, 5, (10, 1, 20, 24, 22))
    z, y, x = np.indices((20, 24, 22))
    result = measure(values + 0.5 * (-1.0) ** (x + y + z), together=True, span=(0, 255)).together
    (group,) = result.groups
    assert (group.count, group.verdict) == (10, "lattice")
    assert group.found.present[0].period == (2, 2, 2)


def saved_as_jpeg(folder, amplitude, period):
    """Noise with stripes, saved at a quality that keeps them."""
    x = np.arange(128)
    stripes = amplitude * np.cos(2 * np.pi * x / period)[None, :, None]
    noisy = np.random.default_rng(3).normal(128, 6, (16, 128, 128, 1)).repeat(3, -1) + stripes
    pictures = [np.clip(np.rint(v), 0, 255).astype(np.uint8) for v in noisy]
    return save(folder, pictures, "jpg", quality=90)


@pytest.mark.parametrize(
    ("amplitude", "period", "verdict"),
    cases([(0.8, 8, "rival"), (5, 8, "lattice")], [(0.8, 4, "rival"), (0.8, 5, "lattice"), (0, 8, "clean")]),
)
def test_weak_stripes_of_eight_in_jpeg_pictures_are_a_rival(tmp_path, amplitude, period, verdict):
    result = measure(saved_as_jpeg(tmp_path / "jpeg", amplitude, period), together=True).together
    assert result.verdict == verdict
    assert result.groups[0].rival == ("jpeg" if verdict == "rival" else None)


@pytest.mark.integration
def test_the_same_stripes_without_jpeg_are_a_lattice(tmp_path):
    noisy = np.random.default_rng(3).normal(128, 6, (16, 128, 128, 3))
    stripes = 0.8 * np.cos(2 * np.pi * np.arange(128) / 8)[None, :, None]
    assert measure(noisy + stripes, span=(0, 255), together=True).together.verdict == "lattice"


@pytest.mark.parametrize(
    ("colour", "amplitude", "verdict"),
    [((-0.5, 0.4, -0.6), 0.3, "rival"), ((1, 1, 1), 0.3, "lattice"), ((-0.5, 0.4, -0.6), 4, "lattice")],
)
def test_what_a_camera_leaves_in_all_pictures_is_a_rival(colour, amplitude, verdict):
    values = np.random.default_rng(2).normal(128, 6, (20, 64, 64, 3)) + amplitude * CHECKS[:64, :64] * colour
    result = measure(values, span=(0, 255), together=True).together
    assert result.verdict == verdict
    assert result.groups[0].rival == ("bayer" if verdict == "rival" else None)


@pytest.mark.integration
def test_photographs_of_one_scanner_are_no_outputs_of_a_network():
    result = measure(released.photographs(), together=True).together
    assert [group.rival for group in result.groups] == ["bayer", "bayer"]
    assert result.verdict == "rival"


@pytest.mark.integration
def test_photographs_as_jpeg_have_no_lattice(tmp_path):
    rng, crops = np.random.default_rng(0), []
    for path in released.photographs() * 3:
        photo = Image.open(path).convert("RGB")
        photo = photo.resize([round(0.7 * n) for n in photo.size], Image.Resampling.LANCZOS)
        left, top = (int(rng.integers(0, n - 192)) for n in photo.size)
        crops.append(np.asarray(photo.crop((left, top, left + 192, top + 192))))
    for quality in (20, 50, 75, 90):
        folder = save(tmp_path / f"jpeg{quality}", crops, "jpg", quality=quality)
        assert measure(folder, together=True).together.verdict != "lattice"


def test_only_some_pictures_are_looked_at_for_blocks():
    together = Together((2,), 1e-3)
    for picture in outputs(LOOKED_AT + 4):
        together.add(Signal("picture", picture.astype(np.float32)))
    assert len(together._groups[64, 64, 3].blocky) == LOOKED_AT


def test_constant_and_tiny_images():
    flat = measure([np.full((40, 40, 3), v, np.uint8) for v in (0, 7, 255)], together=True)
    assert flat.verdict == "clean"
    assert flat.together.groups[0].count == 3
    tiny = measure(outputs(3, (4, 4)), together=True)
    assert tiny.together.groups[0].shape == (4, 4, 3)


@pytest.mark.integration
def test_a_lower_threshold_counts_for_sets_too():
    pictures = outputs(40, amplitude=0.3)
    assert measure(pictures, together=True, threshold=50).together.verdict == "lattice"
    assert measure(pictures, together=True, threshold=0.0).together.found.threshold == 0.0


def run(capsys, *arguments):
    code = main(["measure", *map(str, arguments)])
    return code, capsys.readouterr().out


@pytest.mark.integration
def test_set_option_of_the_command(tmp_path, capsys):
    dirty = save(tmp_path / "dirty", outputs(24, amplitude=0.25))
    clean = save(tmp_path / "clean", outputs(24, seed=2))
    code, said = run(capsys, "--set", dirty, "--format", "json")
    made = json.loads(said)
    assert code == 1
    assert made["set"]["verdict"] == "lattice"
    assert made["set"]["count"] == len(made["images"]) == 24
    assert {image["verdict"] for image in made["images"]} == {"clean"}
    assert run(capsys, dirty)[0] == 0
    assert run(capsys, "--set", dirty, "--exit-zero")[0] == 0
    code, said = run(capsys, "--set", clean, "--format", "json")
    assert (code, json.loads(said)["set"]["verdict"]) == (0, "clean")


def test_exit_code_is_that_of_the_set(tmp_path, capsys):
    mixed = save(tmp_path / "mixed", [*outputs(30), *outputs(1, amplitude=4, seed=9)])
    code, said = run(capsys, "--set", mixed, "--format", "json")
    made = json.loads(said)
    assert [image["verdict"] for image in made["images"]].count("lattice") == 1
    assert code == int(made["set"]["verdict"] == "lattice")


@pytest.mark.integration
def test_one_quiet_image_with_a_lattice_does_not_speak_for_the_set():
    busy = outputs(24, sigma=40.0)
    quiet = outputs(1, amplitude=3.0, seed=9, sigma=1.0)
    found = measure(quiet + busy, together=True).together
    assert found.verdict == "clean"
    assert (2, 2) in {c.period for c in found.found.traces}
    every = outputs(1, amplitude=3.0, seed=9, sigma=1.0) + outputs(24, amplitude=3.0, sigma=40.0)
    assert measure(every, together=True).together.verdict == "lattice"


def test_what_is_masked_does_not_count_in_a_set():
    y, x = np.indices(SHAPE)
    inside = (y - 32) ** 2 + (x - 32) ** 2 < 30**2
    hidden = np.where(inside, 0, 1)[..., None]

    def limit(amplitude, noise):
        pictures = outputs(8, amplitude=amplitude, sigma=3.0)
        rng = np.random.default_rng(2)
        alpha = np.where(inside, 255, 0).astype(np.uint8)
        mixed = [p + hidden * rng.integers(-noise, noise + 1, p.shape) for p in pictures]
        return measure([np.dstack([np.uint8(m), alpha]) for m in mixed], together=True).together

    quiet, loud = limit(0.0, 0), limit(0.0, 100)
    assert quiet.verdict == loud.verdict == "clean"
    assert loud.found.limits == quiet.found.limits
    assert limit(1.0, 100).verdict == "lattice"
