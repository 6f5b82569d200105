"""Arrays of every shape: pictures, volumes, video and float maps, and what is said of those that are none."""

import json

import numpy as np
import pytest
import torch

from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.signals.arrays import split
from uncheck.signals.signal import Given

RANDOM = np.random.default_rng(7)


def cube(*shape, step=None, amplitude=8.0):
    """Noise with a checkerboard over all axes, or with a wave of that period along the first."""
    grid = np.indices(shape)
    wave = (-1.0) ** grid.sum(axis=0) if step is None else np.cos(2 * np.pi * grid[0] / step)
    return 128 + RANDOM.normal(size=shape) * 6 + amplitude * wave


def taken(shape, *, codec=None, dtype=float, **given):
    return [(raw.kind, raw.array.shape) for raw in split(np.zeros(shape, dtype), "a", Given(**given), codec)]


@pytest.mark.parametrize(
    ("shape", "given", "expected"),
    [
        ((20, 30), {}, [("picture", (20, 30, 1))]),
        ((20, 30, 3), {}, [("picture", (20, 30, 3))]),
        ((3, 20, 30), {}, [("picture", (20, 30, 3))]),
        ((4, 20, 30), {}, [("picture", (20, 30, 3))]),
        ((20, 30, 2), {}, [("picture", (20, 30, 2))]),
        ((5, 20, 30), {}, [("volume", (5, 20, 30, 1))]),
        ((2, 20, 30, 3), {}, [("picture", (20, 30, 3))] * 2),
        ((2, 3, 20, 30), {}, [("picture", (20, 30, 3))] * 2),
        ((2, 20, 30, 3), {"codec": "NPY"}, [("picture", (20, 30, 3))] * 2),
        ((6, 20, 30, 3), {"codec": "NPY"}, [("video", (6, 20, 30, 3))]),
        ((6, 3, 20, 30), {"codec": "NPY"}, [("video", (6, 20, 30, 3))]),
        ((1, 3, 20, 30), {"codec": "NPY"}, [("picture", (20, 30, 3))]),
        ((2, 1, 5, 20, 30), {}, [("volume", (5, 20, 30, 1))] * 2),
        ((2, 3, 5, 20, 30), {}, [("video", (5, 20, 30, 3))] * 2),
        ((5, 20, 30), {"kind": "pictures"}, [("picture", (20, 30, 1))] * 5),
        ((3, 20, 30), {"kind": "pictures"}, [("picture", (20, 30, 3))]),
        ((3, 20, 30), {"kind": "frames"}, [("picture", (20, 30, 1))] * 3),
        ((6, 20, 30, 3), {"kind": "frames", "codec": "NPY"}, [("picture", (20, 30, 3))] * 6),
        ((4, 20, 30), {"kind": "volume"}, [("volume", (4, 20, 30, 1))]),
        ((2, 20, 30), {"kind": "volume"}, [("picture", (20, 30, 1))] * 2),
        ((1, 20, 30), {"kind": "volume"}, [("picture", (20, 30, 1))]),
        ((3, 6, 20, 30), {"kind": "volume"}, [("video", (6, 20, 30, 3))]),
        ((6, 20, 30, 1), {"kind": "volume"}, [("volume", (6, 20, 30, 1))]),
        ((900,), {"rate": 8000.0}, [("audio", (900,))]),
        ((2, 900), {"rate": 8000.0}, [("audio", (900, 2))]),
        ((900, 2), {"kind": "audio"}, [("audio", (900, 2))]),
        ((4, 1, 900), {"rate": 8000.0}, [("audio", (900, 1))] * 4),
    ],
)
def test_shapes_are_taken_as_the_documentation_says(shape, given, expected):
    assert taken(shape, **given) == expected


@pytest.mark.parametrize(
    ("shape", "kind", "message"),
    [
        (
            (900,),
            None,
            r"a: shape \(900,\) is not a picture; give .* --as: pictures, frames, volume or audio",
        ),
        ((), None, r"a: shape \(\) is not a picture"),
        ((2, 2, 2, 2, 2, 2), None, "is not a picture"),
        ((9, 9), "volume", r"a: shape \(9, 9\) is not a volume; give \(D, H, W\) or \(D, H, W, C\)"),
        ((6, 7, 8, 9), "volume", r"a: shape \(6, 7, 8, 9\) has no axis of at most 4 channels"),
        ((6, 7, 8, 9), None, r"a\[0\]: shape \(7, 8, 9\) is not a picture"),
        ((6, 7, 8, 9), "frames", r"a\[0\]: shape \(7, 8, 9\) is not a picture"),
        ((900,), "frames", r"a: shape \(900,\) is not a picture"),
        ((2, 2, 2, 900), "audio", r"a: shape \(2, 2, 2, 900\) is not audio; give \(n,\), \(C, n\) or"),
        ((0, 9), None, r"a: expected numbers, got an array of shape \(0, 9\)"),
        ((9, 9), "film", "kind 'film' is not known; choose from pictures, frames, volume, audio"),
    ],
)
def test_shapes_that_are_nothing(shape, kind, message):
    with pytest.raises(UncheckError, match=message):
        taken(shape, kind=kind)


def test_alpha_is_dropped_and_flow_kept():
    assert taken((20, 30, 4))[0][1] == (20, 30, 3)
    assert taken((20, 30, 2), dtype=np.uint8)[0][1] == (20, 30, 1)
    assert taken((2, 20, 30), dtype=np.float32)[0][1] == (20, 30, 2)
    assert taken((6, 20, 30, 2), codec="NPY", dtype=np.float32)[0][1] == (6, 20, 30, 2)


def test_a_volume_has_periods_along_its_depth():
    (image,) = measure(cube(24, 32, 40, step=4), span=(0, 255)).images
    assert (image.kind, image.verdict) == ("volume", "lattice")
    assert [c.period for c in image.found.present] == [(4, 1, 1)]
    assert image.strength == pytest.approx(8, abs=0.5)
    (image,) = measure(cube(24, 32, 40), span=(0, 255)).images
    assert [c.period for c in image.found.present] == [(2, 2, 2)]
    assert image.found.present[0].amplitude == pytest.approx(8, abs=0.5)


def test_video_has_periods_in_time_that_no_frame_shows():
    film = np.repeat(cube(24, 32, 40, step=4)[..., None], 3, axis=-1)
    (whole,) = measure(film, kind="volume", span=(0, 255)).images
    assert (whole.kind, [c.period for c in whole.found.present]) == ("video", [(4, 1, 1)])
    frames = measure(film, kind="frames", span=(0, 255))
    assert [i.path for i in frames.images] == [f"array[{i}]" for i in range(24)]
    assert frames.verdict == "clean"


def test_long_periods_are_not_tried_in_volumes():
    (image,) = measure(cube(24, 32, 40), periods=[2, 16, 17, 64], span=(0, 255)).images
    assert image.found.tested == (2,)
    assert image.found.not_tested == (16, 17, 64)
    assert image.to_dict()["not_tested"] == [16, 17, 64]


def test_slices_that_differ_at_random_are_no_lattice():
    for seed in range(5):
        random = np.random.default_rng(seed)
        slices = random.normal(128, 3, (32, 32, 32)) + random.normal(size=(32, 1, 1)) * 5
        assert measure(slices, span=(0, 255), threshold=0).verdict == "clean"


def test_what_was_assumed_is_said():
    assert measure(cube(8, 16, 16)).images[0].notes == (
        "Shape (8, 16, 16) was taken as a volume (depth, height, width); "
        "with --as pictures each plane is measured on its own.",
    )
    assert measure(cube(8, 16, 16), kind="volume").images[0].notes == ()
    (single,) = measure(cube(1, 32, 32), kind="volume").images
    assert (single.kind, single.verdict, single.path) == ("picture", "lattice", "array")
    assert single.notes == ("A volume with a single slice was measured as a picture.",)
    thin = measure(cube(3, 32, 32), kind="volume").images
    assert [i.path for i in thin] == ["array[0]", "array[1]", "array[2]"]
    assert thin[0].notes == ("A volume of fewer than 4 slices was measured slice by slice.",)


def test_volumes_of_a_network_and_tensors_of_any_precision():
    volume = torch.tensor(cube(1, 16, 24, 24) / 255)[None]
    expected = measure(volume).images[0]
    assert (expected.path, expected.kind, expected.verdict) == ("array[0]", "volume", "lattice")
    for precision in (torch.float32, torch.float16, torch.bfloat16):
        got = measure(volume.to(precision)).images[0]
        assert got.strength == pytest.approx(expected.strength, rel=0.02)


def test_units():
    depth = 1.5 + 0.2 * RANDOM.random((64, 64)) + 0.01 * (-1.0) ** np.add.outer(np.arange(64), np.arange(64))
    made = measure(depth, unit="m").to_dict()["images"][0]
    assert made["unit"] == "m"
    assert made["range"] == [depth.min(), depth.max()]
    (component,) = made["lattice"]
    assert component["amplitude_in_unit"] == pytest.approx(0.01, rel=0.1)
    assert component["amplitude"] == pytest.approx(0.01 / np.ptp(depth) * 255, rel=0.1)
    stated = measure(depth, unit="m", span=(0, 10)).to_dict()["images"][0]
    assert stated["range"] == [0, 10]
    assert stated["traces"][0]["amplitude_in_unit"] == pytest.approx(0.01, rel=0.1)
    metres = measure(40 * depth, unit="m").images[0]
    assert metres.span == (40 * depth.min(), 40 * depth.max())
    assert "unit" not in measure(depth).to_dict()["images"][0]
    assert measure(np.full((16, 16), 3.0), unit="m").verdict == "clean"


def test_holes_in_a_map_are_masked_and_said():
    depth = 20 + RANDOM.random((32, 32))
    depth[3, 4] = np.nan
    (image,) = measure(depth, unit="m").images
    assert image.notes == ("1 of 1024 pixels hold no value (NaN or infinite) and are masked.",)
    assert image.span == (np.nanmin(depth), np.nanmax(depth))
    (image,) = measure(np.stack([depth] + [20 + RANDOM.random((32, 32))] * 7), kind="volume", unit="m").images
    assert image.notes == ("1 of 8192 pixels hold no value (NaN or infinite) and are masked.",)


def test_a_bad_one_of_a_batch_is_listed():
    batch = np.stack([cube(32, 32), np.full((32, 32), np.nan), cube(32, 32)])[..., None]
    result = measure(batch)
    assert [i.path for i in result.images] == ["array[0]", "array[2]"]
    assert result.errors == (
        ("array[1]", "array[1]: 1024 of 1024 values are NaN or infinite; mask or replace them first"),
    )


def test_pictures_have_their_own_range_and_frames_one_for_all():
    dark, bright = cube(32, 32) / 255 * 0.1, cube(32, 32) / 2.55 * 3
    both = np.stack([dark, bright])
    frames = measure(both, kind="frames").images
    alone = measure(both[..., None], kind="pictures").images
    assert frames[0].span == frames[1].span
    assert alone[0].span == (dark.min(), dark.max())  # a small part of 0..1
    assert alone[1].span == (0.0, 255.0)


def test_the_new_keys_are_json():
    for values in (cube(8, 16, 16), cube(16, 16)):
        made = measure(values, unit="K").to_dict()
        assert json.loads(json.dumps(made, allow_nan=False)) == made
        assert {"kind", "range", "unit", "notes"} <= set(made["images"][0])
        assert "sample_rate" not in made["images"][0]
    sound = measure(RANDOM.normal(size=2000), rate=8000).to_dict()
    assert json.loads(json.dumps(sound, allow_nan=False)) == sound


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mosaic": (64,)}, r"mosaic \(64,\) is not a tile size; give \(height, width\) in pixels"),
        ({"mosaic": "ab"}, "mosaic ab is not a tile size"),
        ({"span": (1,)}, r"range \(1,\) is not two finite numbers; give \(lowest, highest\)"),
        ({"span": (0, float("inf"))}, r"range \(0, inf\) is not two finite numbers"),
        ({"span": (2, 1)}, r"range 2,1 is empty; give the lowest value first"),
        ({"rate": "fast"}, "sample rate fast is not possible; give samples per second, above 0"),
    ],
)
def test_options_of_the_wrong_kind(options, message):
    with pytest.raises(UncheckError, match=message):
        measure(cube(16, 16), **options)


def test_a_volume_tried_at_long_periods_only():
    (image,) = measure(cube(8, 16, 16), periods=[32, 64]).images
    assert (image.verdict, image.found.tested, image.found.not_tested) == ("clean", (), (32, 64))
