"""Make the files of a person of these stories here: `python prepare.py checkpoint`.

Networks are small and untrained, or the trained one that comes with the package; pictures, maps and
sounds are made up by these networks or by drawing. Every number has a fixed seed.
"""

import sys
import wave
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from uncheck.demo import load, pictures

DCGAN = '''"""The generator of a DCGAN."""

from torch import nn


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = (64, 128, 64, 32)
        layers = [nn.ConvTranspose2d(sizes[0], sizes[1], 4), nn.BatchNorm2d(sizes[1]), nn.ReLU()]
        for old, new in zip(sizes[1:], sizes[2:]):
            layers += [nn.ConvTranspose2d(old, new, 5, 2, 2, output_padding=1)]
            layers += [nn.BatchNorm2d(new), nn.ReLU()]
        layers += [nn.ConvTranspose2d(sizes[-1], 3, 5, 2, 2, output_padding=1), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z):
        return self.main(z)
'''

VOCODER = '''"""A vocoder: a spectrogram of 80 bands becomes sound at 16 kHz, 64 samples a frame."""

from torch import nn


def make():
    return nn.Sequential(
        nn.Conv1d(80, 64, 7, padding=3),
        nn.LeakyReLU(0.1),
        nn.ConvTranspose1d(64, 32, 16, 8, 4),
        nn.LeakyReLU(0.1),
        nn.ConvTranspose1d(32, 1, 16, 8, 4),
        nn.Tanh(),
    )
'''

DECODER = '''"""The decoder of somebody's own network."""

from torch import nn


def make():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 3, 2, 1, output_padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 3, 3, padding=1),
        nn.Sigmoid(),
    )
'''


def module(source: str, name: str) -> dict:
    """Write a file of Python, and return what it defines."""
    Path(name).write_text(source)
    defined: dict = {}
    exec(source, defined)
    return defined


def checkpoint() -> None:
    """Make a generator trained with DataParallel, its weights among other things in one dictionary."""
    torch.manual_seed(0)
    net = module(DCGAN, "dcgan.py")["Generator"]()
    weights = {f"module.{name}": value for name, value in net.state_dict().items()}
    torch.save({"epoch": 25, "generator": weights, "lr": 2e-4}, "checkpoint.pth")


def folder() -> None:
    """Make outputs of a network and two photographs, in dated folders."""
    net = load()
    with torch.no_grad():
        outputs = net(pictures()).clamp(0, 1)
    for k, (before, after) in enumerate(zip(pictures(), outputs, strict=True)):
        for day, picture in (("2026-03-01", after), ("2026-03-02", before)):
            Path("outputs", day).mkdir(parents=True, exist_ok=True)
            values = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            Image.fromarray(values).save(f"outputs/{day}/{k}.png")


def decoder() -> None:
    """Make a network in a file of its own, and its weights."""
    torch.manual_seed(0)
    save_file(module(DECODER, "decoder.py")["make"]().state_dict(), "decoder.safetensors")


def speech() -> None:
    """Make a vocoder, and three seconds of what it makes."""
    torch.manual_seed(0)
    net = module(VOCODER, "vocoder.py")["make"]()
    save_file(net.state_dict(), "vocoder.safetensors")
    with torch.no_grad():
        sound = net(torch.randn(1, 80, 750))[0, 0].numpy()
    with wave.open("speech.wav", "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((sound / abs(sound).max() * 30000).astype("<i2").tobytes())


def scans() -> None:
    """Make a depth map in metres with holes, and a volume of CT; both were enlarged by a network."""
    import nibabel

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :320] / 240
    depth = 2 + y + 0.5 * np.sin(3 * x) + 0.004 * rng.standard_normal(x.shape)
    depth += 0.02 * (-1.0) ** np.indices(x.shape).sum(0)
    depth[60:100, 200:260] = np.nan
    np.save("depth.npy", depth.astype(np.float32))
    z, y, x = np.mgrid[:48, :96, :96] / 48 - 1
    inside = x**2 / 2 + y**2 / 1.5 + z**2 < 0.8
    ct = np.where(inside, 40.0, -1000.0) + 12 * rng.standard_normal(x.shape)
    ct += np.where(inside, 15.0, 0.0) * (-1.0) ** np.indices(x.shape).sum(0)
    nibabel.save(nibabel.Nifti1Image(ct.astype(np.int16), np.diag([0.7, 0.7, 2.5, 1])), "ct.nii.gz")


if __name__ == "__main__":
    {one.__name__: one for one in (checkpoint, folder, decoder, speech, scans)}[sys.argv[1]]()
