"""Time and memory of measure: pictures from their files, sound, a folder, and the command as a whole."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from peers import peers
from PIL import Image
from timing import peak_memory, time_call

from uncheck import measure
from uncheck.probing import made_up

#: In a folder beside the checkout, or above that.
PHOTOS = [above / "shared" / "cases" / "photos" for above in Path(__file__).resolve().parents]
TARGETS = {
    "clean PNG, in decodings": 3.0,
    "PNG with a lattice, in decodings": 7.0,
    "8 s of sound, in ms": 2000.0,
    "peak memory, in pictures of float32": 8.0,
}


def bench_measure(repeats: int) -> dict[str, object]:
    """Measure 768 x 512 RGB from files, decoding included, against Pillow's decoding, on one core.

    Ratios are of the least times: other work of the machine only adds to them. Measures of quality of pyiqa
    beside it, where installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        rows = [_picture(name, pixels, Path(folder), repeats) for name, pixels in pictures().items()]
        clean = [row["PNG"] for row in rows]
        return {
            "target": TARGETS,
            "worst": {
                "clean PNG, in decodings": max(one["decodings"] for one in clean),
                "PNG with a lattice, in decodings": max(row["PNG, lattice"]["decodings"] for row in rows),
                "JPEG 90, in decodings": max(row["JPEG 90"]["decodings"] for row in rows),
                "JPEG 90, lattice, in decodings": max(row["JPEG 90, lattice"]["decodings"] for row in rows),
                "clean PNG, periods 2 to 64, in decodings": max(one["decodings_2_to_64"] for one in clean),
                "peak memory, in pictures of float32": max(one["memory"] for one in clean),
            },
            "median_ms": {
                kind: float(np.median([row[kind]["least_ms"] for row in rows]))
                for kind in rows[0]
                if kind != "picture"
            },
            "sound": {f"8 s at {rate} Hz, periods 2 to 1024": _sound(rate) for rate in (22_050, 48_000)},
            "folder": _folder(Path(folder)),
            "peers": peers()[1],
            "pictures": rows,
        }


def pictures() -> dict[str, np.ndarray]:
    """Return made-up pictures, and photographs where they are at hand."""
    out = {}
    for seed in range(3):
        noise = made_up((1, 3, 512, 768)).roll(37 * seed, -1)[0].permute(1, 2, 0).numpy()
        out[f"made-up {seed}"] = (noise * 255).astype(np.uint8)
    for path in sorted(path for folder in PHOTOS for path in folder.glob("*.png"))[:6]:
        with Image.open(path) as image:
            out[path.stem] = np.asarray(image.convert("RGB"))
    return out


def _picture(name: str, pixels: np.ndarray, folder: Path, repeats: int) -> dict[str, object]:
    """Return the figures of one picture as PNG and JPEG, as it is and with a lattice of period 8."""
    tile = np.random.default_rng(0).normal(0, 3, (8, 8, 1))
    height, width = pixels.shape[:2]
    tiled = np.tile(tile, (-(-height // 8), -(-width // 8), 1))[:height, :width]
    holding = np.rint(pixels + tiled).clip(0, 255).astype(np.uint8)
    row: dict[str, object] = {"picture": name}
    for kind, values, options in (
        ("PNG", pixels, {}),
        ("PNG, lattice", holding, {}),
        ("JPEG 90", pixels, {"quality": 90}),
        ("JPEG 90, lattice", holding, {"quality": 90}),
    ):
        path = folder / f"{name} {kind}.{'jpg' if options else 'png'}"
        Image.fromarray(values).save(path, **options)
        row[kind] = _file(path, values, repeats)
    clean = folder / f"{name} PNG.png"
    long = time_call(lambda: measure(clean, periods=range(2, 65)), max(3, repeats // 3))
    row["PNG"]["decodings_2_to_64"] = long.least / row["PNG"]["decode_ms"]
    row["PNG"]["others_ms"] = {n: time_call(lambda f=f: f(pixels), 3).median for n, f in peers()[0].items()}
    return row


def _file(path: Path, values: np.ndarray, repeats: int) -> dict[str, object]:
    def decode() -> np.ndarray:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))

    decoding = time_call(decode, repeats)
    measuring = time_call(lambda: measure(path), max(3, repeats // 2))
    return {
        "verdict": measure(path).to_dict()["images"][0]["verdict"],
        "decode_ms": decoding.least,
        "least_ms": measuring.least,
        "median_ms": measuring.median,
        "decodings": measuring.least / decoding.least,
        "memory": peak_memory(lambda: measure(path)) / (values.size * 4),
    }


def _sound(rate: int) -> dict[str, float]:
    """Return the time for noise with a hum."""
    samples = np.random.default_rng(0).standard_normal(8 * rate) * 0.05
    samples += 0.2 * np.sin(0.05 * np.arange(8 * rate))
    values = samples.astype(np.float32)
    return time_call(lambda: measure(values, kind="audio", periods=range(2, 1025)), 3).to_dict()


def _folder(folder: Path) -> dict[str, object]:
    """Return the seconds of the whole command on 24 files, for one process and two, and for a single file."""
    made = sorted(folder.glob("*.png"))[:12] + sorted(folder.glob("*.jpg"))[:12]
    files = [shutil.copy(made[i % len(made)], folder / f"{i} {made[i % len(made)].name}") for i in range(24)]
    return {
        "least_seconds_of_3": {
            "one file": _command([files[0]]),
            "24 files, --jobs 1": _command([*files, "--jobs", "1"]),
            "24 files, --jobs 2": _command([*files, "--jobs", "2"]),
        }
    }


def _command(words: list[object]) -> float:
    """Return the least wall time of `uncheck measure`, as a process of its own."""
    command = [sys.executable, "-m", "uncheck", "measure", *map(str, words), "--exit-zero", "-f", "json"]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return min(times)
