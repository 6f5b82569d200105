"""Look for a grid in a folder of pictures: one by one, and as the set that one network made."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import uncheck

folder = Path(tempfile.mkdtemp())  # your own folder of pictures here
noise = np.random.default_rng(0)
checker = np.indices((128, 128)).sum(axis=0) % 2 * 2 - 1
for i in range(6):
    picture = 128 + 20 * noise.normal(size=(128, 128, 3)) + 1.5 * checker[..., None]
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")

measured = uncheck.measure(folder, together=True)
for image in measured.images:
    periods = ", ".join(f"{max(c.period)}: {c.amplitude:.1f}" for c in image.found.present) or "none"
    print(f"{Path(image.path).name}: {image.verdict}, grey levels by period: {periods}")
for component in measured.together.found.present:
    amplitude, p = component.amplitude, component.p_value
    print(f"all share period {max(component.period)}: {amplitude:.2f} grey levels, p = {p:.0e}")
