"""Several processes measure what one does, in the same order."""

import numpy as np
import pytest
from PIL import Image

from uncheck import measure


@pytest.mark.integration
def test_two_processes_say_what_one_says_in_the_same_order(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(6):
        # Larger ones first: their results come last where nobody keeps the order.
        pixels = rng.integers(90, 160, (240 - 32 * i, 96, 3))
        pixels[::2] += 8 * (i % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    one, two = (measure(tmp_path, jobs=jobs).to_dict() for jobs in (1, 2))
    assert one == two
    assert [image["verdict"] for image in two["images"]] == ["clean", "lattice"] * 3
    assert len(two["errors"]) == 1
