"""JPEG blocks, camera mosaics and repeated pixels are named, and do not excuse a real lattice."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

import released
from uncheck.measuring import find_lattice, measure
from uncheck.measuring.rivals import jpeg_grid, name_rival
from uncheck.measuring.rivals.camera import GROWTH, bayer_contrast, growth, is_arranged
from uncheck.measuring.rivals.repetition import before_repetition


def photo(index, size):
    return released.read(released.photographs()[index])[64 : 64 + size, 100 : 100 + size]


def compressed(pixels, quality, subsampling):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file).convert("RGB"), np.float32)


def judged(array, codec):
    return name_rival(array, find_lattice(array), codec)


def is_lattice(array, codec):
    found = find_lattice(array)
    excused = name_rival(array, found, codec) is not None
    return bool(found.present) and not excused


@pytest.mark.integration
@pytest.mark.parametrize("quality", [10, 15, 30, 50, 75, 90, 95])
def test_jpeg_photographs_are_never_a_lattice_and_show_their_grid(quality):
    grids = []
    for index in range(12):
        whole = compressed(photo(index, 328), quality, 2 if index % 2 else 0)
        assert not is_lattice(whole, "JPEG")
        for row, column in ((0, 0), (3, 5)):
            crop = whole[row : row + 320, column : column + 320]
            assert not is_lattice(crop, None)
            grids.append(jpeg_grid(crop) == (-row % 8, -column % 8))
    assert np.mean(grids) >= 0.9


def test_uncompressed_photographs_show_no_grid():
    assert [jpeg_grid(photo(i, 320).astype(np.float32)) for i in range(12)] == [None] * 12


@pytest.mark.parametrize("quality", [15, 20, 30, 50, 70, 80, 90])
def test_smooth_gradients_saved_as_jpeg_are_no_lattice(quality):
    y, x = np.indices((256, 256))
    for ramp in ((x + y) / 2, x, np.hypot(x - 128, y - 128), 255 - (x + 2 * y) / 3):
        grey = np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8)
        assert not is_lattice(compressed(grey, quality, 2), "JPEG")


@pytest.mark.integration
def test_a_strong_lattice_on_a_jpeg_is_still_a_lattice(tmp_path):
    y, x = np.indices((320, 320))
    for period, pattern in (
        (2, 4 * (-1.0) ** (x + y)),
        (4, 4 * np.cos(np.pi / 2 * x + 1) + 4 * np.cos(np.pi / 2 * y)),
    ):
        before = np.clip(compressed(photo(0, 320), 75, 2) + pattern[..., None], 0, 255)
        assert is_lattice(np.rint(before), None), "put on after compression"
        after = np.clip(photo(0, 320) + pattern[..., None], 0, 255).astype(np.uint8)
        Image.fromarray(after).save(tmp_path / "a.jpg", quality=90)
        (image,) = measure(tmp_path / "a.jpg").images
        assert image.verdict == "lattice"
        assert period in {max(c.period) for c in image.found.present}


def test_a_checkerboard_is_not_excused_by_a_jpeg_grid():
    """A weak checkerboard varies along both axes at once, which block edges do not."""
    y, x = np.indices((256, 256))
    texture = np.random.default_rng(0).normal(128, 12, (256, 256, 1)).repeat(3, axis=2)
    array = (
        compressed(np.clip(texture, 0, 255).astype(np.uint8), 80, 0) + 1.0 * ((-1.0) ** (x + y))[..., None]
    )
    assert is_lattice(array, "JPEG")


def demosaiced(pixels):
    """Keep one colour per pixel (RGGB) and fill in the others bilinearly."""
    rows, columns, _ = pixels.shape
    y, x = np.indices((rows, columns))
    masks = [(y % 2 == 0) & (x % 2 == 0), (y + x) % 2 == 1, (y % 2 == 1) & (x % 2 == 1)]
    out = np.empty(pixels.shape)
    for channel, mask in enumerate(masks):
        kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
        if channel == 1:
            kernel = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
        sparse = np.pad(pixels[..., channel] * mask, 1, mode="reflect")
        out[..., channel] = sum(
            kernel[i, j] * sparse[i : i + rows, j : j + columns] for i in range(3) for j in range(3)
        )
    return np.rint(out).clip(0, 255).astype(np.float32)


def test_demosaiced_photographs_are_no_lattice():
    for index in range(12):
        assert not is_lattice(demosaiced(photo(index, 400).astype(float)), None)


def test_a_strong_mosaic_is_named():
    rng = np.random.default_rng(1)
    fine = rng.normal(128, 1.0, (400, 400, 3))
    mosaic = demosaiced(fine + np.array([0, 0.3, 0]))
    y, x = np.indices((400, 400))
    mosaic[..., 1] += 0.5 * (-1.0) ** (x + y)
    assert judged(mosaic, None) == "bayer"
    plain = rng.normal(128, 1.0, (400, 400, 3)) + 0.5 * ((-1.0) ** (x + y))[..., None]
    assert judged(plain, None) is None


def test_the_picture_before_repetition_is_found():
    small = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.float32)
    for factor in (2, 3, 4):
        large = small.repeat(factor, axis=0).repeat(factor, axis=1)
        assert np.array_equal(before_repetition(large), small)
        assert before_repetition(large[1:, 1:]).shape[2] == 3
    assert before_repetition(small) is None
    assert before_repetition(small.repeat(2, axis=0)) is None
    assert before_repetition(np.ones((16, 16, 3), np.float32)) is None


@pytest.mark.integration
def test_repeating_the_pixels_of_a_photograph_makes_no_lattice():
    for index in (0, 1, 2, 4, 8, 11):
        small = photo(index, 192).astype(np.float32)
        for factor in (2, 3, 4):
            for start in (0, 1):
                large = small.repeat(factor, axis=0).repeat(factor, axis=1)[start:, start:]
                # One small crop has its scanner's trace above the threshold, and keeps it.
                assert not is_lattice(large, None) or is_lattice(small, None)


def test_repeating_a_lattice_does_not_excuse_it():
    y, x = np.indices((96, 96))
    small = np.random.default_rng(0).normal(128, 5, (96, 96, 3)) + 4 * ((-1.0) ** (x + y))[..., None]
    large = small.repeat(2, axis=0).repeat(2, axis=1).astype(np.float32)
    assert is_lattice(large, None)


def chance_camera(seed):
    """A random network's output with a weak period 2 that the former rule took for a camera."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((256, 256))
    phase = (y + x) % 2
    # Noise whose green varies more on one half of the pixels, red and blue on the other, all phases alike.
    gain = np.stack([1.0 - 0.1 * phase, 0.8 + 0.3 * phase, 1.0 - 0.1 * phase], axis=-1)
    noise = rng.normal(0, 1.5, (256, 256, 3)) * gain
    return 128 + noise + 0.4 * np.array([0.5, -0.5, 0.6]) * ((-1.0) ** phase)[..., None] * 2


def test_noise_is_from_no_camera():
    for seed in range(3):
        array = np.rint(chance_camera(seed)).astype(np.float32)
        found = find_lattice(array)
        assert found.present
        assert bayer_contrast(array, found) >= 0.05
        assert name_rival(array, found) is None


def test_the_arrangement_of_a_mosaic_is_told():
    nothing = find_lattice(np.zeros((64, 64, 3), np.float32))
    rng = np.random.default_rng(0)
    scene = rng.normal(128, 10, (200, 201, 3))
    mosaic = demosaiced(scene)
    for top, left in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert is_arranged(mosaic[top:, left:], nothing)
    # Green and red have changed places.
    assert not is_arranged(mosaic[..., [1, 0, 2]], nothing)
    # All colours have the same phases.
    assert not is_arranged(mosaic[..., [0, 0, 0]], nothing)
    assert not is_arranged(mosaic[..., :2], nothing)


def test_what_a_camera_saw_is_less_alike_the_farther_apart():
    for index in range(0, 12, 3):
        assert growth(photo(index, 320).astype(np.float32)) > GROWTH
    noise = np.random.default_rng(0).normal(128, 9, (256, 256, 3)).astype(np.float32)
    assert growth(noise) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("index", "factor"), [(7, 2), (4, 3)])
def test_the_trace_of_a_scanner_is_none_of_a_network_where_brightness_is_noisy(index, factor):
    # Pixels were repeated, and the small picture has the trace of the scanner in its colours.
    small = released.read(released.photographs()[index])[: 512 // factor, : 512 // factor]
    array = small.repeat(factor, axis=0).repeat(factor, axis=1).astype(np.float32)
    found = find_lattice(array)
    assert found.present
    assert name_rival(array, found) == "enlarged"
    y, x = np.indices(small.shape[:2])
    planted = small + 0.6 * (-1.0) ** (x + y)[..., None]
    assert name_rival(planted.astype(np.float32), find_lattice(planted.astype(np.float32))) is None


@pytest.mark.parametrize("percent", [50, 100])
def test_a_photograph_sharpened_after_its_coding_is_no_lattice(percent):
    folder = Path(pytest.importorskip("skimage").data.__file__).parent
    picture = Image.open(folder / "ihc.png").convert("RGB").crop((0, 0, 512, 512))
    array = np.asarray(picture.filter(ImageFilter.UnsharpMask(1, percent, 0)), np.float32)
    found = find_lattice(array)
    assert found.present
    assert name_rival(array, found) == "jpeg"
