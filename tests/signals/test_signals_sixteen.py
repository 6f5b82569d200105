"""Colour of 16 bits is read at 16 bits from PNG and TIFF, whatever the order of bytes and compression."""

import struct
import zlib

import numpy as np
import pytest

from uncheck.measuring import measure, read_picture
from uncheck.signals.files import read_signals
from uncheck.signals.signal import Given

RANDOM = np.random.default_rng(8)
DEEP = RANDOM.integers(0, 65536, (24, 20, 3), dtype=np.uint16)
ALPHA = RANDOM.integers(0, 65536, (24, 20, 1), dtype=np.uint16)


def write_png(path, values, gamma=None):
    """A PNG of 16 bits per channel, written by hand: the oracle of reading."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[-1]]
    rows = values.astype(">u2").reshape(len(values), -1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))

    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    gamma = b"" if gamma is None else chunk(b"gAMA", struct.pack(">I", gamma))
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    content = chunk(b"IHDR", header) + gamma + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


def signal(path, **given):
    (one,) = read_signals(str(path), Given(**given))
    return one


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (DEEP, DEEP),
        (np.dstack([DEEP, ALPHA]), DEEP),
        (DEEP[..., :1], DEEP[..., :1]),
        (np.dstack([DEEP[..., :1], ALPHA]), DEEP[..., :1]),
    ],
    ids=["rgb", "rgba", "grey", "grey and alpha"],
)
def test_png(tmp_path, values, shown):
    one = signal(write_png(tmp_path / "a.png", values))
    np.testing.assert_allclose(one.values, shown / 257, atol=1e-4)
    assert (one.span, one.notes) == ((0, 65535), ())
    np.testing.assert_allclose(read_picture(tmp_path / "a.png").pixels, shown / 257, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{}, {"byteorder": ">"}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}],
    ids=str,
)
@pytest.mark.parametrize("pages", [1, 5])
def test_tiff(tmp_path, options, pages):
    tifffile = pytest.importorskip("tifffile")
    deep = RANDOM.integers(0, 65536, (pages, 24, 20, 3), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", deep if pages > 1 else deep[0], photometric="rgb", **options)
    one = signal(tmp_path / "a.tif")
    np.testing.assert_allclose(one.values, (deep if pages > 1 else deep[0]) / 257, atol=1e-4)
    assert not any("read as 8" in note for note in one.notes)


def test_the_gamma_of_deep_colours_is_said_and_not_applied(tmp_path):
    one = signal(write_png(tmp_path / "a.png", DEEP, gamma=100000))
    assert one.notes == ("Its gamma of 1 was not applied, for it has more than 8 bits.",)
    np.testing.assert_allclose(one.values, DEEP / 257, atol=1e-4)
    assert signal(write_png(tmp_path / "b.png", DEEP, gamma=45455)).notes == ()


def test_a_lattice_below_the_steps_of_8_bits_is_found(tmp_path):
    n = np.indices((96, 96)).sum(axis=0)
    smooth = 30000 + 60 * n[..., None] + 80 * (-1.0) ** n[..., None]  # 0.3 levels
    values = np.repeat(smooth, 3, axis=2).round().astype(np.uint16)
    (image,) = measure(write_png(tmp_path / "a.png", values), threshold=0.2).images
    assert image.verdict == "lattice"
    assert image.strength == pytest.approx(80 / 257, rel=0.01)


def test_a_dark_file_of_16_bits_has_its_own_range_but_not_as_an_input(tmp_path):
    path = write_png(tmp_path / "a.png", DEEP // 10)
    assert signal(path).span == (0 if (DEEP // 10).min() == 0 else (DEEP // 10).min(), (DEEP // 10).max())
    assert signal(path, span=(0, 65535)).source == "given"
    np.testing.assert_allclose(read_picture(path).pixels, (DEEP // 10) / 257, atol=1e-4)
