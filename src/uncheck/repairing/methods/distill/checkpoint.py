"""The file from which an interrupted training goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.writing import write_file


@dataclass
class Checkpoint:
    """The state of a training beside its tensors.

    `groups` are the cut-outs that the lessons were made of: a training that goes on needs as many. Of `total`
    steps, 0 before that is known, `step` are done. `history` holds step and validation loss of each look,
    `best` the least, `since` the looks since then, and `adjusted` the changes made to the targets.
    """

    groups: int = 0
    step: int = 0
    total: int = 0
    best: float = math.inf
    since: int = 0
    history: list[tuple[int, float]] = field(default_factory=list)
    adjusted: list[Any] = field(default_factory=list)

    def write(self, path: Path, mark: str, tensors: Mapping[str, Tensor]) -> None:
        """Write the file whole or not at all; a full disk costs the checkpoint, not the training."""
        about = {"mark": mark, "progress": json.dumps(vars(self))}
        with suppress(UncheckError):
            write_file(path, save({name: x.contiguous().clone() for name, x in tensors.items()}, about))

    @classmethod
    def read(cls, path: Path | None, mark: str) -> tuple[Checkpoint, dict[str, Tensor]] | None:
        """Return the state and its tensors; None if there is no file, a broken one or one of another mark."""
        if path is None or not path.is_file():
            return None
        try:
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                if about.get("mark") != mark:
                    return None
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return cls(**json.loads(about["progress"])), tensors
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return None
