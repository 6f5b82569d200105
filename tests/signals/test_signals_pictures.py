"""Every kind of picture file is read to the same grey levels; every bad one gives one clear sentence."""

import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from uncheck.errors import UncheckError
from uncheck.measuring import expand, read_picture
from uncheck.signals.files import read_signals
from uncheck.signals.signal import Given

RGB = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)
GREY = RGB[..., 0]


def saved(folder, name, image, **options):
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_lossless_rgb_and_grey(tmp_path, ending):
    colour = read_picture(saved(tmp_path, f"c.{ending}", Image.fromarray(RGB)))
    grey = read_picture(saved(tmp_path, f"g.{ending}", Image.fromarray(GREY)))
    assert np.array_equal(colour.pixels, RGB)
    assert colour.pixels.dtype == np.float32
    assert np.array_equal(grey.pixels, GREY[..., None])
    assert colour.codec == {"png": "PNG", "tif": "TIFF", "bmp": "BMP"}[ending]


def test_webp_and_compressed_tiff(tmp_path):
    webp = read_picture(saved(tmp_path, "a.webp", Image.fromarray(RGB), lossless=True))
    tiff = read_picture(saved(tmp_path, "a.tiff", Image.fromarray(RGB), compression="tiff_lzw"))
    assert np.array_equal(webp.pixels, RGB)
    assert np.array_equal(tiff.pixels, RGB)
    assert webp.codec == "WEBP"


def test_jpeg_is_near_and_names_its_codec(tmp_path):
    smooth = np.add.outer(np.arange(32), np.arange(40)).astype(np.uint8)
    picture = read_picture(saved(tmp_path, "a.jpg", Image.fromarray(smooth), quality=95))
    assert picture.codec == "JPEG"
    assert np.abs(picture.pixels[..., 0] - smooth).max() <= 3


def test_alpha_is_ignored(tmp_path):
    alpha = np.random.default_rng(1).integers(0, 256, GREY.shape, dtype=np.uint8)
    rgba = Image.fromarray(np.dstack([RGB, alpha]))
    la = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)])
    assert np.array_equal(read_picture(saved(tmp_path, "rgba.png", rgba)).pixels, RGB)
    assert np.array_equal(read_picture(saved(tmp_path, "la.png", la)).pixels, GREY[..., None])


@pytest.mark.parametrize("transparency", [None, 0, b"\x00\x80\xff"])
def test_palettes_with_and_without_transparency(tmp_path, transparency):
    image = Image.fromarray(RGB).quantize(8)
    options = {} if transparency is None else {"transparency": transparency}
    path = saved(tmp_path, "p.png", image, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = read_picture(path)
    assert np.array_equal(picture.pixels, np.asarray(image.convert("RGB")))


def test_one_bit_cmyk_and_sixteen_bits(tmp_path):
    bits = read_picture(saved(tmp_path, "1.png", Image.fromarray(GREY > 127)))
    assert np.array_equal(bits.pixels[..., 0], np.where(GREY > 127, 255, 0))
    cmyk = Image.fromarray(RGB).convert("CMYK")
    assert np.array_equal(read_picture(saved(tmp_path, "c.tif", cmyk)).pixels, RGB)
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    for name in ("d.png", "d.tif"):
        np.testing.assert_allclose(read_picture(saved(tmp_path, name, deep)).pixels[..., 0], GREY, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "tolerance"),
    [
        (RGB, 0.0),
        (RGB.astype(np.uint16) * 257, 1e-4),
        (RGB.astype(np.float32), 0.0),
        (RGB / 255.0, 1e-4),
        (RGB / 127.5 - 1.0, 1e-4),
        (RGB.astype(np.int64), 0.0),
    ],
    ids=["uint8", "uint16", "float 0..255", "float 0..1", "float -1..1", "int64"],
)
def test_arrays_of_every_type_become_the_same_levels(tmp_path, values, tolerance):
    np.save(tmp_path / "a.npy", values)
    picture = read_picture(tmp_path / "a.npy")
    assert picture.codec == "NPY"
    np.testing.assert_allclose(picture.pixels, RGB, atol=tolerance)


def test_array_layouts(tmp_path):
    boolean = GREY > 127
    for name, values, expected in [
        ("hw", GREY, GREY[..., None]),
        ("chw", np.moveaxis(RGB, -1, 0), RGB),
        ("1hw", GREY[None], GREY[..., None]),
        ("rgba", np.dstack([RGB, GREY]), RGB),
        ("la", np.dstack([GREY, RGB[..., 1]]), GREY[..., None]),
        ("bool", boolean, 255 * boolean[..., None]),
    ]:
        np.save(tmp_path / f"{name}.npy", values)
        assert np.array_equal(read_picture(tmp_path / f"{name}.npy").pixels, expected), name


def test_stated_span_scales_an_array(tmp_path):
    np.save(tmp_path / "a.npy", GREY / 255 * 10 - 5)
    np.testing.assert_allclose(read_picture(tmp_path / "a.npy", (-5, 5)).pixels[..., 0], GREY, atol=1e-4)
    with pytest.raises(UncheckError, match=r"range 1,1 is empty; give the lowest value first"):
        read_picture(tmp_path / "a.npy", (1, 1))


def png_bytes():
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "PNG")
    return file.getvalue()


def jpeg_bytes():
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "JPEG")
    return file.getvalue()


def npy_bytes(values, **options):
    file = io.BytesIO()
    np.save(file, values, **options)
    return file.getvalue()


BAD = {
    "cut.png": (png_bytes()[:200], "damaged or truncated picture"),
    "cut.jpg": (jpeg_bytes()[:700], "damaged or truncated picture"),
    "text.png": (b"hello, I am text", "not a picture that can be read; give PNG"),
    "empty.png": (b"", "empty file"),
    "empty.npy": (b"", "empty file"),
    "nan.npy": (npy_bytes(np.full((8, 8), np.nan)), "64 of 64 values are NaN or infinite; mask or replace"),
    "inf.npy": (npy_bytes(np.array([[1.0, np.inf], [0, 0]])), "1 of 4 values are NaN or infinite"),
    "objects.npy": (npy_bytes(np.array([{}, []], object), allow_pickle=True), "holds pickled objects"),
    "text.npy": (b"not an array at all", "save numbers with numpy.save"),
    "cut.npy": (npy_bytes(RGB)[:200], "damaged or truncated .npy array"),
    "complex.npy": (
        npy_bytes(np.ones((8, 8), complex)),
        "holds complex128, expected one array of real",
    ),
    "words.npy": (npy_bytes(np.array(["a", "b"])), "expected one array of real numbers"),
    "flat.npy": (npy_bytes(np.ones(8)), "shape (8,) is not a picture; give (H, W)"),
    "deep.npy": (npy_bytes(np.ones((8, 8, 8))), "is not a picture"),
    "none.npy": (npy_bytes(np.ones((0, 8))), "expected numbers, got an array of shape (0, 8)"),
    "header.npy": (npy_bytes(RGB).replace(b"}", b" "), "save"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_one_sentence_that_names_it_once(tmp_path, name):
    content, reason = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UncheckError) as caught:
        read_picture(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: ")
    assert reason in message
    assert message.count(name) == 1
    assert "\n" not in message
    assert ". " not in message.removeprefix(str(tmp_path))


@pytest.mark.parametrize(("name", "content"), [("a.png", png_bytes()), ("a.npy", npy_bytes(RGB))])
def test_a_file_cut_anywhere_is_an_error(tmp_path, name, content):
    for length in range(0, len(content) - 20, 37):
        (tmp_path / name).write_bytes(content[:length])
        with pytest.raises(UncheckError, match=f"{name}: (empty|damaged|not a picture|holds pickled)"):
            read_picture(tmp_path / name)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UncheckError, match=r"gone\.png: no such file; check the path"):
        read_picture(tmp_path / "gone.png")
    with pytest.raises(UncheckError, match="is a folder, not a picture; name a file in it"):
        read_picture(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_unreadable_file(tmp_path):
    path = saved(tmp_path, "secret.png", Image.fromarray(RGB))
    path.chmod(0)
    with pytest.raises(UncheckError, match=r"secret\.png: cannot be opened \(Permission denied\)") as caught:
        read_picture(path)
    assert str(caught.value).count("secret.png") == 1


def test_expand(tmp_path):
    for name in ("b.png", "a.JPG", "c.npy", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.png").write_bytes(b"x")
    root = str(tmp_path)
    assert expand([root]) == [f"{root}/a.JPG", f"{root}/b.png", f"{root}/c.npy"]
    assert expand([f"{root}/*"]) == [f"{root}/a.JPG", f"{root}/b.png", f"{root}/c.npy"]
    assert expand([f"{root}/**/*.png"]) == [f"{root}/b.png", f"{root}/inner/d.png"]
    assert expand([f"{root}/gone.png", f"{root}/b.png"]) == [f"{root}/gone.png", f"{root}/b.png"]
    (tmp_path / "x[1].png").write_bytes(b"x")
    assert expand([f"{root}/x[1].png"]) == [f"{root}/x[1].png"]
    (tmp_path / "bare").mkdir()
    with pytest.raises(UncheckError, match=r"bare: no pictures in this folder; it must hold \.png"):
        expand([tmp_path / "bare"])
    with pytest.raises(UncheckError, match=r"\*\.webp: no picture matches this pattern; check"):
        expand([f"{root}/*.webp"])


# --- files made to do harm --------------------------------------------------------------------------------


def test_only_the_documented_formats_are_looked_for(tmp_path, monkeypatch):
    # Planted: EPS named .png started Ghostscript.
    monkeypatch.setattr(
        EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was started")
    )
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n")
    with Image.open(path) as image:
        assert image.format == "EPS"
    with pytest.raises(UncheckError, match=r"a\.png: not a picture that can be read; give PNG, JPEG"):
        read_picture(path)


def flat_png(height, width, *, bits=1):
    """A PNG of zeros in which nothing is large but the numbers in its header."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((1, 170_000_000), "1 x 170000000 x 1 values are more than the 150 million values"),
        ((100_000_000, 1), "a side of more than 65500 pixels"),
        ((13_300, 13_300), "13300 x 13300 x 1 values are more than the 150 million values"),
        ((20_000, 20_000), "its pixels are more than the 150 million values that are measured at once"),
    ],
)
def test_a_picture_that_is_too_large_says_what_the_limit_is(tmp_path, size, reason):
    path = tmp_path / "a.png"
    path.write_bytes(flat_png(*size))
    with pytest.raises(UncheckError) as caught:
        read_picture(path)
    assert reason in str(caught.value)
    assert "damaged" not in str(caught.value)
    assert str(caught.value).endswith("cut it into parts, or reduce it")


def test_many_pages_count_together(tmp_path):
    pages = [Image.new("1", (5000, 5000)) for _ in range(7)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], compression="group4")
    with pytest.raises(
        UncheckError, match=r"a\.tif: 7 x 5000 x 5000 x 1 values are more than the 150 million values"
    ):
        list(read_signals(str(tmp_path / "a.tif"), Given()))
    assert read_picture(tmp_path / "a.tif").pixels.shape == (5000, 5000, 1)


@pytest.mark.parametrize(
    "shape", ["(True, True)", f"({10**30}, 4)", "(-1, 4)", "(1000000, 1000000)", "(4, 4.0)"]
)
def test_an_array_whose_header_cannot_be_is_an_error(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    (tmp_path / "a.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() + bytes(64)
    )
    with pytest.raises(UncheckError, match=r"a\.npy: "):
        read_picture(tmp_path / "a.npy")


def test_links_to_the_folder_itself_end(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path)
    assert expand([f"{tmp_path}/**/*.png"]) == [f"{tmp_path}/a.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UncheckError, match=r"a\.png: is a pipe, socket or device, not a file"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b"])
def test_names_that_cannot_be(name):
    with pytest.raises(UncheckError, match=r"no such file|cannot be opened|is a folder"):
        read_picture(name)


def test_threads_leave_no_warning_filter_behind(tmp_path):
    paths = [saved(tmp_path, f"{i}.png", Image.fromarray(RGB).quantize(8)) for i in range(16)]
    before = list(warnings.filters)
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(read_picture, paths))
    assert warnings.filters == before
