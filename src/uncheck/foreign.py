"""Files that are given where code of a network is wanted: what they are, and what to do with them."""

from __future__ import annotations

import zipfile
from pathlib import Path

_PYTORCH = (
    "uncheck reads networks as PyTorch code, to see each layer: name the code, as file.py:name of a class or "
    "function that makes the network"
)
_OUTPUTS = "pictures it made can be measured without it: uncheck measure FOLDER"
_WEIGHTS = f"holds weights without the code that uses them; {_PYTORCH}, and give this file with --weights"

#: What files of an ending are, in a clause after their name.
_KINDS = {
    ".onnx": f"is an ONNX graph, whose layers cannot be changed; {_PYTORCH}; {_OUTPUTS}",
    ".pt2": f"is an exported program; {_PYTORCH} it was exported from",
    ".keras": f"is a Keras model; {_PYTORCH}; {_OUTPUTS}",
    ".h5": f"is an HDF5 file, as Keras writes models; {_PYTORCH}; {_OUTPUTS}",
    ".hdf5": f"is an HDF5 file, as Keras writes models; {_PYTORCH}; {_OUTPUTS}",
    ".pb": f"is a TensorFlow graph; {_PYTORCH}; {_OUTPUTS}",
    ".tflite": f"is a TensorFlow Lite model; {_PYTORCH}; {_OUTPUTS}",
    ".mlmodel": f"is a Core ML model; {_PYTORCH}; {_OUTPUTS}",
    ".mlpackage": f"is a Core ML model; {_PYTORCH}; {_OUTPUTS}",
    ".safetensors": _WEIGHTS,
    ".pth": _WEIGHTS,
    ".pt": _WEIGHTS,
    ".bin": _WEIGHTS,
    ".ckpt": _WEIGHTS,
    ".ipynb": "is a notebook; put the class of the network into a .py file and name that, as file.py:name, "
    "or call uncheck.inspect(model, example_input) in the notebook",
}

_PICTURES = {
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic"), "a picture"
    ),
    **dict.fromkeys((".nii", ".nii.gz", ".dcm", ".nrrd", ".mha"), "a volume"),
    **dict.fromkeys((".npy", ".npz", ".exr", ".nc", ".zarr"), "an array"),
    **dict.fromkeys((".wav", ".flac", ".mp3", ".ogg"), "sound"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), "a film"),
}


def foreign_file(name: str) -> str | None:
    """Return a sentence about a file or folder given as a target; None where nothing is known about it.

    >>> foreign_file("net.py") is None
    True
    >>> print(foreign_file("out.png"))
    out.png is a picture, not the code of a network: measure it, with uncheck measure out.png
    """
    path = Path(name)
    lower = path.name.lower()
    ending = ".nii.gz" if lower.endswith(".nii.gz") else path.suffix.lower()
    if ending in _PICTURES:
        kind = _PICTURES[ending]
        return f"{name} is {kind}, not the code of a network: measure it, with uncheck measure {name}"
    if path.is_dir() and ending not in _KINDS:
        measure = f"measure the pictures in it, with uncheck measure {name}"
        return f"{name} is a folder, not the code of a network: name file.py:name, or {measure}"
    if ending in (".pt", ".pth") and _is_scripted(path):
        return f"{name} is a TorchScript program, whose layers cannot be changed; {_PYTORCH}; {_OUTPUTS}"
    return f"{name} {_KINDS[ending]}" if ending in _KINDS else None


def _is_scripted(path: Path) -> bool:
    """Test whether a file is an archive with code in it, as torch.jit.save writes and torch.save does not."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name or name.endswith("constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
