"""Video files, by PyAV (the libraries of FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import Found
from uncheck.signals.paths import MOST_VALUES, check_values
from uncheck.words import plural

#: The container is the one of the ending, and no other is tried: a playlist named .mp4 would be followed.
CONTAINERS = {".mkv": "matroska", ".webm": "matroska", ".avi": "avi"}


def read(path: str) -> Iterator[Found]:
    """Read the frames, in the colours that are displayed; the first ones of a film that is too long.

    Raises:
        UncheckError: no video in it, or a single frame that is too large.
    """
    import av

    av.logging.set_level(None)
    container = CONTAINERS.get(Path(path).suffix.lower(), "mov")
    local = str(Path(path).absolute())
    with av.open(local, format=container, options={"protocol_whitelist": "file"}) as file:
        if not file.streams.video:
            raise UncheckError(f"{path}: holds no video; name a file that does, or its sound as .wav")
        stream = file.streams.video[0]
        size = (stream.codec_context.height, stream.codec_context.width, 3)
        check_values(path, size)
        most = max(1, MOST_VALUES // max(1, int(np.prod(size))))
        frames: list[NDArray[np.uint8]] = []
        cut = False
        for frame in file.decode(stream):
            if len(frames) == most:
                cut = True
                break
            frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
        sizes = {frame.shape for frame in frames}
        if len(sizes) != 1:
            raise UncheckError(f"{path}: holds no frames of one size; write it again")
    notes = (f"Only the first {plural(most, 'frame')} fit, and no more was measured.",) if cut else ()
    yield Found(np.stack(frames), notes=notes)
