"""Files of many planes: multi-page TIFF, animations and arrays on disk, read as the right signals."""

import io

import numpy as np
import pytest
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.signals.files import read_signals
from uncheck.signals.signal import Given

RANDOM = np.random.default_rng(11)
CHECKS = (-1.0) ** np.indices((9, 32, 40)).sum(axis=0)
GREY = (128 + RANDOM.normal(size=CHECKS.shape) * 5 + 8 * CHECKS).clip(0, 255).astype(np.uint8)
COLOUR = np.stack([GREY, GREY, 255 - GREY], axis=-1)


def tiff(path, pages, **options):
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=rest, **options)
    return path


def signals(path, **given):
    return list(read_signals(str(path), Given(**given)))


@pytest.mark.parametrize(
    ("pages", "kind", "span"),
    [
        (GREY, "volume", (0, 255)),
        (COLOUR, "video", (0, 255)),
        (GREY.astype(np.uint16) * 257, "volume", (0, 65535)),
        (GREY.astype(np.float32) / 255, "volume", (0, 1)),
        (GREY.astype(np.float32), "volume", (0, 255)),
    ],
    ids=["8 bits", "colour", "16 bits", "float 0..1", "float 0..255"],
)
def test_pages_become_one_volume_or_video(tmp_path, pages, kind, span):
    (signal,) = signals(tiff(tmp_path / "a.tif", pages))
    assert (signal.kind, signal.codec, signal.span) == (kind, "TIFF", span)
    expected = COLOUR if kind == "video" else GREY[..., None]
    np.testing.assert_allclose(signal.values, expected, atol=1e-3)
    assert signal.notes == (
        f"Its 9 pages were taken as one {kind}; with --as pictures each page is measured on its own.",
    )
    (image,) = measure(tmp_path / "a.tif").images
    assert [c.period for c in image.found.present] == [(2, 2, 2)]


def test_compressed_and_bilevel_pages(tmp_path):
    (signal,) = signals(tiff(tmp_path / "a.tif", GREY, compression="tiff_lzw"))
    assert np.array_equal(signal.values[..., 0], GREY)
    (signal,) = signals(tiff(tmp_path / "b.tif", GREY > 128))
    assert np.array_equal(signal.values[..., 0], np.where(GREY > 128, 255, 0))


def test_the_kind_can_be_said(tmp_path):
    path = tiff(tmp_path / "a.tif", GREY)
    for kind in ("frames", "pictures"):
        found = signals(path, kind=kind)
        assert [s.name for s in found] == [f"{path}[{i}]" for i in range(9)]
        assert all(s.kind == "picture" and s.values.shape == (32, 40, 1) and not s.notes for s in found)
    assert [s.kind for s in signals(path, kind="volume")] == ["volume"]
    measured = measure(path, kind="frames")
    assert measured.verdict == "lattice"
    assert measured.images[0].found.present[0].period == (2, 2)


def test_pages_of_different_size_are_pictures_of_their_own(tmp_path):
    path = tiff(tmp_path / "a.tif", [GREY[0], GREY[1, :20], COLOUR[2]])
    found = signals(path)
    assert [s.values.shape for s in found] == [(32, 40, 1), (20, 40, 1), (32, 40, 3)]
    assert [s.name for s in found] == [f"{path}[{i}]" for i in range(3)]
    assert found[0].notes == (
        "Its pages have different sizes, so each was measured as a picture of its own.",
    )
    with pytest.raises(
        UncheckError, match=r"a\.tif: its pages have different sizes \(20 x 40, 32 x 40, 32 x 40"
    ):
        signals(path, kind="volume")


def test_a_single_page_is_a_picture(tmp_path):
    (signal,) = signals(tiff(tmp_path / "a.tif", GREY[:1]))
    assert (signal.kind, signal.notes) == ("picture", ())
    (signal,) = signals(tmp_path / "a.tif", kind="volume")
    assert signal.notes == ("A volume with a single slice was measured as a picture.",)
    (signal,) = signals(tmp_path / "a.tif", kind="frames")
    assert (signal.kind, signal.notes) == ("picture", ())


def test_float_tiff_takes_range_and_unit(tmp_path):
    depth = (2 + GREY[0] / 100).astype(np.float32)
    (signal,) = signals(tiff(tmp_path / "a.tif", [depth]), span=(0, 10), unit="m")
    assert (signal.span, signal.unit, signal.codec) == ((0, 10), "m", "TIFF")
    np.testing.assert_allclose(signal.values[..., 0], depth * 25.5, rtol=1e-5)
    assert signals(tmp_path / "a.tif", unit="m")[0].span == (float(depth.min()), float(depth.max()))
    depth[0, 0] = np.nan
    (signal,) = signals(tiff(tmp_path / "b.tif", [depth]))
    assert signal.notes == ("1 of 1280 pixels hold no value (NaN or infinite) and are masked.",)
    assert not signal.mask[0, 0]
    assert signal.mask.sum() == 1279
    assert np.isfinite(signal.values).all()


def test_sixteen_bit_grey_keeps_its_values(tmp_path):
    millimetres = (1500 + 2 * GREY[0].astype(np.uint16)).astype(np.uint16)
    for name in ("a.png", "a.tif"):
        Image.fromarray(millimetres).save(tmp_path / name)
        (signal,) = signals(tmp_path / name, unit="mm", span=(0, 65535))
        assert (signal.span, signal.source, signal.kind) == ((0, 65535), "given", "picture")
        np.testing.assert_allclose(signal.values[..., 0], millimetres / 257, rtol=1e-5)
        (signal,) = signals(tmp_path / name)
        assert (signal.span, signal.source) == ((millimetres.min(), millimetres.max()), "data")
    made = measure(tmp_path / "a.png", unit="mm", threshold=0.01).to_dict()["images"][0]
    assert made["lattice"][0]["amplitude_in_unit"] == pytest.approx(16, rel=0.1)
    (stated,) = signals(tmp_path / "a.png", span=(1000, 3000))
    np.testing.assert_allclose(stated.values[..., 0], (millimetres - 1000.0) * 255 / 2000, rtol=1e-5)


def test_animations_are_their_first_frame_unless_asked(tmp_path):
    path = tmp_path / "a.png"
    tiff(path, COLOUR)
    (signal,) = signals(path)
    assert np.array_equal(signal.values, COLOUR[0])
    assert signal.notes == ("The first of 9 frames was measured; with --as frames all are.",)
    assert len(signals(path, kind="frames")) == 9
    assert [s.kind for s in signals(path, kind="volume")] == ["video"]


def test_arrays_on_disk(tmp_path):
    for name, values, kind, shape in [
        ("volume", GREY, "volume", (9, 32, 40, 1)),
        ("film", COLOUR, "video", (9, 32, 40, 3)),
        ("batch", np.moveaxis(COLOUR, -1, 1), "video", (9, 32, 40, 3)),
        ("flow", RANDOM.normal(size=(32, 40, 2)).astype(np.float32), "picture", (32, 40, 2)),
        ("alpha", COLOUR[0, ..., :2], "picture", (32, 40, 1)),
    ]:
        np.save(tmp_path / f"{name}.npy", values)
        (signal,) = signals(tmp_path / f"{name}.npy")
        assert (signal.kind, signal.values.shape, signal.codec) == (kind, shape, "NPY"), name
    assert len(signals(tmp_path / "film.npy", kind="frames")) == 9


def cut_tiff():
    file = io.BytesIO()
    first, *rest = [Image.fromarray(page) for page in GREY]
    first.save(file, "TIFF", save_all=True, append_images=rest, compression="tiff_lzw")
    return file.getvalue()


def test_a_stack_cut_anywhere_is_an_error(tmp_path):
    content = cut_tiff()
    path = tmp_path / "a.tif"
    for length in range(0, len(content) - 1, 997):
        path.write_bytes(content[:length])
        with pytest.raises(UncheckError, match=r"a\.tif: (empty|damaged|truncated|not a picture)") as caught:
            signals(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("a.png", {"rate": 8000}, r"a\.png: is a picture and has no sample rate; leave that out"),
        ("a.png", {"kind": "audio"}, r"a\.png: is a picture and has no sample rate"),
        ("none.npy", {}, r"none\.npy: shape \(0, 8\) holds nothing; save at least 4 x 4 pixels"),
        ("five.npy", {"kind": "frames"}, r"five\.npy: shape .* is not a picture"),
    ],
)
def test_what_cannot_be_taken_so(tmp_path, name, given, message):
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    np.save(tmp_path / "none.npy", np.ones((0, 8)))
    np.save(tmp_path / "five.npy", np.ones((2, 8, 8, 8, 8)))
    with pytest.raises(UncheckError, match=message):
        signals(tmp_path / name, **given)


def test_folders_hold_sounds_too(tmp_path):
    from scipy.io import wavfile

    wavfile.write(tmp_path / "b.wav", 8000, RANDOM.normal(size=4000).astype(np.float32) / 10)
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    assert [i.kind for i in measure(tmp_path).images] == ["picture", "audio"]
