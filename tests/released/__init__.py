"""What others released: networks, photographs, and pictures labelled by an article; for tests on real data.

Three networks and the small pictures come with the tests (LICENCES.md beside this file). The others and the
Kodak photographs lie in a folder `shared/cases` beside the checkout, which not everyone has: a test that
asks for one of them is skipped where it is absent. A file that is not the one that the tests were written
for is an error.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

HERE = Path(__file__).parent
CASES = HERE.parents[2] / "shared" / "cases"

ABSENT = "the released networks and photographs of ../shared/cases are not beside this checkout"

#: The networks that come with the tests.
BUNDLED = ("espcn_x3", "fsrcnn_x2", "cvae_sketch")

#: sha256 of each file of `CASES`.
SHA256 = dict(line.split()[::-1] for line in (HERE / "SHA256").read_text(encoding="utf-8").splitlines())


def files(pattern: str) -> list[Path]:
    """Return the files of `CASES` that a pattern names, in order; skip the test where there are none."""
    if not CASES.is_dir():
        pytest.skip(ABSENT)
    return [checked(path) for path in sorted(CASES.glob(pattern))]


@cache
def checked(path: Path) -> Path:
    """Return a path of `CASES`; raise where its file is not the one that the tests were written for."""
    name = path.relative_to(CASES).as_posix()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[name], f"{path} is another file"
    return path


def photographs() -> list[Path]:
    """Return the twelve Kodak photographs."""
    return files("photos/*.png")


def labelled(pattern: str) -> list[Path]:
    """Return pictures of the article "Deconvolution and Checkerboard Artifacts", labelled by its captions."""
    return sorted((HERE / "labelled").glob(f"{pattern}.png")) or files(f"labelled/{pattern}.png")


@cache
def _module(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"released_{path.stem}_of_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def others() -> ModuleType:
    """Return the module that defines the networks which do not come with the tests."""
    return _module(files("networks.py")[0])


def load(name: str):
    """Return a released network in eval mode, with the weights its authors published."""
    if name not in BUNDLED:
        files(f"networks/{name}.*")
        return others().load(name)
    from safetensors.torch import load_file

    from released.networks import NETWORKS

    network = NETWORKS[name]()
    network.load_state_dict(load_file(HERE / f"{name}.safetensors"))
    return network.eval().requires_grad_(False)


def example_input(name: str, count: int = 64, seed: int = 0):
    """Return real inputs for a network: a photograph, codes, or features of speech."""
    if name not in BUNDLED:
        return others().example_input(name, count, seed)
    import torch

    if name == "cvae_sketch":
        codes = torch.randn(count, 16, generator=torch.Generator().manual_seed(seed))
        return torch.cat([codes, torch.eye(51)[torch.arange(count) % 51]], 1)
    return luma(crops(128)[:1]) if name == "espcn_x3" else ycbcr(crops(192)[:1])


def kodak(size: int):
    """Return the middle of each Kodak photograph (12, 3, size, size) in 0..1."""
    import torch

    return torch.cat([others().photo(path.name, size) for path in photographs()])


@cache
def crops(size: int):
    """Return twelve crops (12, 3, size, size) in 0..1: two corners of six photographs of scikit-image."""
    import torch
    from skimage import data

    names = ("coffee", "astronaut", "chelsea", "motorcycle_left", "motorcycle_right", "rocket")
    folder = Path(data.__file__).parent
    out = []
    for name in names:
        pixels = read(next(folder.glob(f"{name}.*")))
        out += [pixels[:size, :size], pixels[-size:, -size:]]
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2).float() / 255


def read(path: Path) -> np.ndarray:
    """Return the pixels (H, W, 3) of a picture."""
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def luma(pictures):
    """Return the BT.601 luma (N, 1, H, W) of pictures in 0..1."""
    return (pictures * pictures.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def ycbcr(pictures):
    """Return pictures in 0..1 as full-range BT.601 YCbCr in 0..1."""
    import torch

    matrix = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    turned = torch.einsum("oc,nchw->nohw", pictures.new_tensor(matrix), pictures)
    return turned + turned.new_tensor([0, 128 / 255, 128 / 255]).view(1, 3, 1, 1)
