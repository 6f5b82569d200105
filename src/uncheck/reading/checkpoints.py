"""Files of weights, read without running anything in them."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from uncheck.errors import UncheckError, first_line
from uncheck.targets import check_weights


def read_checkpoint(file: Path) -> Any:
    """Return what a file holds: safetensors, or a torch checkpoint of tensors alone.

    Raises:
        UncheckError: there is no such file, it is damaged, of another kind, or holds more than tensors.
    """
    check_weights(file)
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (SafetensorError, OSError) as error:
            raise UncheckError(
                f"{file} is no readable safetensors file ({cause_of(error)}): save it again"
            ) from error
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not re.search(r"global|class", str(error), re.IGNORECASE):
            raise UncheckError(
                f"{file} is no readable torch checkpoint of tensors: save model.state_dict() with "
                "safetensors.torch.save_file"
            ) from error
        culprit = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"more than tensors ({culprit[1]})" if culprit else "more than tensors"
        raise UncheckError(
            f"{file} holds {what}, and unpickling it could run any code, so it was not loaded: load it where "
            "you trust it and save model.state_dict() with safetensors.torch.save_file"
        ) from error
    except Exception as error:
        raise UncheckError(
            f"{file} is no readable torch checkpoint ({cause_of(error)}): save it again"
        ) from error


def cause_of(error: Exception) -> str:
    """Return the first line of an error, or its kind where it says nothing."""
    return first_line(error, type(error).__name__)[:120]
