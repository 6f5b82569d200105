"""Formats that libraries read: real files written by script, each read to what was put in; bad ones named."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.signals.files import SUFFIXES, read_picture, read_signals
from uncheck.signals.folders import list_files
from uncheck.signals.formats import gridded, table
from uncheck.signals.items import file_items, items
from uncheck.signals.signal import Given

RANDOM = np.random.default_rng(13)
CHECKS = (-1.0) ** np.indices((9, 32, 40)).sum(axis=0)
#: A volume like CT: Hounsfield units, with a lattice.
CT = (40 + RANDOM.normal(size=CHECKS.shape) * 60 + 100 * CHECKS).round().astype(np.int16)
FIELD = 280 + RANDOM.normal(size=(32, 40)) * 3 + 2 * CHECKS[0]
PHOTO = np.clip(128 + RANDOM.normal(size=(32, 40, 3)) * 20 + 16 * CHECKS[0, ..., None], 0, 255).astype(
    np.uint8
)


def signals(path, **given):
    return list(read_signals(str(path), Given(**given)))


def original(signal):
    """The values before they became grey levels."""
    low, high = signal.span
    return signal.values[..., 0] * (high - low) / 255 + low


# --- NPZ ---------------------------------------------------------------------------------------------------


def test_npz(tmp_path):
    np.savez_compressed(
        tmp_path / "a.npz", photo=PHOTO, field=FIELD, labels=np.arange(9), names=np.array(["a"])
    )
    photo, field = signals(tmp_path / "a.npz")
    assert (photo.name, field.name) == (f"{tmp_path}/a.npz:photo", f"{tmp_path}/a.npz:field")
    assert np.array_equal(photo.values, PHOTO)
    np.testing.assert_allclose(original(field), FIELD, rtol=1e-5)
    assert photo.notes == ("Of its 4 arrays, 2 left out: no pictures.",)


def test_npz_of_objects_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", evil=np.array([[Trap(), Trap()], [Trap(), Trap()]], object))
    with pytest.raises(UncheckError, match=r"a\.npz: holds no array of numbers .* \(it holds evil\)"):
        signals(tmp_path / "a.npz")


class Trap:
    def __reduce__(self):
        return os._exit, (3,)


def test_npz_that_unpacks_to_too_much_is_refused_by_its_header(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**5, 10**5)}
    )
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", header.getvalue() + bytes(10**6))
    with pytest.raises(
        UncheckError, match=r"a\.npz:bomb: 100000 x 100000 values are more than the 150 million"
    ):
        signals(tmp_path / "a.npz")


# --- NIfTI -------------------------------------------------------------------------------------------------


def nifti(path, values, zooms=(0.9, 0.9, 5.0), unit="mm"):
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(values.T, np.diag([*zooms[:3], 1]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti(tmp_path, name):
    (signal,) = signals(nifti(tmp_path / name, CT))
    assert (signal.kind, signal.codec, signal.name) == ("volume", "NIfTI", str(tmp_path / name))
    np.testing.assert_allclose(original(signal), CT, atol=0.01)
    assert signal.notes == (
        "Its voxels are 5 x 0.9 x 0.9 mm (depth x height x width): periods are in voxels along each axis.",
    )
    (image,) = measure(tmp_path / name).images
    assert [c.period for c in image.found.present] == [(2, 2, 2)]


def test_nifti_of_equal_and_of_unknown_voxels(tmp_path):
    assert signals(nifti(tmp_path / "a.nii", CT, (1, 1, 1)))[0].notes == ()
    (signal,) = signals(nifti(tmp_path / "b.nii", CT, unit="unknown"))
    assert signal.notes == ("The size of its voxels is not given: periods are in voxels along each axis.",)


def test_nifti_in_time_is_a_volume_each(tmp_path):
    found = signals(nifti(tmp_path / "a.nii", np.stack([CT, 2 * CT])))
    assert [(one.name, one.kind) for one in found] == [(f"{tmp_path}/a.nii[{i}]", "volume") for i in (0, 1)]
    np.testing.assert_allclose(original(found[1]), 2 * CT, atol=0.02)
    assert len(signals(tmp_path / "a.nii", kind="pictures")) == 18


# --- DICOM -------------------------------------------------------------------------------------------------


def dicom(path, values, *, number=1, series="1.2.3", frames=None, depth=None, padding=None):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    data = pydicom.Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"1.2.3.{number}"
    data.SeriesInstanceUID, data.InstanceNumber = series, number
    data.Rows, data.Columns = values.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = 2, -1024, "HU"
    data.PixelSpacing = [0.5, 0.5]
    if depth is not None:
        data.ImagePositionPatient = [0, 0, depth]
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    if frames:
        data.NumberOfFrames = frames
    if padding is not None:
        data.PixelPaddingValue = padding
    data.PixelData = values.astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)
    return path


STORED = ((CT.astype(float) + 1024) / 2).round().astype(np.uint16)
RESCALED = 2.0 * STORED - 1024


def test_dicom_picture_and_frames(tmp_path):
    (signal,) = signals(dicom(tmp_path / "a.dcm", STORED[0]))
    assert (signal.kind, signal.codec, signal.unit) == ("picture", "DICOM", "HU")
    np.testing.assert_allclose(original(signal), RESCALED[0], atol=0.01)
    (signal,) = signals(dicom(tmp_path / "b.dcm", STORED, frames=9))
    assert signal.kind == "volume"
    np.testing.assert_allclose(original(signal), RESCALED, atol=0.01)
    assert signal.notes == ("The size of its voxels is not given: periods are in voxels along each axis.",)


def test_the_padding_of_dicom_is_masked(tmp_path):
    values = STORED[0].copy()
    values[:8] = 0
    (signal,) = signals(dicom(tmp_path / "a.dcm", values, padding=0))
    assert not signal.mask[:8].any()
    assert signal.mask[8:].all()


def test_a_series_of_dicom_is_one_volume_along_its_axis(tmp_path):
    for i in range(9):  # named, and numbered, against their order in space
        dicom(tmp_path / f"{9 - i}.dcm", STORED[i], number=9 - i, depth=2.5 * i)
    Image.fromarray(PHOTO).save(tmp_path / "5.png")
    item, _ = items(tmp_path, Given())
    (signal,) = item.signals()
    assert (signal.name, signal.kind) == (str(tmp_path), "volume")
    (tmp_path / "5.png").unlink()
    np.testing.assert_allclose(original(signal), RESCALED, atol=0.01)
    assert signal.notes == (
        "9 files of one series were taken as one volume.",
        "Its voxels are 2.5 x 0.5 x 0.5 mm (depth x height x width): periods are in voxels along each axis.",
    )
    dicom(tmp_path / "x.dcm", STORED[0], number=99, series="1.9", depth=0)
    (tmp_path / "5.dcm").unlink()
    volume, alone = items(tmp_path, Given())[0].signals()
    assert (volume.kind, alone.kind, alone.name) == ("volume", "picture", f"{tmp_path}/x.dcm")
    assert "Its slices are not equally far apart: periods in depth are in slices." in volume.notes
    assert len(items(tmp_path, Given(kind="pictures"))) == 9


def test_a_series_that_is_too_long_is_cut(tmp_path, monkeypatch):
    for i in range(9):
        dicom(tmp_path / f"{i}.dcm", STORED[i], number=i, depth=i)
    monkeypatch.setattr("uncheck.signals.formats.dicom.MOST_VALUES", 5 * 32 * 40)
    (signal,) = items(tmp_path, Given())[0].signals()
    np.testing.assert_allclose(original(signal), RESCALED[:5], atol=0.01)
    assert "These are the first of 9: more do not fit." in signal.notes


def test_dicom_without_pixels(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.dcmread(dicom(tmp_path / "a.dcm", STORED[0]))
    del data.PixelData
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(UncheckError, match=r"a\.dcm: holds no pixels \(DICOM of another kind\)"):
        signals(tmp_path / "a.dcm")


# --- OpenEXR -----------------------------------------------------------------------------------------------


def test_exr_is_measured_as_displayed_and_depth_as_it_is(tmp_path):
    exr = pytest.importorskip("OpenEXR")
    light = ((PHOTO / 255.0 + 0.055) / 1.055) ** 2.4
    depth = (FIELD - 250).astype(np.float32)
    with exr.File({"type": exr.scanlineimage}, {"RGB": light.astype(np.float32), "Z": depth}) as file:
        file.write(str(tmp_path / "a.exr"))
    by_name = {one.name.rpartition(":")[2]: one for one in signals(tmp_path / "a.exr")}
    np.testing.assert_allclose(by_name["RGB"].values, PHOTO, atol=0.01)
    assert by_name["RGB"].notes == ("Its linear light was measured as displayed, by the curve of sRGB.",)
    np.testing.assert_allclose(original(by_name["Z"]), depth, rtol=1e-4)
    assert by_name["Z"].notes == ()


def test_a_truncated_exr_is_an_error_and_prints_nothing(tmp_path, capsys):
    exr = pytest.importorskip("OpenEXR")
    with exr.File({"type": exr.scanlineimage}, {"RGB": PHOTO.astype(np.float32)}) as file:
        file.write(str(tmp_path / "a.exr"))
    whole = (tmp_path / "a.exr").read_bytes()
    for share in (0.1, 0.5, 0.95):
        (tmp_path / "a.exr").write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(UncheckError, match=r"a\.exr: damaged,? (or )?truncated"):
            signals(tmp_path / "a.exr")
    assert capsys.readouterr().out == ""


# --- NetCDF and Zarr ---------------------------------------------------------------------------------------


def weather():
    xarray = pytest.importorskip("xarray")
    humidity = 0.01 + 0.002 * np.sin(np.arange(40) / 5) + 2e-4 * CHECKS
    humidity[:, 3:9, 5:12] = np.nan
    return xarray.Dataset(
        {
            "q": (("time", "lat", "lon"), humidity.astype(np.float32), {"units": "kg/kg"}),
            "t": (("time", "level", "lat", "lon"), np.stack([FIELD + CHECKS] * 5, axis=1), {"units": "K"}),
            "orog": (("lat", "lon"), FIELD, {"units": "1"}),
            "lat_bnds": (("lat", "two"), np.zeros((32, 2))),
        },
        {"lat": np.linspace(60, 40, 32), "time": np.arange(9)},
    )


@pytest.fixture(scope="module")
def gridding():
    """Load what reads fields once: that takes a second."""
    for library in ("xarray", "netCDF4", "zarr"):
        pytest.importorskip(library)


@pytest.mark.parametrize("name", ["a.nc", "a.zarr"])
def test_gridded_fields(tmp_path, gridding, name):
    data = weather()
    if name == "a.nc":
        data.to_netcdf(tmp_path / name, encoding={"q": {"_FillValue": 9.96921e36, "zlib": True}})
    else:
        data.to_zarr(tmp_path / name, consolidated=False)
    found = signals(tmp_path / name)
    labels = ["q", *(f"t[{i}]" for i in range(9)), "orog"]
    by_name = {one.name.rpartition(":")[2]: one for one in found}
    assert sorted(by_name) == sorted(labels)
    humidity = by_name["q"]
    assert (humidity.kind, humidity.unit, humidity.source) == ("volume", "kg/kg", "data")
    assert np.array_equal(humidity.mask, np.isfinite(data.q.values))
    np.testing.assert_allclose(original(humidity)[humidity.mask], data.q.values[humidity.mask], rtol=1e-3)
    assert (by_name["orog"].kind, by_name["orog"].unit) == ("picture", None)
    assert by_name["t[3]"].values.shape == (5, 32, 40, 1)
    assert humidity.notes[0] == "Left out, being no fields: 1 of its 4 variables."
    (item,) = items(tmp_path, Given())  # walked as one, not into its folders
    assert item.name == f"{tmp_path}/{name}"
    assert items(f"{tmp_path}/{name}/" if name == "a.zarr" else tmp_path / name, Given())[0].name.startswith(
        str(tmp_path / name)
    )


def test_a_field_that_is_too_long_is_cut(tmp_path, monkeypatch):
    pytest.importorskip("netCDF4")
    weather().to_netcdf(tmp_path / "a.nc")
    monkeypatch.setattr(gridded, "MOST_VALUES", 6 * 32 * 40 + 1)
    found = {one.name.rpartition(":")[2]: one for one in signals(tmp_path / "a.nc")}
    assert len(found["q"].values) == 6
    assert "The first 6 of 9 along time were measured: more do not fit." in found["q"].notes
    np.testing.assert_allclose(original(found["t[8]"]), np.stack([FIELD + CHECKS[8]] * 5), rtol=1e-5)


def test_zarr_that_would_be_unpickled_is_not_opened(tmp_path):
    pytest.importorskip("zarr")
    pytest.importorskip("xarray")
    (tmp_path / "a.zarr" / "x").mkdir(parents=True)
    (tmp_path / "a.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    meta = {
        "zarr_format": 2,
        "shape": [9, 9],
        "chunks": [9, 9],
        "dtype": "|O",
        "fill_value": None,
        "order": "C",
    }
    meta |= {"filters": [{"id": "pickle", "protocol": 5}], "compressor": None}
    (tmp_path / "a.zarr" / "x" / ".zarray").write_text(json.dumps(meta))
    with pytest.raises(UncheckError, match=r"a\.zarr: holds pickled objects, not opened"):
        signals(tmp_path / "a.zarr")


def test_netcdf_without_a_field(tmp_path):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    xarray.Dataset({"series": ("time", np.arange(50.0))}).to_netcdf(tmp_path / "a.nc")
    with pytest.raises(UncheckError, match=r"a\.nc: holds no field of at least 8 x 8 .* \(it holds series\)"):
        signals(tmp_path / "a.nc")


# --- TIFF that Pillow cannot open ---------------------------------------------------------------------------


def test_bands_planes_and_stacks_of_tiff(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    bands = np.stack([PHOTO[..., 0]] * 6)
    tifffile.imwrite(tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="separate")
    found = signals(tmp_path / "a.tif")
    assert [(one.name, one.kind, one.codec) for one in found] == [
        (f"{tmp_path}/a.tif[{i}]", "picture", "TIFF") for i in range(6)
    ]
    assert np.array_equal(found[5].values[..., 0], PHOTO[..., 0])
    deep = np.moveaxis(PHOTO, -1, 0).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "b.tif", deep, photometric="rgb", planarconfig="separate")
    (signal,) = signals(tmp_path / "b.tif")
    np.testing.assert_allclose(signal.values, PHOTO, atol=1e-3)
    heights = (FIELD * 3).astype(np.int16)
    heights[:3] = -32768
    tifffile.imwrite(tmp_path / "c.tif", heights, tile=(16, 16), extratags=[(42113, 2, 0, "-32768", True)])
    (signal,) = signals(tmp_path / "c.tif")
    assert not signal.mask[:3].any()
    assert signal.mask[3:].all()
    tifffile.imwrite(tmp_path / "d.tif", CT.astype(np.float64))
    (signal,) = signals(tmp_path / "d.tif")
    assert signal.kind == "volume"
    np.testing.assert_allclose(original(signal), CT, atol=0.01)


def test_tiff_without_tifffile(tmp_path, monkeypatch):
    tifffile = pytest.importorskip("tifffile")
    bands = np.stack([PHOTO[..., 0]] * 6)
    tifffile.imwrite(tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="separate")
    monkeypatch.setattr(table, "_missing", lambda libraries: libraries[0])
    with pytest.raises(
        UncheckError, match=r"a\.tif: reading TIFF needs tifffile; install it with: pip install"
    ):
        signals(tmp_path / "a.tif")


# --- pictures, films and sound -----------------------------------------------------------------------------


def test_gif_and_avif(tmp_path):
    frames = [Image.fromarray(PHOTO[..., 0]), Image.fromarray(255 - PHOTO[..., 0])]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    (signal,) = signals(tmp_path / "a.gif")
    assert signal.notes == ("The first of 2 frames was measured; with --as frames all are.",)
    assert np.array_equal(signal.values[..., 0], PHOTO[..., 0])
    assert len(signals(tmp_path / "a.gif", kind="frames")) == 2
    if features.check("avif"):
        Image.fromarray(PHOTO).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
        (signal,) = signals(tmp_path / "a.avif")
        assert np.abs(signal.values - PHOTO).mean() < 3
    (tmp_path / "b.png").write_bytes((tmp_path / "a.gif").read_bytes())
    with pytest.raises(
        UncheckError, match=r"b\.png: not a picture that can be read"
    ):  # only where the name says so
        signals(tmp_path / "b.png")


def test_avif_without_its_decoder(tmp_path, monkeypatch):
    monkeypatch.setattr(features, "check", lambda name: False)
    (tmp_path / "a.avif").write_bytes(b"x" * 99)
    with pytest.raises(
        UncheckError, match=r'a\.avif: reading AVIF needs Pillow 11\.3 or later; .* install "pillow>='
    ):
        signals(tmp_path / "a.avif")


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    grey = np.repeat(PHOTO[..., :1], 3, axis=2)  # colours are saved at half the size
    heif.encode("RGB", (40, 32), grey.tobytes(), str(tmp_path / "a.heic"), quality=-1)
    (signal,) = signals(tmp_path / "a.heic")
    assert (signal.kind, signal.codec) == ("picture", "HEIC")
    assert np.abs(signal.values - grey).mean() < 4


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_films(tmp_path, name):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / name), "w") as file:
        stream = file.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 40, 32, "yuv420p", 10**7
        for i in range(9):
            frame = av.VideoFrame.from_ndarray(np.full((32, 40, 3), 20 * i + 40, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    (signal,) = signals(tmp_path / name)
    assert (signal.kind, signal.values.shape) == ("video", (9, 32, 40, 3))
    np.testing.assert_allclose(signal.values.mean(axis=(1, 2, 3)), 20 * np.arange(9) + 40, atol=3)
    assert len(signals(tmp_path / name, kind="frames")) == 9


def test_a_playlist_named_mp4_is_not_followed(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "a.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(UncheckError, match=r"a\.mp4: damaged, truncated or not video"):
        signals(tmp_path / "a.mp4")


def test_mp3(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "a.mp3", tone, 16000)
    (signal,) = signals(tmp_path / "a.mp3")
    assert (signal.kind, signal.rate, signal.codec) == ("audio", 16000, "MP3")
    assert np.abs(signal.values).max() / 127.5 == pytest.approx(0.3, abs=0.02)


# --- profiles and gamma ------------------------------------------------------------------------------------


def test_a_profile_other_than_srgb_is_applied_and_said(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.fromarray(PHOTO)
    picture.save(tmp_path / "plain.png")
    picture.save(tmp_path / "srgb.png", icc_profile=srgb)
    picture.save(tmp_path / "bad.png", icc_profile=b"no profile" * 20)
    picture.save(tmp_path / "lab.png", icc_profile=lab)
    for name in ("plain", "srgb", "bad", "lab"):
        (signal,) = signals(tmp_path / f"{name}.png")
        assert np.array_equal(signal.values, PHOTO), name
        expected = (
            ("Its colour profile cannot be used and was not applied.",) if name in ("bad", "lab") else ()
        )
        assert signal.notes == expected


def test_colours_are_converted_from_the_profile_of_a_picture(tmp_path):
    # A profile whose red and green are those of sRGB exchanged: what it displays are the exchanged channels.
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    content = bytearray(bytes(content).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")))
    red, green = content.index(b"rXYZ"), content.index(b"gXYZ")
    content[red : red + 4], content[green : green + 4] = b"gXYZ", b"rXYZ"
    alpha = np.full((32, 40, 1), 255, np.uint8)
    alpha[0] = 0
    for values in (PHOTO, np.dstack([PHOTO, alpha])):
        Image.fromarray(values).save(tmp_path / "a.png", icc_profile=bytes(content))
        (signal,) = signals(tmp_path / "a.png")
        assert len(signal.notes) >= 1
        assert "Its colours were converted from swap built-in to sRGB, as displayed." in signal.notes
        assert np.abs(signal.values - PHOTO[..., [1, 0, 2]]).max() <= 2
        assert (signal.mask is None) == (values.shape[-1] == 3)
    # A network is given the colours as they are in the file.
    assert np.array_equal(read_picture(tmp_path / "a.png").pixels, PHOTO)


def test_a_linear_png_is_measured_as_displayed(tmp_path):
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", (100000).to_bytes(4, "big"))
    light = np.round(255 * ((PHOTO / 255 + 0.055) / 1.055) ** 2.4).astype(np.uint8)
    Image.fromarray(light).save(tmp_path / "a.png", pnginfo=info)
    (signal,) = signals(tmp_path / "a.png")
    assert signal.notes == ("Its gamma of 1 was converted to that of sRGB, as displayed.",)
    bright = PHOTO > 80  # dark ones have few steps in linear light
    assert np.abs(signal.values - PHOTO)[bright].max() <= 2


# --- what is missing or bad --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("a.nii.gz", "nibabel"),
        ("a.dcm", "pydicom"),
        ("a.EXR", "OpenEXR"),
        ("a.nc", "xarray"),
        ("a.heic", "pillow_heif"),
        ("a.mp4", "av"),
    ],
)
def test_without_its_library_a_named_file_is_an_error_and_one_in_a_folder_is_counted(
    tmp_path, monkeypatch, name, library
):
    monkeypatch.setattr(table, "_missing", lambda libraries: libraries[0] if libraries else None)
    (tmp_path / name).write_bytes(b"x")
    said = rf'{name}: reading \w+ needs {library}; install it with: pip install "uncheck\[formats\]"$'
    with pytest.raises(UncheckError, match=said):
        signals(tmp_path / name)
    Image.fromarray(PHOTO).save(tmp_path / "b.png")
    found = list_files([tmp_path], SUFFIXES)
    assert (found.files, found.skipped) == ([f"{tmp_path}/b.png"], {"libraries": 1})


@pytest.mark.parametrize("suffix", [s for one in table.FORMATS for s in one.suffixes if not one.folder])
@pytest.mark.parametrize(
    "content",
    [b"nonsense" * 99, b"\0" * 2000, b"\x89HDF\r\n\x1a\n" + bytes(99)],
    ids=["text", "zeros", "hdf"],
)
def test_damaged_files_are_one_sentence(tmp_path, suffix, content):
    known = table.format_of(f"a{suffix}")
    for library in known.libraries:
        pytest.importorskip(library)
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(UncheckError, match=rf"a{suffix}: (damaged, truncated or not|holds no)") as caught:
        signals(tmp_path / f"a{suffix}")
    assert "\n" not in str(caught.value)


def test_truncated_files_are_one_sentence(tmp_path):
    paths = [
        nifti(tmp_path / "a.nii", CT),
        nifti(tmp_path / "b.nii.gz", CT),
        dicom(tmp_path / "c.dcm", STORED[0]),
    ]
    np.savez(tmp_path / "d.npz", a=PHOTO)
    for path in (*paths, tmp_path / "d.npz"):
        whole = path.read_bytes()
        for share in (0.1, 0.5, 0.95):
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(UncheckError, match=rf"{path.name}: ") as caught:
                signals(path)
            assert "\n" not in str(caught.value)


def test_mixed_folders(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    np.savez(tmp_path / "b.npz", a=PHOTO)
    (tmp_path / "c.npz").write_bytes(b"no zip")
    (tmp_path / "d.txt").write_text("x")
    result = measure(tmp_path)
    assert [image.path for image in result.images] == [f"{tmp_path}/a.png", f"{tmp_path}/b.npz:a"]
    assert [path for path, _ in result.errors] == [f"{tmp_path}/c.npz"]
    assert result.skipped == {"files": 1}
    assert file_items([], Given()) == []


@pytest.mark.parametrize("given", [{"rate": 8000.0}, {"kind": "audio"}])
def test_no_sound(tmp_path, given):
    np.savez(tmp_path / "a.npz", a=PHOTO)
    with pytest.raises(UncheckError, match=r"a\.npz: is a picture and has no sample rate; leave that out"):
        signals(tmp_path / "a.npz", **given)
