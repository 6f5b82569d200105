"""Audio files: every kind becomes the same samples, every bad one gives one clear sentence."""

import builtins
import io
import struct
import warnings

import numpy as np
import pytest
from scipy.io import wavfile

from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.signals import paths
from uncheck.signals.audio import read_audio, sound
from uncheck.signals.signal import Given

RATE = 8000
CLOCK = np.arange(4000)
NOISE = np.random.default_rng(0).normal(size=len(CLOCK))
#: Noise at -20 dB of full scale with a line of period 4.
SAMPLES = 0.1 * NOISE + 0.05 * np.cos(2 * np.pi * CLOCK / 4)


def wav_bytes(samples, rate=RATE):
    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()


def raw_wav(samples, bits, code=1, channels=1, rate=RATE, size=None, extensible=False):
    """A WAV file written by hand, for what scipy does not write."""
    frame = channels * bits // 8
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else code, channels, rate, rate * frame, frame, bits)
    if extensible:
        head += struct.pack("<HHI", 22, bits, 0) + struct.pack("<H", code)
        head += bytes.fromhex("000000001000800000aa00389b71")
    data = b"data" + struct.pack("<I", len(samples) if size is None else size) + samples
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def in_24_bits(samples):
    whole = np.rint(samples * (2**23 - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


KINDS = {
    "8 bits": wav_bytes(np.rint(SAMPLES * 127 + 128).astype(np.uint8)),
    "16 bits": wav_bytes(np.rint(SAMPLES * 32767).astype(np.int16)),
    "24 bits": raw_wav(in_24_bits(SAMPLES), 24),
    "24 bits, extensible": raw_wav(in_24_bits(SAMPLES), 24, extensible=True),
    "32 bits": wav_bytes(np.rint(SAMPLES * (2**31 - 1)).astype(np.int32)),
    "float": wav_bytes(SAMPLES.astype(np.float32)),
    "double": wav_bytes(SAMPLES),
    "stereo": wav_bytes(np.rint(np.column_stack([SAMPLES, SAMPLES]) * 32767).astype(np.int16)),
    "six channels": wav_bytes(np.repeat(SAMPLES[:, None], 6, axis=1).astype(np.float32)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_wav_becomes_the_same_samples(tmp_path, kind):
    (tmp_path / "a.wav").write_bytes(KINDS[kind])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        signal = read_audio(str(tmp_path / "a.wav"), Given())
    assert (signal.kind, signal.rate, signal.codec) == ("audio", RATE, "WAV")
    assert signal.values.shape[1] == {"stereo": 2, "six channels": 6}.get(kind, 1)
    tolerance = 0.9 if kind == "8 bits" else 0.005 if kind in ("16 bits", "stereo") else 2e-4
    np.testing.assert_allclose(signal.values[:, 0], 127.5 * SAMPLES, atol=tolerance)
    (found,) = measure(tmp_path / "a.wav").images
    assert found.verdict == "lattice"
    assert found.tones[0].frequencies == (2000,)
    assert found.tones[0].level == pytest.approx(20 * np.log10(0.05 * np.sqrt(0.5) / 0.1), abs=0.5)
    assert found.to_dict()["sample_rate"] == RATE


@pytest.mark.parametrize(("ending", "tolerance"), [("flac", 0.005), ("ogg", 40.0)])
def test_flac_and_ogg(tmp_path, ending, tolerance):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / f"a.{ending}", SAMPLES, RATE)
    signal = read_audio(str(tmp_path / f"a.{ending}"), Given())
    np.testing.assert_allclose(signal.values[:, 0], 127.5 * SAMPLES, atol=tolerance)
    assert (signal.rate, signal.codec) == (RATE, ending.upper())


def test_flac_without_soundfile_names_the_extra(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name == "soundfile":
            raise ImportError(name)
        return real(name, *rest, **named)

    (tmp_path / "a.flac").write_bytes(b"fLaC")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        UncheckError,
        match=r"a\.flac: reading \.flac needs soundfile; install it with: pip install soundfile",
    ):
        measure(tmp_path / "a.flac")


WHOLE = KINDS["16 bits"]
NAN = wav_bytes(np.full(4000, np.nan, np.float32))

BAD = {
    "nothing.wav": (b"", "empty file (0 bytes); write it again"),
    "text.wav": (b"hello, I am text", "damaged, truncated or not a WAV file"),
    "head.wav": (WHOLE[:30], "damaged, truncated or not a WAV file"),
    "odd.wav": (WHOLE[:1001], "truncated, its header promises more samples than it holds"),
    "cut.wav": (WHOLE[:2000], "truncated, its header promises more samples than it holds; write it again"),
    "silent.wav": (wav_bytes(np.zeros(0, np.int16)), "holds no samples; there is nothing to measure"),
    "rate.wav": (wav_bytes(np.zeros(4000, np.int16), 0), "its header says 0 samples per second; correct it"),
    "short.wav": (wav_bytes(np.ones(100, np.int16)), "audio of 100 samples is too short; give at least 192"),
    "nan.wav": (NAN, "4000 of 4000 values are NaN or infinite; mask or replace them first"),
    "law.wav": (raw_wav(bytes(4000), 8, code=7), "compressed WAV cannot be read; convert it to PCM"),
    "text.flac": (b"hello, I am text", "damaged or truncated .flac file"),
    "half.flac": (None, "truncated"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_one_sentence_that_names_it_once(tmp_path, name):
    content, reason = BAD[name]
    if name.endswith(".flac"):
        soundfile = pytest.importorskip("soundfile")
        if content is None:
            file = io.BytesIO()
            soundfile.write(file, SAMPLES, RATE, format="FLAC")
            content = file.getvalue()[:3000]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UncheckError) as caught:
        measure(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: ")
    assert reason in message
    assert message.count(name) == 1
    assert "\n" not in message


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_file_cut_anywhere_is_an_error_or_right(tmp_path, ending):
    file = io.BytesIO(WHOLE)
    if ending == "flac":
        soundfile = pytest.importorskip("soundfile")
        file = io.BytesIO()
        soundfile.write(file, SAMPLES, RATE, format="FLAC")
    content = file.getvalue()
    path = tmp_path / f"a.{ending}"
    for length in range(0, len(content) - 1, 331):
        path.write_bytes(content[:length])
        with pytest.raises(UncheckError, match=rf"a\.{ending}: (empty|damaged|truncated|holds no samples)"):
            measure(path)


def test_a_stream_of_unknown_length_is_read_to_its_end(tmp_path):
    stream = bytearray(raw_wav(np.rint(SAMPLES * 32767).astype("<i2").tobytes(), 16, size=0xFFFFFFFF))
    stream[4:8] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(stream)
    assert len(read_audio(str(tmp_path / "a.wav"), Given()).values) == len(SAMPLES)


def test_the_rate_can_be_corrected_but_not_be_zero(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav_bytes(np.rint(SAMPLES * 32767).astype(np.int16), 0))
    assert measure(tmp_path / "a.wav", rate=48000).images[0].tones[0].frequencies == (12000,)
    for rate in (0, -1, float("nan"), float("inf")):
        with pytest.raises(
            UncheckError, match=r"sample rate .* is not possible; give samples per second, above 0"
        ):
            measure(tmp_path / "a.wav", rate=rate)


def test_silence_and_lines_in_silence(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav_bytes(np.zeros(4000, np.int16)))
    assert measure(tmp_path / "a.wav").images[0].verdict == "clean"
    lines = np.rint(30 * np.cos(2 * np.pi * CLOCK / 8) + 10 * (-1.0) ** CLOCK).astype(np.int16)
    (tmp_path / "a.wav").write_bytes(wav_bytes(lines))
    (found,) = measure(tmp_path / "a.wav").images
    assert found.verdict == "lattice"
    assert {c.period for c in found.found.present} >= {(8,), (2,)}
    assert min(t.level for t in found.tones) > 20


def test_arrays_of_audio():
    flat = measure(SAMPLES, rate=RATE).images[0]
    assert (flat.kind, flat.path, flat.tones[0].frequencies) == ("audio", "array", (2000,))
    for layout in (SAMPLES[None], SAMPLES[:, None], np.stack([SAMPLES, SAMPLES]), SAMPLES[None, None]):
        image = measure(layout, rate=RATE).images[0]
        assert image.tones[0].level == pytest.approx(flat.tones[0].level, abs=1e-6)
    batch = measure(np.stack([SAMPLES, 0.1 * NOISE])[:, None], rate=RATE)
    assert [(i.path, i.verdict) for i in batch.images] == [("array[0]", "lattice"), ("array[1]", "clean")]
    unknown = measure(SAMPLES, kind="audio").images[0]
    assert unknown.to_dict()["lattice"][0]["frequency_hz"] is None
    assert "No sample rate is known: frequencies are cycles per sample." in unknown.notes


@pytest.mark.parametrize(
    ("samples", "full"),
    [
        (np.array([0.5, -0.5]), 1.0),
        (np.array([1.5, -0.5]), 1.0),
        (np.array([3000.0, -20000.0]), 32768.0),
        (np.array([30.0, -20.0]), 30.0),
        (np.array([3000, -20000], np.int16), 32768.0),
    ],
)
def test_full_scale(samples, full):
    assert sound("a", samples, Given()).span[0] == -full


def test_what_does_not_go_with_audio(tmp_path):
    (tmp_path / "a.wav").write_bytes(WHOLE)
    with pytest.raises(
        UncheckError, match=r"a\.wav: is audio and cannot be measured as volume; leave that out"
    ):
        measure(tmp_path / "a.wav", kind="volume")
    with pytest.raises(UncheckError, match="a sample rate goes with audio, not with volume"):
        measure(tmp_path / "a.wav", kind="volume", rate=8000)
    with pytest.raises(UncheckError, match="a mosaic is cut out of pictures, not out of audio"):
        measure(tmp_path / "a.wav", mosaic=16)
    with pytest.raises(UncheckError, match=r"array: shape \(40, 50\) is not audio; give \(n,\), \(C, n\) or"):
        measure(np.ones((40, 50)), rate=8000)
    with pytest.raises(UncheckError, match=r"audible nan is not a level; give decibels, such as -60"):
        measure(SAMPLES, rate=8000, audible=float("nan"))
    np.save(tmp_path / "a.npy", SAMPLES)
    with pytest.raises(UncheckError, match=r"a\.npy: shape \(4000,\) is not a picture; .* volume or audio"):
        measure(tmp_path / "a.npy")
    assert measure(tmp_path / "a.npy", rate=8000).images[0].kind == "audio"
    assert measure(SAMPLES, rate=RATE, periods=[2, 100]).images[0].found.not_tested == (100,)


def test_periods_that_were_not_tried_are_named():
    notes = measure(SAMPLES, rate=RATE).images[0].notes
    assert notes == ("Periods above 16 samples, such as the hop of a vocoder, were not tested.",)
    assert measure(SAMPLES, rate=RATE, periods=[1024]).images[0].notes == ()


def test_a_sound_that_is_too_long_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.flac", np.zeros((2000, 8)), RATE)
    wavfile.write(tmp_path / "a.wav", RATE, np.zeros(16000, np.int16))
    monkeypatch.setattr(paths, "MOST_VALUES", 15_000)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("it was decoded"))
    for name, shape in (("a.flac", "2000 x 8"), ("a.wav", "16000")):
        with pytest.raises(UncheckError, match=rf"{name}: {shape} values are more than the 150 million"):
            read_audio(str(tmp_path / name), Given())
